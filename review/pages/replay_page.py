"""Draw a replay: the metric week by week under each policy, and what each of them did, as one page of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from core.days import SECONDS_A_DAY
from review.pages import timeline
from review.pages.report import FORMATS
from review.pages.template import template
from review.text import WIDEST, Scale, markdown, scale, verdict_text

if TYPE_CHECKING:
    from core.config import ModelConfig
    from core.replay_result import NightSummary, PolicyResult


GAP = dt.timedelta(days=1)


class PlayedPolicy(Protocol):
    """All nights of one policy, as the replay tells them."""

    policy: str

    @property
    def config(self) -> ModelConfig:
        """The model's own, whose metric and floor all policies are measured by."""

    @property
    def nights(self) -> Sequence[NightSummary]:
        """The nights in order."""

    @property
    def began(self) -> int:
        """The place of the night on which the first model went into service; past the end where none did."""

    def result(self, truth: dt.date | None) -> PolicyResult:
        """The figures."""


@dataclass(frozen=True)
class ReplayMark:
    """Something that happened: where, what, and in words."""

    x: float
    kind: str
    title: str


@dataclass(frozen=True)
class ReplayRow:
    """One policy in the picture: its lines, its alarms (from, width), its marks and its figures."""

    policy: str
    lines: tuple[str, ...]
    alarms: tuple[tuple[float, float], ...]
    marks: tuple[ReplayMark, ...]
    result: PolicyResult


@dataclass(frozen=True)
class Picture:
    """All of it: rows, axes, the floor, and the night of a known change."""

    metric: str
    rows: tuple[ReplayRow, ...]
    y: Scale
    months: tuple[tuple[float, str], ...]
    floor: float
    truth: float | None
    first: dt.date
    last: dt.date


def render_replay(name: str, tales: Sequence[PlayedPolicy], truth: dt.date | None) -> str:
    """The page: no script, nothing loaded, light and dark, phone and desktop.

    Args:
        name: the model's folder name.
        tales: one a policy, of the same nights.
        truth: the day that a known change began.
    """
    page = template("replay.html.jinja", **FORMATS)
    return str(page.render(name=name, words=verdict_text, made=picture(tales, truth), truth=truth))


def picture(tales: Sequence[PlayedPolicy], truth: dt.date | None) -> Picture:
    """Where everything stands."""
    config, nights = tales[0].config, tales[0].nights
    first, last = _noon(nights[0].date), _noon(nights[-1].date)
    x = Scale(first.timestamp() - SECONDS_A_DAY, last.timestamp() + SECONDS_A_DAY)
    floor = config.triggers.performance.floor
    metric = config.triggers.performance.metric
    y = scale([floor, *(night.week for tale in tales for night in tale.nights)], least=0.05, metric=metric)
    rows = tuple(
        ReplayRow(
            policy=tale.policy,
            lines=tuple(_lines(tale.nights, x, y)),
            alarms=tuple(_alarms(tale.nights, x)),
            marks=tuple(_marks(tale, x)),
            result=tale.result(truth),
        )
        for tale in tales
    )
    return Picture(
        metric=metric,
        rows=rows,
        y=y,
        months=tuple(timeline.months(first, last, x)),
        floor=floor,
        truth=None if truth is None else x.at(_noon(truth).timestamp()),
        first=nights[0].date,
        last=nights[-1].date,
    )


def _noon(date: dt.date) -> dt.datetime:
    """Where a night stands on the axis."""
    return dt.datetime.combine(date, dt.time(12), dt.UTC)


def _lines(nights: Sequence[NightSummary], x: Scale, y: Scale) -> list[str]:
    """The metric as SVG points in percent; broken where it is not known."""
    runs: list[list[str]] = [[]]
    for night in nights:
        if night.week is None:
            runs.append([])
        else:
            runs[-1].append(f"{x.at(_noon(night.date).timestamp()):g},{WIDEST - y.at(night.week):.2f}")
    return [" ".join(run) for run in runs if len(run) > 1]


def _alarms(nights: Sequence[NightSummary], x: Scale) -> list[tuple[float, float]]:
    """Runs of nights on which a trigger fired."""
    dates = [night.date for night in nights if night.fired]
    starts = [date for before, date in pairwise([dt.date.min, *dates]) if date - before > GAP]
    ends = [date for date, after in pairwise([*dates, dt.date.max]) if after - date > GAP]
    half = SECONDS_A_DAY / 2
    spans = zip(starts, ends, strict=True)
    return [x.span(_noon(start).timestamp() - half, _noon(end).timestamp() + half) for start, end in spans]


def _marks(tale: PlayedPolicy, x: Scale) -> list[ReplayMark]:
    """Trainings that went into service or were refused, one that still waits at the end, and nights that failed."""
    marks = []
    moved = max((night.date for night in tale.nights if night.promoted is not None), default=dt.date.min)
    for night in tale.nights:
        told = []
        if night.refused:
            told.append(("refusal", f"refused: {_short(night.why)}"))
        if night.promoted is not None:
            told.append(("promotion", f"version {night.promoted} into service"))
        elif night.retrained and not night.refused and night.date > moved:
            told.append(("training", f"proposed: {_short(night.why)}"))
        if night.failed or night.stopped:
            told.append(("failure", _short(night.why)))
        marks += [ReplayMark(x.at(_noon(night.date).timestamp()), kind, f"{night.date}: {text}") for kind, text in told]
    return marks


def _short(text: str) -> str:
    return markdown.clean(text, 200)
