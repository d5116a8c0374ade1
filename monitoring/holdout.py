"""Keep what a model said of its holdout: how its scores lie when nothing has changed, and what they are worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.records import Record
from monitoring.calibration import Calibration, fit_calibration
from monitoring.counts import Counts
from monitoring.metrics import counted
from monitoring.scores import CELLS


class HoldoutDay(Record):
    """The labelled rows of one UTC day: rows by score cell and label, shape (1000, 2)."""

    date: dt.date
    counts: Counts


class Holdout(Record):
    """Rows that a model was not fitted on, as it scored them at its training.

    Its training rows would not do: of those a model is surer than of any other. `calibration` is None where the rows
    are too few, or of one label.
    """

    days: tuple[HoldoutDay, ...]
    calibration: Calibration | None

    @property
    def rows(self) -> int:
        """Rows of all days."""
        return sum(int(day.counts.array.sum()) for day in self.days)


def holdout_of(dates: Sequence[dt.date], labels: ArrayLike, scores: NDArray[np.float64]) -> Holdout:
    """The record of rows with these days, labels and scores; errors as in `metrics.counted`."""
    label = np.asarray(labels)
    day_of = np.array(dates, dtype="datetime64[D]")
    days = tuple(
        HoldoutDay(date=day.item(), counts=Counts(counted(label[day_of == day], scores[day_of == day])))
        for day in np.unique(day_of)
    )
    total = sum((day.counts.array for day in days), np.zeros((CELLS, 2), np.int64))
    return Holdout(days=days, calibration=fit_calibration(total))
