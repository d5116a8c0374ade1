"""Score and drift over time, from the event log: the series that Mermaid charts and SVG pictures draw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from review.text.scales import Scale, scale

if TYPE_CHECKING:
    from registry import Event

LARGEST = 1e10  # errors reach twice the largest label
FEWEST = 2  # a line has two ends


@dataclass(frozen=True)
class ScorePoint:
    """What was measured at an instant, and the limit of the trigger, if there was one."""

    when: dt.datetime
    value: float
    limit: float | None

    @property
    def day(self) -> dt.date:
        """Return the day of the nightly run."""
        return self.when.date()


@dataclass(frozen=True)
class ScoreSeries:
    """At least two points in order of time; `metric` tells the unit."""

    metric: str
    points: tuple[ScorePoint, ...]

    @property
    def scale(self) -> Scale:
        """Return the axis that holds all values and limits."""
        values = [value for point in self.points for value in (point.value, point.limit)]
        return scale(values, least=0.05, metric=self.metric)

    @property
    def lowest(self) -> float:
        """Return the lowest value."""
        return min(point.value for point in self.points)

    @property
    def latest(self) -> ScorePoint:
        """Return the last point."""
        return self.points[-1]

    @property
    def limited(self) -> tuple[ScorePoint, ...]:
        """Return the points with a limit."""
        return tuple(point for point in self.points if point.limit is not None)


def score_series(events: Sequence[Event], reading: str = "performance", metric: str = "") -> ScoreSeries | None:
    """Return what a trigger measured, night by night; None if fewer than two nights have a value.

    Args:
        events: the event log, oldest first.
        reading: the name of the value in the decisions.
        metric: the metric of the value; empty for one without a unit.
    """
    points = tuple(point for event in events if (point := _point(event, reading)) is not None)
    return ScoreSeries(metric, points) if len(points) >= FEWEST else None


def _point(event: Event, reading: str) -> ScorePoint | None:
    value, limit = event.metrics.get(reading), event.metrics.get(f"{reading}_limit")
    if event.kind != "decision" or value is None:
        return None
    drawable = abs(value) < LARGEST and (limit is None or abs(limit) < LARGEST)  # also False for NaN
    return ScorePoint(event.timestamp, value, limit) if drawable else None


def runs(points: Sequence[ScorePoint], gap: dt.timedelta) -> list[list[ScorePoint]]:
    """Return the points in runs, split where two points are further apart than `gap`."""
    split = [[points[0]]] if points else []
    for before, point in pairwise(points):
        if point.when - before.when > gap:
            split.append([])
        split[-1].append(point)
    return split
