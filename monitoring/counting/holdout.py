"""Keep what a model said of its holdout: how its scores lie when nothing has changed, and what they are worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from core.records import Record
from monitoring.counting.counts import Counts
from monitoring.tasks import Calibration, Task


class HoldoutDay(Record):
    """The labelled rows of one UTC day, in the known columns of the task's counts."""

    date: dt.date
    counts: Counts


class Holdout(Record):
    """Rows that a model was not fitted on, as it scored them at its training.

    Its training rows would not do: of those a model is surer than of any other. `calibration` is None where the rows
    are too few, or of one label, or the task has no chances.
    """

    days: tuple[HoldoutDay, ...]
    calibration: Calibration | None

    def rows(self, task: Task) -> int:
        """Rows of all days."""
        return sum(task.rows(day.counts.array) for day in self.days)


def holdout_of(dates: Sequence[dt.date], labels: ArrayLike, said: ArrayLike, task: Task) -> Holdout:
    """The record of rows with these days, labels and answers; errors as in `Task.counted`."""
    label, answers = np.asarray(labels), np.asarray(said)
    day_of = np.array(dates, dtype="datetime64[D]")
    days = tuple(
        HoldoutDay(date=day.item(), counts=Counts(task.counted(label[day_of == day], answers[day_of == day])))
        for day in np.unique(day_of)
    )
    total = sum((day.counts.array for day in days), np.zeros((task.shape[0], task.shape[1] - 1), np.int64))
    return Holdout(days=days, calibration=task.calibrate(total))
