"""Scales: numbers as positions in percent, so that pages draw at any width without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.wording import is_error

if TYPE_CHECKING:
    from monitoring.drift import ColumnDrift
    from training.gates import Comparison

PAD = 0.08
WIDEST = 100.0
SHORT, ROOM = 7, 49  # characters of a short label, and of all labels side by side on a phone


@dataclass(frozen=True)
class Scale:
    """A straight axis. Positions are percents of its length, rounded so that equal records give equal bytes."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return the place of a value; a value outside is at the end."""
        share = (value - self.low) / (self.high - self.low)
        return round(WIDEST * min(max(share, 0.0), 1.0), 2)

    def span(self, low: float, high: float) -> tuple[float, float]:
        """Return start and length of a stretch."""
        start = self.at(low)
        return start, round(max(self.at(high) - start, 0.0), 2)

    @property
    def ticks(self) -> tuple[float, ...]:
        """Return three to seven round values."""
        step = self._step
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return tuple(round(i * step, 10) for i in range(first, last + 1))

    @property
    def digits(self) -> int:
        """Return the digits after the point that tell two ticks apart; at least two if a step is under 1."""
        return max(2, -math.floor(math.log10(self._step) + 1e-9)) if self._step < 1 else 0

    @property
    def _step(self) -> float:
        rough = (self.high - self.low) / 6
        power = 10.0 ** math.floor(math.log10(rough))
        return next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)

    def inner(self) -> tuple[float, ...]:
        """Return the ticks whose labels do not stick out at an end, and of these as many as there is room for."""
        longest = max(len(f"{tick:,.{self.digits}f}") for tick in self.ticks)
        margin = longest if longest > SHORT else 4.0
        ticks = tuple(tick for tick in self.ticks if margin <= self.at(tick) <= WIDEST - margin)
        return ticks[:: math.ceil(len(ticks) / max(ROOM // longest, 1)) or 1]


def scale(values: Iterable[float | None], *, least: float = 0.02, metric: str = "") -> Scale:
    """Return an axis that holds all values with some room on both sides; at least `least` long.

    For an error, whose unit may be any, `least` is a share of the largest value.
    """
    finite = [value for value in values if value is not None and math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if is_error(metric):
        least *= max(-low, high) or 1.0
    room = max(PAD * (high - low), (least - (high - low)) / 2)
    return Scale(low - room, high + room)


def difference_scale(compared: Comparison) -> Scale:
    """Return the axis of a difference: 0, what the gate allows, and the interval are all on it."""
    margin = compared.margin
    values = [0.0, -1.8 * margin, margin, compared.low, compared.high, compared.difference]
    return scale(values, metric=compared.metric)


@dataclass(frozen=True)
class Row:
    """One line of a picture of intervals: a value of a metric with its interval, its champion and its floor."""

    name: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    champion: float | None = None
    floor: float | None = None

    @property
    def is_error(self) -> bool:
        """Return whether it is in the unit of the label, and so may be of any size."""
        return is_error(self.metric)


def rows_scale(rows: Sequence[Row]) -> Scale:
    """Return the axis that all lines share."""
    values = [v for row in rows for v in (row.value, row.low, row.high, row.champion, row.floor)]
    return scale(values, least=0.1, metric=rows[0].metric if rows else "")


@dataclass(frozen=True)
class Bars:
    """Two bars of a column's picture: their left end, and the heights of baseline and window, in percent."""

    left: float
    width: float
    baseline: float
    window: float
    label: str


def bars(column: ColumnDrift) -> list[Bars]:
    """Return the bars of a column; the highest fills the picture."""
    most = max((max(bar.baseline, bar.window) for bar in column.bars), default=0.0) or 1.0
    width = WIDEST / max(len(column.bars), 1)
    return [
        Bars(
            left=round(i * width, 2),
            width=round(width, 2),
            baseline=round(WIDEST * bar.baseline / most, 2),
            window=round(WIDEST * bar.window / most, 2),
            label=f"{bar.label}: {bar.baseline:.1%} before, {bar.window:.1%} now",
        )
        for i, bar in enumerate(column.bars)
    ]


def most_changed(column: ColumnDrift) -> str:
    """Return the bar that changed most, with both shares."""
    if not column.bars:
        return ""
    bar = max(column.bars, key=lambda item: abs(item.window - item.baseline))
    return f"{bar.label}: {bar.baseline:.1%} \u2192 {bar.window:.1%}"
