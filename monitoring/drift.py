"""Compare a window with the baseline, column by column, and say which ones drifted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from core.config import DriftTrigger
from core.records import Record
from monitoring.axis import Axis, NumericAxis
from monitoring.comparison import Comparison, Side, compare_categorical, compare_numeric, grouped, numeric_nights, side
from monitoring.distances import stability_index
from monitoring.nights import Nights
from monitoring.significance import FEWEST_DAYS, Significance, significance
from monitoring.tally import Baseline, DayTally
from monitoring.window import Window


class Bar(Record):
    """A group of values for a picture: its share of the baseline's and of the window's rows that have a value."""

    label: str
    baseline: float
    window: float


class ColumnDrift(Record):
    """One column on one night.

    `effect`: distance of Kolmogorov and Smirnov, or total variation. `p_value`: adjusted; None where not tested. `own`:
    the largest such distance of a run of as many days inside the baseline from the rest of it, scaled to the sizes of
    this comparison; None where not used. `rows`: rows of the window that have a value. Shares of nulls are of all rows.
    `bars`: for the last night only.
    """

    column: str
    type: Literal["numeric", "categorical"]
    effect: float
    psi: float
    p_value: float | None
    drifted: bool
    ignored: bool
    own: float | None
    null_baseline: float
    null_window: float
    rows: int
    note: str
    bars: tuple[Bar, ...]


class DriftNight(Record):
    """The window that ends before `end`. No columns where it has too few rows to judge."""

    end: dt.date
    rows: int
    drifted: tuple[str, ...]
    columns: tuple[ColumnDrift, ...]


class DriftReport(Record):
    """The last nights, oldest first. `adjusted` is False where p-values take rows as independent of their day."""

    nights: tuple[DriftNight, ...]
    fired_nights: int
    adjusted: bool


@dataclass(frozen=True)
class _Column:
    """A column of the baseline: what stays the same from night to night. `nights` is None for a categorical column."""

    name: str
    axis: Axis
    before: Side
    nights: Nights | None

    @classmethod
    def of(cls, baseline: Baseline, name: str) -> _Column:
        axis = baseline.axes[name]
        before = side(axis, name, baseline.days)
        numeric = isinstance(axis, NumericAxis) and len(before.rows)
        return cls(name, axis, before, numeric_nights(before) if numeric else None)

    def compare(self, after: Side) -> Comparison | None:
        """None where a side has no values."""
        if not len(self.before.rows) or not len(after.rows):
            return None
        if self.nights is None:
            return compare_categorical(self.before, after)
        return compare_numeric(self.before, after, self.nights)


def drift_report(
    baseline: Baseline, window: Window, config: DriftTrigger, leave_out: Collection[dt.date]
) -> DriftReport:
    """Judge each of the last `config.nights[1]` nights from its `config.window_days` days but those in `leave_out`.

    Columns of `config.ignore` are measured but not tested, and play no part in judging the others.

    Raises:
        RecordError: the window was counted into other cells than those of this baseline.
    """
    columns = [_Column.of(baseline, name) for name in baseline.axes]
    nights = []
    for ago in reversed(range(config.nights[1])):
        end = window.end - dt.timedelta(days=ago)
        days = [day for day in window.last(config.window_days, end) if day.date not in leave_out and day.rows]
        nights.append(_night(columns, days, end, config, tonight=ago == 0))
    fired = sum(len(night.drifted) >= config.min_columns for night in nights)
    known = sum(day.rows > 0 for day in baseline.days)
    return DriftReport(
        nights=tuple(nights), fired_nights=fired, adjusted=config.rule == "nights" and known >= FEWEST_DAYS
    )


def _night(
    columns: Sequence[_Column], days: Sequence[DayTally], end: dt.date, config: DriftTrigger, *, tonight: bool
) -> DriftNight:
    rows = sum(day.rows for day in days)
    if rows < config.min_rows:
        return DriftNight(end=end, rows=rows, drifted=(), columns=())
    sides = {column.name: side(column.axis, column.name, days) for column in columns}
    compared = {column.name: column.compare(sides[column.name]) for column in columns}
    tested = {name: pair for name, pair in compared.items() if pair is not None and name not in config.ignore}
    verdicts = significance(tested, len(days), config)
    found = tuple(
        _column(column, sides[column.name], compared[column.name], verdicts.get(column.name), config, tonight=tonight)
        for column in columns
    )
    drifted = tuple(column.column for column in found if column.drifted)
    return DriftNight(end=end, rows=rows, drifted=drifted, columns=found)


def _column(
    column: _Column,
    after: Side,
    pair: Comparison | None,
    verdict: Significance | None,
    config: DriftTrigger,
    *,
    tonight: bool,
) -> ColumnDrift:
    bars, psi = _bars(column, after) if pair else ((), 0.0)
    empty = "the baseline" if not len(column.before.rows) else "the window"
    why = f"{empty} has no values" if pair is None else "ignored by triggers.drift.ignore"
    return ColumnDrift(
        column=column.name,
        type=column.axis.type,
        effect=pair.effect if pair else 0.0,
        psi=psi,
        p_value=verdict.p_value if verdict else None,
        drifted=verdict is not None and verdict.drifted,
        ignored=column.name in config.ignore,
        own=verdict.own if verdict else None,
        null_baseline=column.before.null_share,
        null_window=after.null_share,
        rows=int(after.rows.sum()),
        note=verdict.note if verdict else f"not tested: {why}",
        bars=bars if tonight else (),
    )


def _bars(column: _Column, after: Side) -> tuple[tuple[Bar, ...], float]:
    """The groups of the baseline with their shares, and the population stability index over them."""
    names, old, new = grouped(column.axis, column.before, after)
    shares = zip(names, old.tolist(), new.tolist(), strict=True)
    bars = tuple(Bar(label=name, baseline=b, window=w) for name, b, w in shares if b or w)
    return bars, stability_index(old, new)
