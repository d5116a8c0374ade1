"""Scores of a model on its holdout: their distribution without drift, and their calibration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from core.records import Record
from monitoring.counting.counts import Counts
from monitoring.tasks import Calibration, Task


class HoldoutDay(Record):
    """The labelled rows of one UTC day, as counts of the task."""

    date: dt.date
    counts: Counts


class Holdout(Record):
    """Rows that a model was not fitted on, as it scored them at its training.

    Training rows are unsuitable, because a model is overconfident on rows it was fitted on. `calibration` is None if
    there are too few rows or labels of one kind, or the task has no probabilities.
    """

    days: tuple[HoldoutDay, ...]
    calibration: Calibration | None

    def rows(self, task: Task) -> int:
        """Return the rows of all days."""
        return sum(task.rows(day.counts.array) for day in self.days)


def holdout_of(dates: Sequence[dt.date], labels: ArrayLike, scores: ArrayLike, task: Task) -> Holdout:
    """Return the record of rows with these days, labels and scores; errors as in `Task.counted`."""
    label, score = np.asarray(labels), np.asarray(scores)
    day_of = np.array(dates, dtype="datetime64[D]")
    days = tuple(
        HoldoutDay(date=day.item(), counts=Counts(task.counted(label[day_of == day], score[day_of == day])))
        for day in np.unique(day_of)
    )
    return Holdout(days=days, calibration=task.calibrate([day.counts.array for day in days]))
