"""Turn numbers into positions in percent, so that the report can draw them at any width without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.wording import is_error

if TYPE_CHECKING:
    from monitoring.drift import ColumnDrift
    from training.gates import Comparison, SliceScore, Verdict

PAD = 0.08
WIDEST = 100.0
SHORT, ROOM = 7, 49  # characters of a label that is no wide one, and of all labels side by side on a phone


@dataclass(frozen=True)
class Scale:
    """A straight axis. Positions are percents of its length, rounded so that equal records give equal bytes."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Where a value stands; values outside stand at the end."""
        share = (value - self.low) / (self.high - self.low)
        return round(WIDEST * min(max(share, 0.0), 1.0), 2)

    def span(self, low: float, high: float) -> tuple[float, float]:
        """Start and length of a stretch."""
        start = self.at(low)
        return start, round(max(self.at(high) - start, 0.0), 2)

    @property
    def ticks(self) -> tuple[float, ...]:
        """Three to seven round values."""
        step = self._step
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return tuple(round(i * step, 10) for i in range(first, last + 1))

    @property
    def digits(self) -> int:
        """How many digits after the point tell two ticks apart: of steps under 1 at least two."""
        return max(2, -math.floor(math.log10(self._step) + 1e-9)) if self._step < 1 else 0

    @property
    def _step(self) -> float:
        rough = (self.high - self.low) / 6
        power = 10.0 ** math.floor(math.log10(rough))
        return next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)

    def inner(self) -> tuple[float, ...]:
        """The ticks whose labels do not stick out at an end, and of these as many as there is room for."""
        longest = max(len(f"{tick:,.{self.digits}f}") for tick in self.ticks)
        margin = longest if longest > SHORT else 4.0
        found = tuple(tick for tick in self.ticks if margin <= self.at(tick) <= WIDEST - margin)
        return found[:: math.ceil(len(found) / max(ROOM // longest, 1)) or 1]


def scale(values: Iterable[float | None], *, least: float = 0.02, metric: str = "") -> Scale:
    """An axis that holds all values with some room on both sides; at least `least` long.

    Of an error, whose unit may be any, `least` is a share of the largest value.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if is_error(metric):
        least *= max(-low, high) or 1.0
    room = max(PAD * (high - low), (least - (high - low)) / 2)
    return Scale(low - room, high + room)


def difference_scale(made: Comparison) -> Scale:
    """The axis of the difference: no difference, what is allowed, and the interval are all on it."""
    values = [0.0, -1.8 * made.margin, made.margin, made.low, made.high, made.difference]
    return scale(values, metric=made.metric)


@dataclass(frozen=True)
class Row:
    """One line of a picture of intervals: a value of a metric with its interval, and what it is held against."""

    name: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    champion: float | None = None
    floor: float | None = None
    rows: int | None = None

    @property
    def is_error(self) -> bool:
        """Whether it is in the unit of the label, and so may be of any size."""
        return is_error(self.metric)


def metric_rows(verdict: Verdict) -> list[Row]:
    """A line for each score of the challenger, with the champion's and the floor where there are any."""
    made = verdict.comparison
    floors = {gate.name: gate.limit for gate in verdict.gates}
    return [
        Row(
            name=score.metric,
            metric=score.metric,
            value=score.value,
            low=score.low,
            high=score.high,
            champion=made.champion_value if made is not None and made.metric == score.metric else None,
            floor=floors.get(score.metric),
        )
        for score in verdict.scores
    ]


def slice_rows(slices: Sequence[SliceScore], metric: str) -> list[Row]:
    """A line a slice, in the order given, of the metric that all are judged in."""
    return [
        Row(f"{s.column} = {s.value}", metric, s.challenger, None, None, champion=s.champion, rows=s.rows)
        for s in slices
    ]


def rows_scale(rows: Sequence[Row]) -> Scale:
    """The axis that all lines share."""
    values = [v for row in rows for v in (row.value, row.low, row.high, row.champion, row.floor)]
    return scale(values, least=0.1, metric=rows[0].metric if rows else "")


def by_unit(rows: Iterable[Row]) -> list[list[Row]]:
    """The lines that can share an axis: errors have a unit, all else has none."""
    found: dict[bool, list[Row]] = {}
    for row in rows:
        found.setdefault(row.is_error, []).append(row)
    return list(found.values())


@dataclass(frozen=True)
class Stave:
    """A bar of a column's picture: its left end, and the tops of the baseline's and the window's bar, in percent."""

    left: float
    width: float
    baseline: float
    window: float
    label: str


def staves(column: ColumnDrift) -> list[Stave]:
    """The bars of a column, the highest filling the picture."""
    most = max((max(bar.baseline, bar.window) for bar in column.bars), default=0.0) or 1.0
    width = WIDEST / max(len(column.bars), 1)
    return [
        Stave(
            left=round(i * width, 2),
            width=round(width, 2),
            baseline=round(WIDEST * bar.baseline / most, 2),
            window=round(WIDEST * bar.window / most, 2),
            label=f"{bar.label}: {bar.baseline:.1%} before, {bar.window:.1%} now",
        )
        for i, bar in enumerate(column.bars)
    ]


def most_changed(column: ColumnDrift) -> str:
    """The bar that moved most, as words."""
    if not column.bars:
        return ""
    bar = max(column.bars, key=lambda item: abs(item.window - item.baseline))
    return f"{bar.label}: {bar.baseline:.1%} \u2192 {bar.window:.1%}"
