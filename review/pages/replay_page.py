"""The page of a replay: the metric week by week under each policy, and what each policy did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from core.days import SECONDS_A_DAY
from review.pages import timeline
from review.text import WIDEST, Scale, markdown, scales, template, verdict_view

if TYPE_CHECKING:
    from core.config import ModelConfig
    from core.replay_result import NightSummary, PolicyResult


GAP = dt.timedelta(days=1)


class PlayedPolicy(Protocol):
    """All nights of one policy."""

    policy: str

    @property
    def config(self) -> ModelConfig:
        """Return the config of the model, whose metric and floor hold for all policies."""

    @property
    def nights(self) -> Sequence[NightSummary]:
        """Return the nights in order."""

    @property
    def began(self) -> int:
        """Return the index of the night that put the first model into service; past the end if none did."""

    def result(self, truth: dt.date | None) -> PolicyResult:
        """Return the figures."""


@dataclass(frozen=True)
class ReplayMark:
    """Something that happened: its place, its kind and its text."""

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
    """The whole picture: rows, axes, the floor, and the place of a known change."""

    metric: str
    rows: tuple[ReplayRow, ...]
    y: Scale
    months: tuple[tuple[float, str], ...]
    floor: float
    truth: float | None
    first: dt.date
    last: dt.date


def render_replay(name: str, policies: Sequence[PlayedPolicy], truth: dt.date | None) -> str:
    """Return the page: no script, nothing loaded, light and dark, phone and desktop.

    Args:
        name: the model's folder name.
        policies: all of the same nights.
        truth: the day that a known change began.
    """
    drawn = picture(policies, truth)
    page = template.html("review.pages", "replay.html.jinja")
    return str(page.render(name=name, picture=drawn, truth=truth, caution=verdict_view.caution(drawn.metric)))


def picture(policies: Sequence[PlayedPolicy], truth: dt.date | None) -> Picture:
    """Return the places of everything that is drawn."""
    config, nights = policies[0].config, policies[0].nights
    first, last = _noon(nights[0].date), _noon(nights[-1].date)
    x = Scale(first.timestamp() - SECONDS_A_DAY, last.timestamp() + SECONDS_A_DAY)
    floor = config.triggers.performance.floor
    metric = config.triggers.performance.metric
    y = scales.scale(
        [floor, *(night.week for policy in policies for night in policy.nights)], least=0.05, metric=metric
    )
    rows = tuple(
        ReplayRow(
            policy=policy.policy,
            lines=tuple(_lines(policy.nights, x, y)),
            alarms=tuple(_alarms(policy.nights, x)),
            marks=tuple(_marks(policy.nights, x)),
            result=policy.result(truth),
        )
        for policy in policies
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
    """Return the instant of a night on the axis."""
    return dt.datetime.combine(date, dt.time(12), dt.UTC)


def _lines(nights: Sequence[NightSummary], x: Scale, y: Scale) -> list[str]:
    """Return the metric as SVG points in percent, split where it is unknown."""
    runs: list[list[str]] = [[]]
    for night in nights:
        if night.week is None:
            runs.append([])
        else:
            runs[-1].append(f"{x.at(_noon(night.date).timestamp()):g},{WIDEST - y.at(night.week):.2f}")
    return [" ".join(run) for run in runs if len(run) > 1]


def _alarms(nights: Sequence[NightSummary], x: Scale) -> list[tuple[float, float]]:
    """Return start and width of each run of nights on which a trigger fired."""
    dates = [night.date for night in nights if night.fired]
    starts = [date for before, date in pairwise([dt.date.min, *dates]) if date - before > GAP]
    ends = [date for date, after in pairwise([*dates, dt.date.max]) if after - date > GAP]
    half = SECONDS_A_DAY / 2
    spans = zip(starts, ends, strict=True)
    return [x.span(_noon(start).timestamp() - half, _noon(end).timestamp() + half) for start, end in spans]


def _marks(nights: Sequence[NightSummary], x: Scale) -> list[ReplayMark]:
    """Return promotions, refusals, the training that still waits at the end, and nights that failed."""
    marks = []
    moved = max((night.date for night in nights if night.promoted is not None), default=dt.date.min)
    for night in nights:
        texts = []
        if night.refused:
            texts.append(("refusal", f"refused: {_short(night.why)}"))
        if night.promoted is not None:
            texts.append(("promotion", f"version {night.promoted} promoted"))
        elif night.retrained and not night.refused and night.date > moved:
            texts.append(("training", f"proposed: {_short(night.why)}"))
        if night.failed or night.stopped:
            texts.append(("failure", _short(night.why)))
        place = x.at(_noon(night.date).timestamp())
        marks += [ReplayMark(place, kind, f"{night.date}: {text}") for kind, text in texts]
    return marks


def _short(text: str) -> str:
    return markdown.clean(text, 200)
