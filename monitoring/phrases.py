"""Put numbers, days and columns into the sentences of readings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from monitoring.drift import ColumnDrift

MOST_NAMES = 5
MOST_DIGITS = 9
DAY = dt.timedelta(days=1)


def span(start: dt.date, end: dt.date) -> str:
    """The days from `start` to the one before `end`."""
    return f"{start:%-d %b} to {end - DAY:%-d %b %Y}"


def metric(name: str) -> str:
    """A metric as words."""
    return name.replace("_", " ").replace("roc auc", "ROC AUC")


def sentence_case(text: str) -> str:
    """The text with a capital first letter, the others as they are."""
    return text[:1].upper() + text[1:]


def distinct(*values: float, digits: int = 3) -> list[str]:
    """Numbers with so many digits that different ones look different."""
    texts = [f"{value:.{digits}f}" for value in values]
    enough = len(set(texts)) >= len(set(values)) or digits >= MOST_DIGITS
    return texts if enough else distinct(*values, digits=digits + 1)


def names(columns: Iterable[ColumnDrift]) -> str:
    """The columns that moved most, with how far."""
    ordered = sorted(columns, key=lambda column: (-column.effect, column.column))
    more = f" and {len(ordered) - MOST_NAMES} more" if len(ordered) > MOST_NAMES else ""
    return ", ".join(f"{column.column} ({column.effect:.3f})" for column in ordered[:MOST_NAMES]) + more
