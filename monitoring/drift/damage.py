"""Small damage: shares of missing, invalid, unusual and repeated values compared with how they vary between days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.arrow import Floats
from core.config import DriftTrigger
from core.records import Record
from monitoring.axes import Axis, NumericAxis
from monitoring.counting import Baseline, DayTally, Window
from monitoring.drift.day_effects import FEWEST_DAYS
from monitoring.tasks import tail_probabilities

Kind = Literal["null", "not a number", "infinite", "out of range", "new", "repeated"]

ALPHA = 0.001  # for all shares of all columns together (Bonferroni)
AROUND = 9  # bins whose mean share is what a bin is expected to have at least
LEAST = 0.01  # of the rows, above the largest share in the baseline
TIMES = 1.1  # the largest share in the baseline


class ColumnDamage(Record):
    """A share of a column's rows that is larger than days explain.

    `value`: the value or range of values, of kind `repeated`. `share` is that of the window, `baseline` the mean of the
    baseline, and `largest` the largest share of a run of as many days in the baseline.
    """

    column: str
    kind: Kind
    value: str
    share: float
    baseline: float
    largest: float
    p_value: float


def damage_report(
    baseline: Baseline, window: Window, config: DriftTrigger, leave_out: Collection[dt.date]
) -> tuple[ColumnDamage, ...] | None:
    """Return the damage of the last `config.window_days` days except those in `leave_out`, largest increase first.

    A share is damage if all of this holds: its median by day is at least `LEAST` above and `TIMES` the largest share of
    a run of as many days in the baseline, and a test by day rejects that it is the mean of the baseline. Columns in
    `config.ignore` and `config.seasonal_columns` are left out. Returns None if there are too few days or rows.
    """
    past = [day for day in baseline.days if day.rows]
    now = [day for day in window.last(config.window_days, window.end) if day.date not in leave_out and day.rows]
    if len(past) < FEWEST_DAYS or sum(day.rows for day in now) < config.min_rows:
        return None
    left_out = {*config.ignore, *config.seasonal_columns}
    compared = {name: _Shares.of(axis, name, past, now) for name, axis in baseline.axes.items() if name not in left_out}
    tests = sum(shares.before.shape[1] for shares in compared.values() if shares)
    damage = [item for name, shares in compared.items() if shares for item in shares.damage(name, tests)]
    return tuple(sorted(damage, key=lambda item: item.largest - item.share))


class _Shares:
    """Shares of a column by day and cell, of the baseline and of the window; the last cell is `out of range`."""

    def __init__(self, axis: Axis, name: str, past: Sequence[DayTally], now: Sequence[DayTally]) -> None:
        self.axis = axis
        self.before, self.rows_before = _counts(past, name)
        self.after, self.rows_after = _counts(now, name)

    @classmethod
    def of(cls, axis: Axis, name: str, past: Sequence[DayTally], now: Sequence[DayTally]) -> _Shares | None:
        """Return the shares of a column; None if too few days of the baseline, or no day of the window, have it."""
        before, after = ([day for day in days if name in day.columns] for days in (past, now))
        return cls(axis, name, before, after) if len(before) >= FEWEST_DAYS and after else None

    def damage(self, name: str, tests: int) -> Iterator[ColumnDamage]:
        """Yield the shares that are damage, given how many shares of all columns are tested."""
        share, length = self.after.sum(axis=0) / self.rows_after.sum(), len(self.rows_after)
        largest = _largest_run(self.before, self.rows_before, length)
        mean = self._mean()
        variance = self._variance(mean)
        # A burst on a single day, such as the weather of an hour, is not damage.
        usual = np.quantile(self.after / self.rows_after[:, None], 0.5, axis=0, method="lower")
        larger = (usual - largest >= LEAST) & (usual >= TIMES * largest) & self._stands_out(usual - mean)
        if larger[-1]:  # values out of range are counted in the first and last bin too
            larger[[0, self.axis.bins - 1]] = False
        for cell in np.flatnonzero(larger):
            p_value = min(1.0, tests * _chance(share[cell], mean[cell], variance[cell], len(self.rows_before) - 1))
            if p_value < ALPHA:
                kind, value = _kind(self.axis, int(cell))
                yield ColumnDamage(
                    column=name,
                    kind=kind,
                    value=value,
                    share=float(share[cell]),
                    baseline=float(self.before[:, cell].sum() / self.rows_before.sum()),
                    largest=float(largest[cell]),
                    p_value=p_value,
                )

    def _mean(self) -> Floats:
        """Return the share by cell in the baseline; of a bin of numbers, at least the mean of the bins around it.

        With few rows in a bin, its own share says little about the values that may occur next.
        """
        mean: Floats = (self.before.sum(axis=0) + 0.5) / (self.rows_before.sum() + 1)
        if isinstance(self.axis, NumericAxis):
            bins = slice(0, self.axis.bins)
            around = np.convolve(mean[bins], np.full(AROUND, 1 / AROUND))[AROUND // 2 :][bins]
            mean[bins] = np.maximum(mean[bins], around)
        return mean

    def _variance(self, mean: Floats) -> Floats:
        """Return the variance by cell of a share of the window minus the mean.

        It is the variance by days, and at least that of rows; of bins, with the design effect of all bins together.
        """
        by_day = (self.before / self.rows_before[:, None]).var(axis=0, ddof=1)
        by_row = mean * (1 - mean)
        if isinstance(self.axis, NumericAxis):
            bins = slice(0, self.axis.bins)
            by_row[bins] *= max(1.0, by_day[bins].sum() / (by_row[bins].sum() * (1 / self.rows_before).mean()))
        sides = [np.maximum(by_day / len(rows), by_row / rows.sum()) for rows in (self.rows_after, self.rows_before)]
        variance: Floats = sides[0] + sides[1]
        return variance

    def _stands_out(self, increase: Floats) -> NDArray[np.bool_]:
        """Return the cells that may be damage: special ones, and bins of numbers that grew more than their neighbors.

        A shifted column raises neighboring bins together, and the shares of categories are compared by the drift test.
        A sensor that repeats a value raises one bin.
        """
        special = np.arange(len(increase)) >= self.axis.bins
        if not isinstance(self.axis, NumericAxis):
            return special
        bins = np.pad(increase[: self.axis.bins], 1)
        neighbors = np.maximum(np.maximum(bins[:-2], bins[2:]), 0)
        alone = bins[1:-1] >= LEAST + 2 * neighbors
        return np.concatenate([alone, special[self.axis.bins :]])


def _counts(days: Sequence[DayTally], name: str) -> tuple[NDArray[np.int64], Floats]:
    """Return the rows of a column by day and cell, and by day; a further cell has the values out of range."""
    tallies = [day.columns[name] for day in days]
    cells = np.stack([tally.counts.array for tally in tallies])
    outside = np.array([[tally.outside] for tally in tallies])
    return np.concatenate([cells, outside], axis=1), cells.sum(axis=1, dtype=np.float64)


def _largest_run(counts: NDArray[np.int64], rows: Floats, length: int) -> Floats:
    """Return the largest share by cell of all runs of `length` days."""
    length = min(length, len(rows))
    sums = [np.cumsum(np.concatenate([np.zeros_like(part[:1]), part]), axis=0) for part in (counts, rows[:, None])]
    runs, sizes = (upto[length:] - upto[:-length] for upto in sums)
    largest: Floats = (runs / sizes).max(axis=0)
    return largest


def _chance(share: float, mean: float, variance: float, freedom: int) -> float:
    """Return the chance of a share this large: the larger one of a t test and a Poisson test of as many effective rows.

    The t test is for shares that vary between days, the Poisson test for few rows.
    """
    deviation = (share - mean) / variance**0.5
    rows = mean * (1 - mean) / variance
    poisson = 1 - tail_probabilities.chi_square(2 * mean * rows, 2 * max(share * rows, 1.0))
    return max(tail_probabilities.student(float(deviation), freedom) / 2, poisson)


def _kind(axis: Axis, cell: int) -> tuple[Kind, str]:
    """Return what the rows of a cell are, and the value of an ordinary one."""
    if cell == axis.size:
        return "out of range", ""
    if cell < axis.bins:
        return "repeated", axis.labels()[cell]
    if cell == axis.null:
        return "null", ""
    if not isinstance(axis, NumericAxis):
        return "new", ""
    return ("not a number" if cell == axis.invalid else "infinite"), ""
