"""Judge the model in service by the labels that have arrived, from the counts of a few days."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection

import numpy as np

from core.config import ModelConfig
from core.records import Record
from monitoring.counting import Window
from monitoring.tasks import task_of


class DayScore(Record):
    """The metric on the labels of one day; None where it is undefined."""

    date: dt.date
    value: float | None
    labels: int


class PerformanceReport(Record):
    """The metric on the days `start` <= day < `end`, without those left out as broken.

    `rows`: rows scored by the model in service. `labels`: those whose label is known. `coverage`: labels / rows.
    `positives`: labels that are 1, of a binary model. `low`, `high`: bounds, each one-sided at the confidence of the
    config. `limit`: the larger of `floor` and `reference` - max_drop. `others`: all metrics that are defined.
    """

    metric: str
    start: dt.date
    end: dt.date
    rows: int
    labels: int
    coverage: float | None
    positives: int | None
    value: float | None
    low: float | None
    high: float | None
    floor: float
    reference: float | None
    limit: float
    days: tuple[DayScore, ...]
    others: dict[str, float]


def performance_report(
    window: Window, config: ModelConfig, reference: float | None, leave_out: Collection[dt.date]
) -> PerformanceReport:
    """Judge the `window_days` days that end `maturity_days` before the night, but those in `leave_out`.

    Args:
        window: tallies of the model in service.
        config: task, metric, limits and seed.
        reference: the best holdout score among promoted versions; None: only the floor counts.
        leave_out: days whose data is broken.
    """
    trigger, task = config.triggers.performance, task_of(config)
    end = window.as_of.date() - dt.timedelta(days=config.training.maturity_days)
    days = [day for day in window.last(trigger.window_days, end) if day.date not in leave_out]
    scores = sum((day.scores.array for day in days), np.zeros(task.shape, np.int64))
    known, rows = scores[:, :-1], task.rows(scores)
    labels = task.rows(known)
    values = {name: float(task.evaluate(name, known)) for name in task.metrics}
    low, high = task.interval(trigger.metric, known, trigger.confidence, config.training.seed)
    return PerformanceReport(
        metric=trigger.metric,
        start=end - dt.timedelta(days=trigger.window_days),
        end=end,
        rows=rows,
        labels=labels,
        coverage=labels / rows if rows else None,
        positives=task.positives(known),
        value=_defined(values[trigger.metric]),
        low=_defined(low),
        high=_defined(high),
        floor=trigger.floor,
        reference=reference,
        limit=limit(trigger.floor, reference, trigger.max_drop),
        days=tuple(
            DayScore(
                date=day.date,
                value=_defined(float(task.evaluate(trigger.metric, day.scores.array[:, :-1]))),
                labels=task.rows(day.scores.array[:, :-1]),
            )
            for day in days
        ),
        others={name: value for name, value in values.items() if not math.isnan(value)},
    )


def limit(floor: float, reference: float | None, max_drop: float) -> float:
    """Under which score a model has to be retrained."""
    return floor if reference is None else max(floor, reference - max_drop)


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value
