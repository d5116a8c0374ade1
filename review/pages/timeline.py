"""Score over time as SVG: the lines of score and limit, and marks for what happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from core.days import SECONDS_A_DAY
from review.text import WIDEST, Scale, event_text, score_series

if TYPE_CHECKING:
    from registry import Event

GAP = dt.timedelta(days=4)
NEAR = 6.0


@dataclass(frozen=True)
class Mark:
    """Something that happened: its place, its kind, a label if there is room for one, and its text."""

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
    """Return the picture of the events; None if fewer than two nights have a score."""
    series = score_series.score_series(events, metric=metric)
    if series is None:
        return None
    moments = [event.timestamp for event in events]
    first, last = min(moments), max(moments)
    x, y = Scale(first.timestamp() - SECONDS_A_DAY, last.timestamp() + SECONDS_A_DAY), series.scale
    limits = [[(point.when, point.limit or 0.0) for point in run] for run in score_series.runs(series.limited, GAP)]
    scores = [[(point.when, point.value) for point in run] for run in score_series.runs(series.points, GAP)]
    return Timeline(
        metric=metric,
        score=tuple(_line(_places(run, x, y)) for run in scores),
        limit=tuple(_line(_steps(_places(run, x, y))) for run in limits),
        marks=tuple(_marks(events, x)),
        y=y,
        months=tuple(months(first, last, x)),
        first=first,
        last=last,
        lowest=series.lowest,
        latest=series.latest.value,
    )


def _places(run: Sequence[tuple[dt.datetime, float]], x: Scale, y: Scale) -> list[tuple[float, float]]:
    return [(x.at(when.timestamp()), WIDEST - y.at(value)) for when, value in run]


def _steps(places: Sequence[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    """Yield the points of a stair, because a limit jumps."""
    for (_, old), (left, top) in pairwise([places[0], *places]):
        yield from ((left, old), (left, top))


def _line(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{left:g},{top:.2f}" for left, top in places)


def _marks(events: Sequence[Event], x: Scale) -> list[Mark]:
    marks: list[Mark] = []
    labelled = -NEAR
    for event in events:
        kind = event_text.mark(event)
        if kind is None:
            continue
        place = x.at(event.timestamp.timestamp())
        label = f"v{event.version}" if kind in event_text.MOVES and place - labelled >= NEAR else ""
        labelled = place if label else labelled
        marks.append(Mark(place, kind, label, event_text.dated(event)))
    return marks


def months(first: dt.datetime, last: dt.datetime, x: Scale) -> list[tuple[float, str]]:
    """Return month starts with their names; every second or third if there are many."""
    starts = []
    month = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month <= last:
        starts.append(month)
        month = (month + dt.timedelta(days=32)).replace(day=1)
    step = 1 + (len(starts) - 1) // 12
    shown = [(x.at(start.timestamp()), f"{start:%b}") for start in starts[::step] if start >= first]
    return [(place, name) for place, name in shown if 2 <= place <= WIDEST - 2]  # noqa: PLR2004 - a label must not stick out


def history(events: Sequence[Event], most: int = 12) -> list[tuple[str, Event]]:
    """Return the last events that a picture marks, without trainings, newest first, each with the kind of its mark."""
    marked = [(kind, event) for event in events if (kind := event_text.mark(event)) not in {None, "training"} and kind]
    return marked[-most:][::-1]
