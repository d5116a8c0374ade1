"""Comparison of a column in the window with the same column in the baseline: effect, groups, input of the test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrow import Floats
from core.config import DriftTrigger
from core.days import DAY
from core.errors import RecordError
from monitoring.axes import Axis, NumericAxis
from monitoring.counting import Baseline, DayTally
from monitoring.drift.day_effects import FEWEST_DAYS, DayToDayVariation, effective_rows
from monitoring.drift.statistics import ChiSquare, Kolmogorov, Test, pool_rare

GROUPS = 10
LEVELS = 19  # and a group for all other values


@dataclass(frozen=True)
class ColumnDays:
    """One column on some days: rows by day and cell that have a value; rows by day that have one and that have none."""

    values: NDArray[np.int64]
    presence: NDArray[np.int64]

    @cached_property
    def null_share(self) -> float:
        """What share of all rows is null."""
        return float(self.presence[:, 1].sum()) / max(1, int(self.presence.sum()))

    @cached_property
    def total(self) -> Floats:
        """Rows by cell, of all days."""
        total: Floats = self.values.sum(axis=0, dtype=np.float64)
        return total

    @cached_property
    def rows(self) -> Floats:
        """Rows by day."""
        rows: Floats = self.values.sum(axis=1, dtype=np.float64)
        return rows

    @cached_property
    def shares(self) -> Floats:
        """Share of rows by cell."""
        shares: Floats = self.total / self.total.sum()
        return shares


def column_days(axis: Axis, name: str, days: Sequence[DayTally]) -> ColumnDays:
    """The column `name` on those of `days` that have a value of it, its cells in the order of the values.

    Raises:
        RecordError: the days were counted on another axis.
    """
    arrays = [day.columns[name].counts.array for day in days if name in day.columns]
    if any(counts.shape != (axis.size,) for counts in arrays):
        raise RecordError(
            f"Column {name!r} was not counted into the {axis.size} cells of this baseline.",
            why="The window was counted for another version of the model.",
            fix="Count it again: mlops pull.",
        )
    counts = np.stack(arrays) if arrays else np.zeros((0, axis.size), np.int64)
    if isinstance(axis, NumericAxis):
        below, above = counts[:, axis.below, None], counts[:, axis.above, None]
        values = np.concatenate([below, counts[:, : axis.bins], above], axis=1)
    else:
        values = counts[:, : axis.null]
    nulls, rows = counts[:, axis.null], counts.sum(axis=1)
    presence = np.stack([rows - nulls, nulls], axis=1)
    return ColumnDays(_some(values, values.any(axis=1)), _some(presence, rows > 0))


def _some(values: NDArray[np.int64], kept: Any) -> NDArray[np.int64]:
    """The entries that are kept; mostly all are, and then nothing is copied."""
    return values if kept.all() else values[kept]


@dataclass(frozen=True)
class ColumnComparison:
    """One column, window against baseline; both sides have rows.

    `nights`, `test` and `differences` belong together: the baseline's daily shares, and window minus baseline, by cell.
    """

    before: ColumnDays
    after: ColumnDays
    effect: float
    nights: DayToDayVariation
    test: Test
    differences: Floats


def numeric_nights(before: ColumnDays) -> DayToDayVariation:
    """The baseline's daily distribution functions, up to the last cell, where they are all 1."""
    shares = np.cumsum(before.values[:, :-1], axis=1) / before.rows[:, None]
    return DayToDayVariation(before.rows, shares, np.ones(shares.shape[1]))


def compare_numeric(before: ColumnDays, after: ColumnDays, nights: DayToDayVariation) -> ColumnComparison:
    """The distance of Kolmogorov and Smirnov; `nights` are those of `before`."""
    differences = np.cumsum(after.total)[:-1] / after.total.sum() - np.cumsum(before.total)[:-1] / before.total.sum()
    test = Kolmogorov()
    return ColumnComparison(before, after, float(test.distance(differences)), nights, test, differences)


def compare_categorical(before: ColumnDays, after: ColumnDays, *, nightly: bool) -> ColumnComparison:
    """The total variation over all levels; the test has rare levels pooled.

    With `nightly`, rare is what expects too few of the independent rows that the nights are worth: a level of one row
    in a thousand that comes in bursts is not a Poisson variable, however many rows there are.
    """
    group = pool_rare(before.total, after.total)
    if nightly and len(before.rows) >= FEWEST_DAYS:
        correlation = _category_nights(before, group).correlation(1.0)
        worth = [effective_rows(part.rows, correlation) / part.rows.sum() for part in (before, after)]
        group = pool_rare(before.total * worth[0], after.total * worth[1])
    nights = _category_nights(before, group)
    old, new = (np.bincount(group, part.total, len(nights.weights)) for part in (before, after))
    test = ChiSquare((old + new) / (old + new).sum())
    effect = float(test.distance(after.shares - before.shares))
    return ColumnComparison(before, after, effect, nights, test, new / new.sum() - old / old.sum())


def _category_nights(before: ColumnDays, group: NDArray[np.intp]) -> DayToDayVariation:
    """The baseline's daily shares of groups of levels."""
    size = int(group.max()) + 1
    daily = np.stack([np.bincount(group, row, size) for row in before.values]) / before.rows[:, None]
    share = np.bincount(group, before.total, size) / before.total.sum()
    return DayToDayVariation(before.rows, daily, np.divide(1, share, out=np.zeros(size), where=share > 0))


def compare_nulls(before: ColumnDays, after: ColumnDays, *, nightly: bool) -> ColumnComparison | None:
    """The shares of nulls, as a column of two categories; None where nothing is null, or a side has no rows.

    Chi-square with one degree of freedom is the square of the pooled two-proportion test; the effect is the difference.
    """
    sides = [ColumnDays(part.presence, part.presence) for part in (before, after)]
    if not all(len(part.values) for part in sides) or not any(part.null_share for part in sides):
        return None
    return compare_categorical(*sides, nightly=nightly)


def groups(axis: Axis, before: ColumnDays) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """A group for each cell, and a name for each group: tenths of the baseline, or the most frequent levels."""
    if isinstance(axis, NumericAxis):
        upto = np.cumsum(before.total) - before.total
        tenth = np.minimum(upto * GROUPS // before.total.sum(), GROUPS - 1)
        begins = np.diff(tenth, prepend=-1) > 0
        first, group = np.flatnonzero(begins), np.cumsum(begins) - 1
        # The cells are those of the axis, after one for -inf.
        starts = np.clip(first - 1, 0, axis.bins)
        return group, axis.names([*starts.tolist(), axis.bins])
    frequent = np.sort(np.argsort(-before.total[:-1], kind="stable")[:LEVELS])
    group = np.full(axis.bins + 1, len(frequent), np.intp)
    group[frequent] = np.arange(len(frequent))
    return group, (*(axis.levels[level] for level in frequent), "(other)")


YEAR = 52 * 7  # days: a year later on the same day of the week
AROUND = 14  # days of last year's season before and after the same days, for enough nights to learn their noise from
IGNORED = "not tested: ignored by triggers.drift.ignore"


@dataclass(frozen=True)
class ReferenceColumn:
    """A column as the past has it. `untested` says why it is measured and never fires; empty where it is tested."""

    name: str
    axis: Axis
    before: ColumnDays
    untested: str = ""

    @classmethod
    def of(cls, baseline: Baseline, name: str, untested: str = "") -> ReferenceColumn:
        """The column on all days of the baseline."""
        axis = baseline.axes[name]
        return cls(name, axis, column_days(axis, name, baseline.days), untested)

    @cached_property
    def _groups(self) -> tuple[NDArray[np.intp], tuple[str, ...]]:
        return groups(self.axis, self.before)

    def grouped(self, after: ColumnDays) -> tuple[tuple[str, ...], Floats, Floats]:
        """Names and shares of the groups, of the past and of the window."""
        group, names = self._groups
        old, new = (np.bincount(group, part.shares, len(names)).astype(np.float64) for part in (self.before, after))
        return names, old, new

    @cached_property
    def _nights(self) -> DayToDayVariation:
        """Of a numeric column: always the same, whatever it is compared with."""
        return numeric_nights(self.before)

    def compare(self, after: ColumnDays, *, nightly: bool) -> ColumnComparison | None:
        """The values; None where a side has none."""
        if not len(self.before.rows) or not len(after.rows):
            return None
        if isinstance(self.axis, NumericAxis):
            return compare_numeric(self.before, after, self._nights)
        return compare_categorical(self.before, after, nightly=nightly)

    def compare_nulls(self, after: ColumnDays, *, nightly: bool) -> ColumnComparison | None:
        """The shares of nulls; None where neither side has any, or a side has no rows."""
        return compare_nulls(self.before, after, nightly=nightly)


def columns(baseline: Baseline, config: DriftTrigger) -> dict[str, ReferenceColumn]:
    """All columns of the baseline but the seasonal ones, whose past depends on the night."""
    return {
        name: ReferenceColumn.of(baseline, name, IGNORED if name in config.ignore else "")
        for name in baseline.axes
        if name not in config.seasonal_columns
    }


def seasonal(baseline: Baseline, name: str, end: dt.date, length: int) -> ReferenceColumn:
    """The column on the days of last year that are the season of the `length` days before `end`.

    Where the baseline does not reach back so far, it is measured against the whole baseline, and not tested.
    """
    first, last = season(end, length)
    begins = min((day.date for day in baseline.days if day.rows), default=end)
    if begins > first:
        have, need = (end - begins).days, (end - first).days
        return ReferenceColumn.of(baseline, name, f"cannot judge the season: {have} days of history, {need} needed")
    axis = baseline.axes[name]
    return ReferenceColumn(name, axis, column_days(axis, name, _between(baseline.days, first, last)))


def season(end: dt.date, length: int) -> tuple[dt.date, dt.date]:
    """First day, and the day after the last one, of last year's season of the `length` days before `end`."""
    return end - (length + YEAR + AROUND) * DAY, end - (YEAR - AROUND) * DAY


def _between(days: Sequence[DayTally], first: dt.date, last: dt.date) -> tuple[DayTally, ...]:
    return tuple(day for day in days if first <= day.date < last)
