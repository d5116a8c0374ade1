"""Hold a column of the window against its own past: the whole baseline, or for a seasonal column the same season."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.config import DriftTrigger
from monitoring.axis import Axis, NumericAxis
from monitoring.comparison import (
    Comparison,
    Side,
    compare_categorical,
    compare_nulls,
    compare_numeric,
    groups,
    numeric_nights,
    side,
)
from monitoring.distances import Floats
from monitoring.nights import Nights
from monitoring.tally import Baseline, DayTally

DAY = dt.timedelta(days=1)
YEAR = 52 * 7  # days: a year later on the same day of the week
AROUND = 14  # days of last year's season before and after the same days, for enough nights to learn their noise from
IGNORED = "not tested: ignored by triggers.drift.ignore"


@dataclass(frozen=True)
class Known:
    """A column as the past has it. `untested` says why it is measured and never fires; empty where it is tested."""

    name: str
    axis: Axis
    before: Side
    untested: str = ""

    @classmethod
    def of(cls, baseline: Baseline, name: str, untested: str = "") -> Known:
        """The column on all days of the baseline."""
        axis = baseline.axes[name]
        return cls(name, axis, side(axis, name, baseline.days), untested)

    @cached_property
    def _groups(self) -> tuple[NDArray[np.intp], tuple[str, ...]]:
        return groups(self.axis, self.before)

    def grouped(self, after: Side) -> tuple[tuple[str, ...], Floats, Floats]:
        """Names and shares of the groups, of the past and of the window."""
        group, names = self._groups
        old, new = (np.bincount(group, part.shares, len(names)).astype(np.float64) for part in (self.before, after))
        return names, old, new

    @cached_property
    def _nights(self) -> Nights:
        """Of a numeric column: always the same, whatever it is compared with."""
        return numeric_nights(self.before)

    def compare(self, after: Side, *, nightly: bool) -> Comparison | None:
        """The values; None where a side has none."""
        if not len(self.before.rows) or not len(after.rows):
            return None
        if isinstance(self.axis, NumericAxis):
            return compare_numeric(self.before, after, self._nights)
        return compare_categorical(self.before, after, nightly=nightly)

    def compare_nulls(self, after: Side, *, nightly: bool) -> Comparison | None:
        """The shares of nulls; None where neither side has any, or a side has no rows."""
        return compare_nulls(self.before, after, nightly=nightly)


def columns(baseline: Baseline, config: DriftTrigger) -> dict[str, Known]:
    """All columns of the baseline but the seasonal ones, whose past depends on the night."""
    return {
        name: Known.of(baseline, name, IGNORED if name in config.ignore else "")
        for name in baseline.axes
        if name not in config.seasonal_columns
    }


def seasonal(baseline: Baseline, name: str, end: dt.date, length: int) -> Known:
    """The column on the days of last year that are the season of the `length` days before `end`.

    Where the baseline does not reach back so far, it is measured against the whole baseline, and not tested.
    """
    first, last = season(end, length)
    begins = min((day.date for day in baseline.days if day.rows), default=end)
    if begins > first:
        have, need = (end - begins).days, (end - first).days
        return Known.of(baseline, name, f"cannot judge the season: {have} days of history, {need} needed")
    axis = baseline.axes[name]
    return Known(name, axis, side(axis, name, _between(baseline.days, first, last)))


def season(end: dt.date, length: int) -> tuple[dt.date, dt.date]:
    """First day, and the day after the last one, of last year's season of the `length` days before `end`."""
    return end - (length + YEAR + AROUND) * DAY, end - (YEAR - AROUND) * DAY


def _between(days: Sequence[DayTally], first: dt.date, last: dt.date) -> tuple[DayTally, ...]:
    return tuple(day for day in days if first <= day.date < last)
