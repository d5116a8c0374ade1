"""Choose windows and limits for a new model from how many rows and labels its table has a day."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.config import Columns
from core.errors import DataError
from model.scaffold_sample import labels_of
from monitoring import arrays

DAY = 86_400_000_000  # microseconds
EPOCH = dt.date(1970, 1, 1)
WINDOW = 60  # days, where they hold enough
ENOUGH = (2000, 100)  # labelled rows, and rows of the rarer label, that a window should have
MOST = 2_000_000  # rows that a training should not go beyond
PART = 0.6  # of all days that the first training may take, so that nights are left to replay
LEAST = (100, 10)  # labelled rows, and rows of the rarer label, without which nothing can be judged
POOR = (80, 10)  # the same of a window; with fewer it takes nearly all days
NEARLY = 0.9
HOLDOUT = 200  # rows that the usual holdout should have
Counts = NDArray[np.int64]


class Choice(NamedTuple):
    """A key of model.toml, its value, and the number that led to it."""

    key: str
    value: Any
    why: str


@dataclass(frozen=True)
class Days:
    """Rows, labels 0 and labels 1 of each UTC day from `first` to the last one with rows, shape (days, 3)."""

    first: dt.date
    counts: Counts

    @classmethod
    def of(cls, batches: Iterable[pa.RecordBatch], columns: Columns) -> Days:
        """Count the rows of `batches`, which need only the columns of time and label.

        Raises:
            DataError: there are none.
        """
        end, found = dt.datetime.max.replace(tzinfo=dt.UTC), dict[int, Counts]()
        known_at_once = columns.model_copy(update={"labelled_at": None})
        for batch in batches:
            days = arrays.view(batch.column(columns.time), np.int64) // DAY
            labels = labels_of(batch, known_at_once, end)
            for day in np.unique(days):
                here = np.bincount(labels[days == day], minlength=3)
                found[int(day)] = found.get(int(day), 0) + np.array([here.sum(), here[0], here[1]])
        if not found:
            raise DataError("The table has no rows.", why="It is empty.", fix="Fill it, and run the command again.")
        start = min(found)
        counts = np.zeros((max(found) - start + 1, 3), np.int64)
        counts[[day - start for day in found]] = list(found.values())
        return cls(EPOCH + dt.timedelta(days=start), counts)

    @property
    def last(self) -> dt.date:
        """The last day with rows."""
        return self.first + dt.timedelta(days=len(self.counts) - 1)

    @property
    def labelled(self) -> int:
        """How many rows have a label."""
        return int(self.counts[:, 1:].sum())

    @property
    def rare(self) -> int:
        """How many rows have the rarer label."""
        return int(self.counts[:, 1:].sum(axis=0).min())

    @property
    def a_day(self) -> float:
        """Rows of the middle day that has any."""
        return float(np.median(self.counts[self.counts[:, 0] > 0, 0]))

    def silent(self) -> int:
        """How many days at the end have hardly any label although most days have."""
        share = self.counts[:, 1:].sum(axis=1) / np.maximum(self.counts[:, 0], 1)
        full = np.flatnonzero(share >= np.median(share[self.counts[:, 0] > 0]) / 2)
        return len(share) - 1 - int(full[-1])


def maturity(days: Days, delays: Counts | None) -> Choice:
    """After how many days labels are taken as arrived; `delays` are their delays in microseconds, where known."""
    key = "training.maturity_days"
    if delays is not None and len(delays):
        slow = float(np.quantile(delays, 0.99)) / DAY
        return Choice(key, min(max(math.ceil(slow), 0), 365), f"99 % of the labels arrive within {slow:.1f} days")
    silent = days.silent()
    if silent:
        return Choice(key, min(silent, 365), f"the last {silent} days have hardly any label")
    guess = min(2, len(days.counts) // 10)
    return Choice(key, guess, "a guess: no column of the table says when a label arrives")


def windows(days: Days, mature: int, *, whole: bool = False) -> Iterator[Choice]:
    """What is trained and judged on, labels being known after `mature` days; `whole`: nearly all days.

    Raises:
        DataError: there are too few labels for any judgement.
    """
    usable = days.counts[: len(days.counts) - mature]
    labels, span = usable[:, 1:].sum(axis=0), len(usable)
    _enough(labels, mature)
    total, rare = int(labels.sum()), int(labels.min())
    need = max(ENOUGH[0] / total, ENOUGH[1] / rare) * span
    wished = min(max(WINDOW, math.ceil(need)), max(math.floor(MOST * span / total), 14), 3650)
    window = max(min(wished, math.floor(PART * span)), 1)
    here = usable[-window:, 1:].sum(axis=0)
    if whole or here.sum() < POOR[0] or here.min() < POOR[1]:
        window = min(max(math.floor(NEARLY * span), 1), 3650)
        here = usable[-window:, 1:].sum(axis=0)
    few = f"; {span} days are few, so replays will be short" if window < WINDOW else ""
    yield Choice("training.window_days", window, f"{here.sum():,} labelled rows, {here[1]:,} of them 1{few}")
    share = 0.2 if here.sum() * 0.2 >= HOLDOUT else 0.3
    held = math.floor(here.sum() * share)
    yield Choice("training.holdout", share, f"about {held:,} rows to judge a candidate by")
    summed = np.concatenate([[0], np.cumsum(usable[:, 1:].sum(axis=1))])
    poorest = int((summed[window:] - summed[:-window]).min())
    yield Choice(
        "training.min_rows", max(50, poorest // 2), f"half of what the poorest {window} days have, {poorest:,}"
    )
    yield Choice("gates.min_holdout_rows", min(max(held // 2, 20), 1000), "half of the usual holdout, 20 to 1,000")
    pause = min(max(14, math.ceil(share * window) + mature), 365)
    yield Choice("triggers.limits.cooldown_days", pause, "holdout and maturity: sooner a training learns nothing new")
    yield from _triggers(days, window)


def _triggers(days: Days, window: int) -> Iterator[Choice]:
    span = len(days.counts)
    wished = math.ceil(max(200 / days.labelled, 20 / days.rare) * span)
    judged = min(max(14, wished), 30, max(window // 2, 1))
    labels = days.labelled * judged / span
    yield Choice("triggers.performance.window_days", judged, f"about {labels:,.0f} labels")
    yield Choice("triggers.performance.min_labels", max(int(labels) // 2, 20), "half of that, at least 20")
    rows = days.counts[:, 0].sum() / span
    looked = min(max(7, math.ceil(200 / rows)), 28, max(window // 2, 1))
    yield Choice("triggers.drift.window_days", looked, f"about {rows * looked:,.0f} rows")
    yield Choice("triggers.drift.min_rows", max(int(rows * looked) // 2, 20), "half of that, at least 20")
    if rows * looked < 1000:  # noqa: PLR2004 - of so few, a distance of 0.05 cannot be told from none
        yield Choice(
            "triggers.drift.min_effect", 0.1, f"a smaller distance cannot be told on {rows * looked:,.0f} rows"
        )


def _enough(labels: Counts, mature: int) -> None:
    """Refuse what cannot be judged."""
    if labels.sum() >= LEAST[0] and labels.min() >= LEAST[1]:
        return
    raise DataError(
        f"The table has {labels.sum():,} labelled rows from before its last {mature} days: "
        f"{labels[0]:,} of label 0 and {labels[1]:,} of label 1.",
        why=f"A model is judged on rows that it was not fitted on: {LEAST[0]} rows, {LEAST[1]} of each label, are "
        "the least that says anything.",
        fix="Collect more labels, or name a target whose rarer value is not so rare.",
    )
