"""Put numbers, days, metrics and columns into sentences, the same everywhere."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.days import DAY

if TYPE_CHECKING:
    pass

MOST_DIGITS = 9
NEGATED = "neg_"  # with which scikit-learn begins the names of errors of which more is better
SPECIAL: Mapping[str, str] = {"r2": "R²"}


def span(start: dt.date, end: dt.date) -> str:
    """The days from `start` to the one before `end`."""
    return f"{start:%-d %b} to {end - DAY:%-d %b %Y}"


def metric(name: str) -> str:
    """A metric as words: `balanced accuracy`, `ROC AUC`, `mean absolute error (negated)`; so too any other key."""
    words = SPECIAL.get(name, name.removeprefix(NEGATED).replace("_", " ").replace("roc auc", "ROC AUC"))
    return f"{words} (negated)" if is_error(name) else words


def is_error(name: str) -> bool:
    """Whether a metric is a negated error, in the unit of the label; the others have none."""
    return name.startswith(NEGATED)


def digits(name: str, value: float | None, *, whole: int = 4) -> int:
    """How many digits after the point a value of a metric gets.

    Three; an error, whose unit may be any, as many as make `whole` digits in all.
    """
    if not (is_error(name) and value and math.isfinite(value)):
        return 3
    return min(max(whole - 1 - math.floor(math.log10(abs(value))), 0), MOST_DIGITS)


def change_digits(name: str, value: float | None) -> int:
    """As `digits`, of a difference between values, which is told shorter."""
    return digits(name, value, whole=3)


def figure(name: str, value: float) -> str:
    """A value of a metric in a sentence."""
    return f"{value:,.{digits(name, value)}f}"


def change(name: str, value: float) -> str:
    """A difference between values of a metric in a sentence: with its sign."""
    return f"{value:+,.{change_digits(name, value)}f}"


def sentence_case(text: str) -> str:
    """The text with a capital first letter, the others as they are."""
    return text[:1].upper() + text[1:]


def distinct(*values: float, digits: int = 3) -> list[str]:
    """Numbers with so many digits that different ones look different."""
    texts = [f"{value:,.{digits}f}" for value in values]
    enough = len(set(texts)) >= len(set(values)) or digits >= MOST_DIGITS
    return texts if enough else distinct(*values, digits=digits + 1)
