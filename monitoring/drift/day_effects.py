"""Effective sample size of correlated days (design effect and serial correlation)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from core.arrow import Floats
from monitoring.drift.statistics import Test
from monitoring.tasks import tail_probabilities

FEWEST_DAYS = 8  # with fewer, the variance between days says nothing
EVEN = 1e-9  # of the sampling variance: a spread below it is what rounding leaves of equal days


@dataclass(frozen=True)
class DayToDayVariation:
    """One column on the days of the baseline.

    `rows` (days): rows that have a value, none zero. `shares` (days, cells): the day's distribution function at the end
    of each cell, or the share of each category. `weights` (cells): what a cell counts in sums of variances: 1, or
    1 / share of the category, which makes the design effect the one of Rao and Scott.
    """

    rows: Floats
    shares: Floats
    weights: Floats

    @cached_property
    def _variances(self) -> dict[int, float]:
        """What `run_variance` found: each night of a report asks for the same."""
        return {}

    @cached_property
    def _differences(self) -> dict[tuple[int, type], Floats]:
        """What is needed of what `_away` found, for the same reason."""
        return {}

    @cached_property
    def spread(self) -> float:
        """The variance of the shares between days, summed over cells."""
        return float(self.weights @ self.shares.var(axis=0, ddof=1))

    @cached_property
    def sampling(self) -> float:
        """What that variance would be if rows did not depend on their day."""
        mean = self.shares.mean(axis=0)
        return float(self.weights @ (mean * (1 - mean))) * float((1 / self.rows).mean())

    @property
    def design_effect(self) -> float:
        """How many rows of the same day are worth one independent row (Kish, 1965), pooled over cells; at least 1."""
        return max(1.0, self.spread / self.sampling) if self.sampling > 0 else 1.0

    @cached_property
    def directions(self) -> float:
        """In how many directions the shares move from night to night, if all moved as far; infinite where none do.

        Squared sum over sum of squares of the eigenvalues of the shares' covariance (Satterthwaite, 1946), without
        computing them: its trace, and its squared norm freed of what few days add to it (Srivastava, 2005).
        """
        days = len(self.rows)
        away = (self.shares - self.shares.mean(axis=0)) * np.sqrt(self.weights)
        # Not away @ away.T: its threads cost fifty times what they save on so small a matrix.
        norm = float((np.einsum("ik,jk->ij", away, away) ** 2).sum()) / (days - 1) ** 2
        squares = (norm - self.spread**2 / (days - 1)) * (days - 1) ** 2 / ((days - 2) * (days + 1))
        return self.spread**2 / squares if squares > 0 else np.inf

    def correlation(self, serial: float) -> float:
        """The correlation between rows of a day that has this design effect, times `serial`.

        It carries the design effect over to days with m' rows instead of m: 1 + correlation * (m' - 1).
        """
        usual = 1 / float((1 / self.rows).mean())
        return (self.design_effect * serial - 1) / (usual - 1) if usual > 1 else 0.0

    def runs(self, length: int, correlation: float, test: Test) -> tuple[Floats, Floats, Floats]:
        """Each run of `length` consecutive days against all other days: distance, surprise, effective harmonic size."""
        rows, total = _run_sums(_upto(self.rows), length), self.rows.sum()
        cost = _upto(self.rows * (1 + correlation * (self.rows - 1)))
        used = _run_sums(cost, length)
        sizes = 1 / (used / rows**2 + (cost[-1] - used) / (total - rows) ** 2)
        if (length, type(test)) not in self._differences:
            self._differences[length, type(test)] = test.needed(self._away(length))
        away = self._differences[length, type(test)]
        return test.distance(away), test.surprise(away, sizes), sizes

    def _away(self, length: int) -> Floats:
        """Shares of each run of days minus those of all other days."""
        upto, rows, total = (
            _upto(self.rows[:, None] * self.shares),
            _run_sums(_upto(self.rows), length),
            self.rows.sum(),
        )
        # Run minus rest is run minus all, drawn out by the share of the rest.
        away = _run_sums(upto, length) / rows[:, None]
        away -= upto[-1] / total
        away *= (total / (total - rows))[:, None]
        return away

    def run_variance(self, length: int) -> float:
        """The mean square deviation of the means of runs of `length` days, summed over cells."""
        if length not in self._variances:
            means = _run_sums(_upto(self.shares - self.shares.mean(axis=0)), length) / length
            self._variances[length] = float((means**2).mean(axis=0) @ self.weights)
        return self._variances[length]


def effective_rows(rows: Floats, correlation: float) -> float:
    """How many independent rows days with these numbers of rows are worth (Kish, 1965, for days of unequal size)."""
    return float(rows.sum() ** 2 / (rows * (1 + correlation * (rows - 1))).sum())


def serial_factor(columns: Iterable[DayToDayVariation], length: int) -> float:
    """Variance of the means of runs of `length` days, over what it would be if days were independent; at least 1.

    Pooled over the columns, each in units of its own sampling variance. 1 for columns with under 3 * length days.
    """
    observed = expected = 0.0
    for nights in columns:
        days = len(nights.rows)
        if length > 1 and days >= 3 * length and nights.spread > EVEN * nights.sampling:
            observed += nights.run_variance(length) / nights.sampling
            expected += nights.spread / length * (1 - length / days) / nights.sampling
    return max(1.0, observed / expected) if expected > 0 else 1.0


def p_value(surprise: float, days: int | None) -> float:
    """The p-value of a surprise; with `days` read in a t with days - 1 degrees of freedom: the noise is estimated."""
    plain = math.exp(-surprise)
    if days is None:
        return plain
    return tail_probabilities.student(NormalDist().inv_cdf(max(plain, 1e-300) / 2), days - 1)


def _upto(values: Floats) -> Floats:
    """Sums over all entries of the first axis before each one, and over all."""
    sums = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=sums[1:])
    return sums


def _run_sums(upto: Floats, length: int) -> Floats:
    """Sums over each run of `length` consecutive entries, from what `_upto` returned."""
    sums: Floats = upto[length:] - upto[:-length]
    return sums
