"""Draw score and drift over time in Mermaid, which GitHub shows in a pull request, also in a private repository."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from review.text import MOVES, SIGNS, number, plain, scale, section, verdict_text

if TYPE_CHECKING:
    from registry import Event
    from training.gates import Verdict

MOST_POINTS = 13
LONGEST_STEP = 7
MOST_LABELS = 6
MOST_MOVES = 6
LARGEST = 1e10  # errors reach twice the largest label
FEWEST = 2  # a line has two ends
# Both colours are told apart by colour-blind readers, and stand out from the light and from the dark page. All else is
# left to the theme that GitHub chooses with the page. On a telephone Mermaid measures letters too small: a title of
# the axis would lie on its numbers, and labels need more room around them.
SETTINGS = (
    '%%{init: {"xyChart": {"width": 520, "height": 260, "xAxis": {"labelFontSize": 15, "labelPadding": 10}, '
    '"yAxis": {"labelFontSize": 15, "labelPadding": 14}}, '
    '"themeVariables": {"xyChart": {"plotColorPalette": "#2b7de1, #d9730d"}}}}%%'
)


@dataclass(frozen=True)
class Point:
    """What was measured on one night, or the worst of several that end with `day`."""

    day: dt.date
    value: float
    limit: float


@dataclass(frozen=True)
class Series:
    """The points of a chart, `step` nights apart, but for `missing` ones without a reading; `latest` is a night."""

    points: tuple[Point, ...]
    step: int
    missing: int
    latest: Point


def over_time(verdict: Verdict, events: Sequence[Event]) -> str:
    """Score and drift up to this night, each with its limit; empty where there are not two points of either.

    Args:
        verdict: what is proposed; its metric names the score.
        events: the event log, oldest first; later ones than the verdict do not count.
    """
    known = [event for event in events if event.timestamp <= verdict.as_of]
    score = series(known, "performance", lambda point: point.limit - point.value)
    moved = series(known, "drift_effect", lambda point: point.value)
    first = min((made.points[0].day for made in (score, moved) if made), default=None)
    if first is None:
        return ""
    parts = [_score(verdict, score) if score else "", _drift(moved) if moved else "", _moves(known, first)]
    return section("Score and drift over time", *parts)


def series(events: Sequence[Event], name: str, badness: Callable[[Point], float]) -> Series | None:
    """At most 13 points, a night to a week apart, each the worst of its nights, so that no alarm is smoothed away.

    None where there are fewer than two. Stretches without a reading are left out: Mermaid cannot draw a gap.
    """
    nights = {point.day: point for event in events if (point := _point(event, name))}
    if not nights:
        return None
    last, span = max(nights), (max(nights) - min(nights)).days + 1
    step = min(LONGEST_STEP, math.ceil(span / MOST_POINTS))
    groups: dict[int, list[Point]] = {}
    for day, point in sorted(nights.items()):
        groups.setdefault((last - day).days // step, []).append(point)
    shown = {ago: max(group, key=badness) for ago, group in groups.items() if ago < MOST_POINTS}
    points = [Point(last - dt.timedelta(days=ago * step), p.value, p.limit) for ago, p in shown.items()]
    if len(points) < FEWEST:
        return None
    return Series(tuple(points), step, max(shown) + 1 - len(shown), nights[last])


def _point(event: Event, name: str) -> Point | None:
    value, limit = event.metrics.get(name), event.metrics.get(f"{name}_limit")
    if event.kind != "decision" or value is None or limit is None:
        return None
    known = abs(value) < LARGEST and abs(limit) < LARGEST  # also False for NaN
    return Point(event.timestamp.date(), value, limit) if known else None


def _score(verdict: Verdict, made: Series) -> str:
    """The score of whichever model was in service, and the limit under which the trigger fires."""
    judged = verdict.candidate.decision.performance
    metric, last = judged.metric if judged else "score", made.latest
    value, limit = (verdict_text.figure(one, metric) for one in (last.value, last.limit))
    return (
        f"{_fenced(made, metric)}\n\n"
        f"Blue: {plain(verdict_text.label(metric))} of the model in service; orange: the limit of the trigger. "
        f"{_every(made)} Last on {verdict_text.moment(last.day)}: **{value}**, limit {limit}."
    )


def _drift(made: Series) -> str:
    """The largest effect among columns that drifted, against the least that counts."""
    last = made.latest
    return (
        f"{_fenced(made)}\n\n"
        f"Blue: the largest effect among the columns that drifted, 0 where none did; orange: the least that counts. "
        f"{_every(made)} Last on {verdict_text.moment(last.day)}: **{number(last.value)}**, limit {number(last.limit)}."
    )


def _every(made: Series) -> str:
    what = "each night" if made.step == 1 else f"the worst of {made.step} nights up to its day"
    return f"A point is {what}.{f' {made.missing} without a reading are left out.' if made.missing else ''}"


def _fenced(made: Series, metric: str = "") -> str:
    return f"```mermaid\n{mermaid(made.points, metric)}\n```"


def mermaid(points: Sequence[Point], metric: str) -> str:
    """The chart as Mermaid's xychart. Numbers and days only: no text from data that could break out of it."""
    values = [value for point in points for value in (point.value, point.limit)]
    y = scale(values, least=0.05, metric=metric)
    low = max(y.low, 0.0) if min(values) >= 0 else y.low
    every = math.ceil(len(points) / MOST_LABELS)
    # A label may not come twice, and each takes the room of its letters: those left out are made of nothing visible.
    # Where some are left out, so are those at both ends, which stick out.
    days = [
        f"{point.day.day} {point.day:%b}"
        if i % every == every // 2 and (i < len(points) - 1 or every == 1)
        else "\u200b" * (i + 1)
        for i, point in enumerate(points)
    ]
    lines = [[point.value for point in points], [point.limit for point in points]]
    return "\n".join(
        [
            SETTINGS,
            "xychart-beta",
            "    x-axis [{}]".format(", ".join(f'"{day}"' for day in days)),
            f"    y-axis {low:.{y.digits + 1}f} --> {y.high:.{y.digits + 1}f}",
            *("    line [{}]".format(", ".join(f"{value:.{y.digits + 2}f}" for value in line)) for line in lines),
        ]
    )


def _moves(events: Sequence[Event], first: dt.date) -> str:
    """The promotions and rollbacks in the time that is drawn: after each, the score is another model's."""
    told = [
        f"version {event.version} {SIGNS[event.kind]} on {verdict_text.moment(event.timestamp)}"
        for event in events
        if event.kind in MOVES and event.timestamp.date() >= first
    ]
    more = f"{len(told) - MOST_MOVES} earlier, " if len(told) > MOST_MOVES else ""
    return f"In this time: {more}{', '.join(told[-MOST_MOVES:])}." if told else ""
