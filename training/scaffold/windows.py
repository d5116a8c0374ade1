"""Windows and limits of a new model, chosen from the number of rows and labels that its table has on each day."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrow import MICROSECONDS_A_DAY
from core.days import EPOCH_DAY
from core.errors import DataError

WINDOW = 60  # days, if they have enough labels
ENOUGH = (2000, 100)  # labelled rows, and rows of the rarer label, that a window should have
MOST = 2_000_000  # rows of a training
PART = 0.6  # of all days for the first training, so that days are left to replay
LEAST = (100, 10)  # labelled rows, and rows of the rarer label, without which nothing can be judged
RARE = (20, 0.001)  # rows, and share of rows: a rarer class cannot be learned, and does not count for the windows
POOR = (80, 10)  # as LEAST, for a window: with fewer it takes nearly all days
NEARLY_ALL = 0.9
HOLDOUT = 200  # rows that the usual holdout should have
Counts = NDArray[np.int64]


class Choice(NamedTuple):
    """A key of model.toml, its value, and the number that led to it."""

    key: str
    value: Any
    why: str


@dataclass(frozen=True)
class Days:
    """Rows, and labelled rows, of each UTC day from `first` to the last one with rows.

    `counts` has the shape (days, 1 + K): all rows, and then the rows of each of the `labels`. These are 0 and 1,
    classes, or one empty text that stands for all numbers.
    """

    first: dt.date
    counts: Counts
    labels: tuple[str, ...] = ("0", "1")

    @classmethod
    def of(cls, rows: Counter[int], by_label: Mapping[str, Counter[int]]) -> Days:
        """Return the days from all rows, and the rows of each label, by day since 1970."""
        start, end = min(rows), max(rows)
        counts = np.zeros((end - start + 1, 1 + len(by_label)), np.int64)
        for column, by_day in enumerate((rows, *by_label.values())):
            counts[[day - start for day in by_day], column] = list(by_day.values())
        return cls(EPOCH_DAY + dt.timedelta(days=start), counts, tuple(by_label))

    @property
    def last(self) -> dt.date:
        """The last day with rows."""
        return self.first + dt.timedelta(days=len(self.counts) - 1)

    @property
    def labelled(self) -> int:
        """Number of rows with a label."""
        return int(self.counts[:, 1:].sum())

    @property
    def learnable(self) -> NDArray[np.bool_]:
        """Which labels can be learned: all but rare ones of several classes."""
        rows = self.counts[:, 1:].sum(axis=0)
        several = len(rows) > 2  # noqa: PLR2004
        enough: NDArray[np.bool_] = (rows >= max(RARE[0], RARE[1] * rows.sum())) | (not several)
        return enough

    def rarest(self, rows: Counts) -> int:
        """Return the position of the rarest label that can be learned, by rows of each label."""
        return int(np.where(self.learnable, rows, rows.sum() + 1).argmin())

    @property
    def rare(self) -> int:
        """Number of rows with the rarest label that can be learned."""
        rows = self.counts[:, 1:].sum(axis=0)
        return int(rows[self.rarest(rows)])

    def describe(self, rows: Counts) -> str:
        """Return the number of labelled rows as text."""
        total, rare = f"{rows.sum():,} labelled rows", self.rarest(rows)
        if len(self.labels) == 1:
            return total
        if self.labels == ("0", "1"):
            return f"{total}, {rows[1]:,} of them 1"
        return f"{total}, {rows[rare]:,} of the rarest class, {self.labels[rare][:30]!r}"

    @property
    def a_day(self) -> float:
        """Rows of the median day with rows."""
        return float(np.median(self.counts[self.counts[:, 0] > 0, 0]))

    def silent(self) -> int:
        """Return how many days at the end have hardly any labels although most days have."""
        share = self.counts[:, 1:].sum(axis=1) / np.maximum(self.counts[:, 0], 1)
        full = np.flatnonzero(share >= np.median(share[self.counts[:, 0] > 0]) / 2)
        return len(share) - 1 - int(full[-1])


def maturity(days: Days, delays: Counts | None) -> Choice:
    """Return after how many days labels count as arrived; `delays` are in microseconds, None if unknown."""
    key = "training.maturity_days"
    if delays is not None and len(delays):
        slow = float(np.quantile(delays, 0.99)) / MICROSECONDS_A_DAY
        return Choice(key, min(max(math.ceil(slow), 0), 365), f"99% of the labels arrive within {slow:.1f} days")
    silent = days.silent()
    if silent:
        return Choice(key, min(silent, 365), f"the last {silent} days have hardly any labels")
    guess = min(2, len(days.counts) // 10)
    return Choice(key, guess, "a guess: no column of the table has the time when a label arrived")


def windows(days: Days, mature: int, *, whole: bool = False) -> Iterator[Choice]:
    """Yield the windows, for labels that are known after `mature` days; `whole`: take nearly all days.

    Raises:
        DataError: there are too few labels to judge anything.
    """
    usable = days.counts[: len(days.counts) - mature]
    labels, span = usable[:, 1:].sum(axis=0), len(usable)
    _enough(labels, mature, days.labels)
    total, rare = int(labels.sum()), max(int(labels[days.rarest(labels)]), 1)
    need = max(ENOUGH[0] / total, ENOUGH[1] / rare) * span
    wished = min(max(WINDOW, math.ceil(need)), max(math.floor(MOST * span / total), 14), 3650)
    window = max(min(wished, math.floor(PART * span)), 1)
    here = usable[-window:, 1:].sum(axis=0)
    if whole or here.sum() < POOR[0] or here[days.rarest(here)] < POOR[1]:
        window = min(max(math.floor(NEARLY_ALL * span), 1), 3650)
        here = usable[-window:, 1:].sum(axis=0)
    few = f"; the table has only {span} days, so replays will be short" if window < WINDOW else ""
    yield Choice("training.window_days", window, f"{days.describe(here)}{few}")
    share = 0.2 if here.sum() * 0.2 >= HOLDOUT else 0.3
    held = math.floor(here.sum() * share)
    yield Choice("training.holdout", share, f"about {held:,} rows to judge a candidate by")
    summed = np.concatenate([[0], np.cumsum(usable[:, 1:].sum(axis=1))])
    poorest = int((summed[window:] - summed[:-window]).min())
    yield Choice(
        "training.min_rows", max(50, poorest // 2), f"half of the {poorest:,} rows of the {window} days with the fewest"
    )
    yield Choice("gates.min_holdout_rows", min(max(held // 2, 20), 1000), "half of the usual holdout, 20 to 1,000")
    pause = min(max(14, math.ceil(share * window) + mature), 365)
    yield Choice("triggers.limits.cooldown_days", pause, "holdout and maturity: an earlier training learns nothing new")
    yield from _triggers(days, window)


def _triggers(days: Days, window: int) -> Iterator[Choice]:
    span = len(days.counts)
    wished = math.ceil(max(200 / days.labelled, 20 / days.rare) * span)
    performance_days = min(max(14, wished), 30, max(window // 2, 1))
    labels = days.labelled * performance_days / span
    yield Choice("triggers.performance.window_days", performance_days, f"about {labels:,.0f} labels")
    yield Choice("triggers.performance.min_labels", max(int(labels) // 2, 20), "half of that, at least 20")
    rows = days.counts[:, 0].sum() / span
    drift_days = min(max(7, math.ceil(200 / rows)), 28, max(window // 2, 1))
    yield Choice("triggers.drift.window_days", drift_days, f"about {rows * drift_days:,.0f} rows")
    yield Choice("triggers.drift.min_rows", max(int(rows * drift_days) // 2, 20), "half of that, at least 20")
    if rows * drift_days < 1000:  # noqa: PLR2004 - with fewer rows, a distance of 0.05 may be chance
        yield Choice(
            "triggers.drift.min_effect", 0.1, f"a smaller distance may be chance on {rows * drift_days:,.0f} rows"
        )


def _enough(labels: Counts, mature: int, names: tuple[str, ...]) -> None:
    """Make sure that there are enough labels to judge a model."""
    frequent = int((labels >= LEAST[1]).sum())
    if labels.sum() >= LEAST[0] and frequent >= min(len(labels), 2):
        return
    each = ": " + " and ".join(f"{rows:,} of label {name}" for name, rows in zip(names, labels, strict=True))
    raise DataError(
        f"The table has {labels.sum():,} labelled rows from before its last {mature} days"
        + (f"{each}." if len(labels) == 2 else "."),  # noqa: PLR2004 - of many classes it would be long
        why=f"A model is judged on rows that it was not fitted on. That takes {LEAST[0]} rows, {LEAST[1]} a label.",
        fix="Collect more labels, or name a target whose rarer value is less rare.",
    )
