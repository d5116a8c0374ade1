"""Put numbers, days, metrics and columns into sentences, the same everywhere."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitoring.drift import ColumnDrift

MOST_NAMES = 5
MOST_DIGITS = 9
DAY = dt.timedelta(days=1)
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


def digits(name: str, *values: float | None) -> int:
    """How many digits after the point numbers of a metric get that stand together.

    Three; of errors, whose unit may be any, as many as give the largest of them four digits in all.
    """
    known = [abs(value) for value in values if value and math.isfinite(value)]
    if not (is_error(name) and known):
        return 3
    return min(max(3 - math.floor(math.log10(max(known))), 0), MOST_DIGITS)


def figures(name: str, *values: float) -> list[str]:
    """Values of a metric, or the ends of an interval, that stand together in a sentence."""
    return [f"{value:,.{digits(name, *values)}f}" for value in values]


def differences(name: str, *values: float) -> list[str]:
    """As `figures`, of differences between values: with their signs."""
    return [f"{value:+,.{digits(name, *values)}f}" for value in values]


def sentence_case(text: str) -> str:
    """The text with a capital first letter, the others as they are."""
    return text[:1].upper() + text[1:]


def distinct(*values: float, digits: int = 3) -> list[str]:
    """Numbers with so many digits that different ones look different."""
    texts = [f"{value:,.{digits}f}" for value in values]
    enough = len(set(texts)) >= len(set(values)) or digits >= MOST_DIGITS
    return texts if enough else distinct(*values, digits=digits + 1)


def names(columns: Iterable[ColumnDrift]) -> str:
    """The columns that moved most, with how far."""
    ordered = sorted(columns, key=lambda column: (-column.effect, column.column))
    more = f" and {len(ordered) - MOST_NAMES} more" if len(ordered) > MOST_NAMES else ""
    return ", ".join(f"{column.column} ({column.effect:.3f})" for column in ordered[:MOST_NAMES]) + more
