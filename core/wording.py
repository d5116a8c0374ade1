"""Numbers, days and metrics as text, formatted the same in every sentence."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping

from core.days import DAY

MOST_DIGITS = 9
NEGATED = "neg_"  # prefix of errors in scikit-learn, so that more is better
SPECIAL: Mapping[str, str] = {"r2": "R²"}


def span(start: dt.date, end: dt.date) -> str:
    """Return the days from `start` to the day before `end`."""
    return f"{start:%-d %b} to {end - DAY:%-d %b %Y}"


def metric(name: str) -> str:
    """Return a metric, or any other key, as text: `balanced accuracy`, `ROC AUC`, `mean absolute error (negated)`."""
    text = SPECIAL.get(name, name.removeprefix(NEGATED).replace("_", " ").replace("roc auc", "ROC AUC"))
    return f"{text} (negated)" if is_error(name) else text


def is_error(name: str) -> bool:
    """Return whether a metric is a negated error, in the unit of the label. Other metrics have no unit."""
    return name.startswith(NEGATED)


def digits(name: str, value: float | None, *, whole: int = 4) -> int:
    """Return how many digits after the point to show of a metric.

    Three; for an error, whose unit is arbitrary, as many as give `whole` digits in total.
    """
    if not (is_error(name) and value and math.isfinite(value)):
        return 3
    return min(max(whole - 1 - math.floor(math.log10(abs(value))), 0), MOST_DIGITS)


def change_digits(name: str, value: float | None) -> int:
    """Return how many digits after the point to show of a difference: fewer than of a value."""
    return digits(name, value, whole=3)


def figure(name: str, value: float) -> str:
    """Return a value of a metric."""
    return f"{value:,.{digits(name, value)}f}"


def change(name: str, value: float) -> str:
    """Return a difference between values of a metric, with its sign."""
    return f"{value:+,.{change_digits(name, value)}f}"


def sentence_case(text: str) -> str:
    """Return the text with a capital first letter and the rest unchanged."""
    return text[:1].upper() + text[1:]


def distinct(*values: float, digits: int = 3) -> list[str]:
    """Return numbers with enough digits to look different if they are."""
    texts = [f"{value:,.{digits}f}" for value in values]
    enough = len(set(texts)) >= len(set(values)) or digits >= MOST_DIGITS
    return texts if enough else distinct(*values, digits=digits + 1)
