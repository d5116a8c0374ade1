"""Score of the model in service on the labels that have arrived, from the counts of a few days."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Sequence
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.config import ModelConfig
from core.records import Record
from monitoring.counting import DayTally, Holdout, Window
from monitoring.performance.persistence import required_confidence
from monitoring.performance.reference import PromotedScore, alarm_limit, reference_score
from monitoring.tasks import DaySpread, Task, day_bounds, day_spread, task_of


class DayScore(Record):
    """The metric on the labels of one day; None where it is undefined."""

    date: dt.date
    value: float | None
    labels: int


class Look(Record):
    """The metric on the last `days` days of mature labels.

    `low`, `high`: bounds, each one-sided at `confidence`, which is what this look needs to fire. `error`: standard
    error by day, never smaller than the one by rows. `design_effect`: variance by days over variance by rows, with
    `freedom` degrees of freedom from all days; `adjusted` is False if there are too few of them, so that the bounds
    take rows as independent. `missing`: why there are no bounds.
    """

    days: int
    labels: int
    value: float | None
    low: float | None
    high: float | None
    confidence: float
    error: float | None
    design_effect: float
    freedom: float
    adjusted: bool
    missing: Literal["undefined", "few_positives", "few_labels"] | None
    fired: bool


class PerformanceReport(Record):
    """The metric on the days `start` <= day < `end`, without those left out as broken.

    Of `looks` it describes the shortest one that fired, else the shortest one that can be judged, else the longest.
    `rows`: rows scored by the model in service. `labels`: those whose label is known. `coverage`: labels / rows.
    `positives`: labels that are 1, of a binary model. `low`, `high`: bounds, each one-sided at `confidence`. `limit`:
    the larger of `floor` and `reference` - max_drop. `others`: all metrics that are defined. Reports of earlier
    releases have no `looks`.
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
    reference_error: float | None = None
    confidence: float | None = None
    looks: tuple[Look, ...] = ()

    @property
    def decisive(self) -> Look | None:
        """The look that this report describes; None in reports of earlier releases."""
        days = (self.end - self.start).days
        return next((look for look in self.looks if look.days == days), None)


def performance_report(
    window: Window,
    config: ModelConfig,
    promoted: Sequence[PromotedScore],
    leave_out: Collection[dt.date],
    holdout: Holdout | None = None,
) -> PerformanceReport:
    """Return the score on the days that end `maturity_days` before the nightly run, but those in `leave_out`.

    Args:
        window: tallies of the model in service.
        config: task, metric, limits and seed.
        promoted: holdout scores of the promoted versions, oldest first; empty: only the floor counts.
        leave_out: days whose data is broken.
        holdout: of the model in service. Shows how its days vary if `promoted` does not.
    """
    trigger, task = config.triggers.performance, task_of(config)
    end = window.as_of.date() - dt.timedelta(days=config.training.maturity_days)
    reference = reference_score(promoted)
    limit = alarm_limit(trigger.floor, reference.value if reference else None, trigger.max_drop)
    lengths = trigger.look_days
    days = [day for day in window.last(lengths[-1], end) if day.date not in leave_out]
    learned = _learned(task, trigger.metric, promoted, holdout, window.version)
    looks = tuple(_look(task, config, days, end, length, limit, learned) for length in lengths)
    shown = _decisive(looks)
    start = end - dt.timedelta(days=shown.days)
    days = [day for day in days if day.date >= start]
    scores = sum((day.scores.array for day in days), np.zeros(task.shape, np.int64))
    labelled, rows = scores[:, :-1], task.rows(scores)
    values = {name: float(task.evaluate(name, labelled)) for name in task.metrics}
    return PerformanceReport(
        metric=trigger.metric,
        start=start,
        end=end,
        rows=rows,
        labels=shown.labels,
        coverage=shown.labels / rows if rows else None,
        positives=task.positives(labelled),
        value=shown.value,
        low=shown.low,
        high=shown.high,
        floor=trigger.floor,
        reference=reference.value if reference else None,
        reference_error=reference.error if reference else None,
        limit=limit,
        confidence=shown.confidence,
        looks=looks,
        days=tuple(_day_score(task, trigger.metric, day) for day in days),
        others={name: value for name, value in values.items() if not math.isnan(value)},
    )


def _learned(
    task: Task, metric: str, promoted: Sequence[PromotedScore], holdout: Holdout | None, version: int | None
) -> list[DaySpread]:
    """Return how days vary, as promoted holdouts show it; and the holdout of the model in service, if it does not."""
    spreads = {score.version: score.spread for score in promoted if score.spread is not None}
    if holdout is not None and holdout.days and version is not None and version not in spreads:
        spreads[version] = day_spread(task, metric, np.stack([day.counts.array for day in holdout.days]))
    return list(spreads.values())


def _look(
    task: Task,
    config: ModelConfig,
    days: Sequence[DayTally],
    end: dt.date,
    length: int,
    limit: float,
    learned: Sequence[DaySpread],
) -> Look:
    """Return the look at the last `length` of these days; the days before it show how days vary, as `learned` does."""
    trigger, start = config.triggers.performance, end - dt.timedelta(days=length)
    counts = _labelled(task, [day for day in days if day.date >= start])
    earlier = day_spread(task, trigger.metric, _labelled(task, [day for day in days if day.date < start]))
    bounds = day_bounds(
        task,
        trigger.metric,
        counts,
        partial(required_confidence, max_drop=trigger.max_drop, confidence=trigger.confidence),
        config.training.seed,
        [*learned, earlier],
        min_positives=trigger.min_positives,
    )
    labels = sum(task.rows(day) for day in counts)
    missing = "few_labels" if labels < trigger.min_labels else bounds.missing
    return Look(
        days=length,
        labels=labels,
        value=_defined(bounds.value),
        low=_defined(bounds.low),
        high=_defined(bounds.high),
        confidence=bounds.confidence,
        error=_defined(bounds.error),
        design_effect=bounds.design_effect,
        freedom=bounds.freedom,
        adjusted=bounds.adjusted,
        missing=missing,
        fired=missing is None and bounds.high < limit,
    )


def _labelled(task: Task, days: Sequence[DayTally]) -> NDArray[np.int64]:
    """Return labelled counts by day."""
    none = np.zeros((0, *task.shape), np.int64)
    return np.concatenate([none, *(day.scores.array[None] for day in days)])[:, :, :-1]


def _decisive(looks: Sequence[Look]) -> Look:
    """Return the shortest look that fired, else the shortest one that can be judged, else the longest."""
    usable = [look for look in looks if look.missing is None]
    return next((look for look in usable if look.fired), usable[0] if usable else looks[-1])


def _day_score(task: Task, metric: str, day: DayTally) -> DayScore:
    labelled = day.scores.array[:, :-1]
    return DayScore(date=day.date, value=_defined(float(task.evaluate(metric, labelled))), labels=task.rows(labelled))


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value
