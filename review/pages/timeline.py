"""Draw a model's life from its event log: the score night by night, and what happened to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from core.days import SECONDS_A_DAY
from review.text import MOVES, WIDEST, Scale, kind, scale, told

if TYPE_CHECKING:
    from registry import Event

GAP = dt.timedelta(days=4)
NEAR = 6.0


@dataclass(frozen=True)
class Mark:
    """Something that happened: where, what, and a label where there is room for one."""

    x: float
    kind: str
    label: str
    title: str


@dataclass(frozen=True)
class Timeline:
    """The picture: lines of a metric as SVG points in percent, marks, and both axes."""

    metric: str
    score: tuple[str, ...]
    limit: tuple[str, ...]
    marks: tuple[Mark, ...]
    y: Scale
    months: tuple[tuple[float, str], ...]
    first: dt.datetime
    last: dt.datetime
    lowest: float
    latest: float


def timeline(events: Sequence[Event], metric: str = "score") -> Timeline | None:
    """The picture of the events, or None where no night has a score of the metric yet."""
    nights = [event for event in events if event.kind == "decision" and "performance" in event.metrics]
    if len(nights) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    moments = [event.timestamp for event in events]
    first, last = min(moments), max(moments)
    x = Scale(first.timestamp() - SECONDS_A_DAY, last.timestamp() + SECONDS_A_DAY)
    values = [event.metrics["performance"] for event in nights]
    limits = [event for event in nights if "performance_limit" in event.metrics]
    y = scale([*values, *(event.metrics["performance_limit"] for event in limits)], least=0.05, metric=metric)
    return Timeline(
        metric=metric,
        score=tuple(_line(run, "performance", x, y) for run in _runs(nights)),
        limit=tuple(_line(run, "performance_limit", x, y) for run in _runs(limits)),
        marks=tuple(_marks(events, x)),
        y=y,
        months=tuple(months(first, last, x)),
        first=first,
        last=last,
        lowest=min(values),
        latest=values[-1],
    )


def _runs(nights: Sequence[Event]) -> list[list[Event]]:
    """Nights in runs without a gap: where nothing could be judged, the line is broken."""
    runs = [[nights[0]]] if nights else []
    for before, night in pairwise(nights):
        if night.timestamp - before.timestamp > GAP:
            runs.append([])
        runs[-1].append(night)
    return runs


def _line(run: Sequence[Event], metric: str, x: Scale, y: Scale) -> str:
    points = [(x.at(event.timestamp.timestamp()), WIDEST - y.at(event.metrics[metric])) for event in run]
    if metric == "performance_limit":  # a limit jumps
        points = [
            point for (_, old), (left, top) in pairwise([points[0], *points]) for point in ((left, old), (left, top))
        ]
    return " ".join(f"{left:g},{top:.2f}" for left, top in points)


def _marks(events: Sequence[Event], x: Scale) -> list[Mark]:
    marks: list[Mark] = []
    labelled = -NEAR
    for event in events:
        mark = kind(event)
        if mark is None:
            continue
        place = x.at(event.timestamp.timestamp())
        label = f"v{event.version}" if mark in MOVES and place - labelled >= NEAR else ""
        labelled = place if label else labelled
        marks.append(Mark(place, mark, label, told(event)))
    return marks


def months(first: dt.datetime, last: dt.datetime, x: Scale) -> list[tuple[float, str]]:
    """Month starts with their names; every second or third where there are many."""
    starts = []
    month = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month <= last:
        starts.append(month)
        month = (month + dt.timedelta(days=32)).replace(day=1)
    step = 1 + (len(starts) - 1) // 12
    shown = [(x.at(start.timestamp()), f"{start:%b}") for start in starts[::step] if start >= first]
    return [(place, name) for place, name in shown if 2 <= place <= WIDEST - 2]  # noqa: PLR2004 - a label must not stick out


def history(events: Sequence[Event], most: int = 12) -> list[tuple[str, Event]]:
    """What happened last besides quiet nights, newest first, each with the kind of its mark."""
    found = [(mark, event) for event in events if (mark := kind(event)) is not None and mark != "training"]
    return found[-most:][::-1]
