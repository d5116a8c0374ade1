"""Variance of a metric between days, from the influence of their rows.

Rows of one day resemble each other, so that the day is the unit. All bounds of scores, of differences and of slices,
the reference of the performance trigger and the thresholds of a new model use this one estimate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrow import Floats
from monitoring.tasks.binary_metrics import RANKING
from monitoring.tasks.influence import influence
from monitoring.tasks.tail_probabilities import student_quantile
from monitoring.tasks.task import Task

MIN_DAYS = 5  # of all groups together. Fewer days do not show how much days differ.


class DaySpread(NamedTuple):
    """How a group of days varies.

    `variance`: of the metric, if rows were independent. `effect`: variance by days over `variance`. `freedom`: degrees
    of freedom of `effect`, 0 if the days show nothing. `rows`: rows a day. `days`: days that have rows.
    """

    variance: float
    effect: float
    freedom: float
    rows: float
    days: int

    @property
    def correlation(self) -> float | None:
        """Between two rows of one day: the effect is 1 + correlation * (rows a day - 1) (Kish 1965). May be negative.

        None if the days do not show it.
        """
        return (self.effect - 1) / (self.rows - 1) if self.freedom > 0 and self.rows > 1 else None

    @property
    def error(self) -> float:
        """Standard error of the metric by day, never smaller than the one by rows."""
        return math.sqrt(self.variance * max(1.0, self.effect))

    @classmethod
    def of_correlation(cls, correlation: float, freedom: float, days: int) -> DaySpread:
        """Return the spread of days of which only the correlation of their rows is known."""
        return cls(0.0, 1 + correlation, freedom, 2.0, days)


def rarest_rows(task: Task, metric: str, labelled: NDArray[Any]) -> float:
    """Return the rows of the rarer class, for metrics that rank; infinity for all others."""
    return float(task.by_label(labelled).min()) if metric in RANKING else math.inf


def day_spread(task: Task, metric: str, days: NDArray[Any]) -> DaySpread:
    """Return how the metric varies between days, given labelled counts of shape (days, S, L)."""
    days = days[days.any(axis=(1, 2))]
    labelled = days.sum(axis=0) if len(days) else np.zeros(task.shape)[:, :-1]
    if not len(days) or math.isnan(float(task.evaluate(metric, labelled))):
        return DaySpread(0.0, 1.0, 0.0, 0.0, len(days))
    slopes = influence(task, metric, labelled).ravel()
    flat = days.reshape(len(days), -1).astype(np.float64)
    rows = np.array([task.rows(day) for day in days], np.float64)
    squares = flat @ slopes**2
    spread = spread_of_sums(flat @ slopes, squares, squares, rows)
    rare = rarest_rows(task, metric, labelled)
    return spread._replace(variance=spread.variance * (rare / (rare - 1) if 1 < rare < math.inf else 1.0))


def spread_of_sums(sums: Floats, squares: Floats, weights: Floats, rows: Floats) -> DaySpread:
    """Return how days vary, from the sums of influence of their rows and the sums of its squares.

    A day with a large share of the variance pulls the value towards itself, so that its own deviation looks small. The
    division by 1 - share undoes this (Bell and McCaffrey 2002, "Bias reduction in standard errors", CR2). Days count
    by their shares: 7 days of which one has all positives are worth little more than one.
    """
    variance = float(squares.sum())
    if variance <= 0:
        return DaySpread(0.0, 1.0, 0.0, 0.0, len(rows))
    shares = weights / weights.sum()
    if shares.max() >= 1:
        return DaySpread(variance, 1.0, 0.0, 0.0, len(rows))
    effect = float((sums**2 / (1 - shares)).sum()) / variance
    return DaySpread(variance, effect, 1 / float((shares**2).sum()) - 1, float(shares @ rows), len(rows))


def pool(own: DaySpread, earlier: Sequence[DaySpread]) -> DaySpread:
    """Return `own` with the design effect of all groups of days together, and their degrees of freedom.

    The correlations are averaged, weighted by degrees of freedom, and turned into the design effect of the rows a day
    of `own`. Negative ones count too: a mean of values cut off at 0 would be too large.
    """
    groups = [
        (group.correlation, group.freedom, group.days) for group in (own, *earlier) if group.correlation is not None
    ]
    freedom, days = sum(weight for _, weight, _ in groups), sum(days for _, _, days in groups)
    if not freedom or days < MIN_DAYS:
        return own._replace(effect=1.0, freedom=0.0)
    correlation = sum(value * weight for value, weight, _ in groups) / freedom
    return own._replace(effect=1 + correlation * (own.rows - 1) if own.rows > 1 else 1.0, freedom=freedom)


def errors_away(confidence: float, effect: float, freedom: float, rare: float) -> float:
    """Return how many standard errors of independent rows a bound is away from its value.

    The larger one of two numbers: by days, the root of the design effect times Student's t; by rows, the quantile of a
    normal, or of Student's t if few rows of the rarer class decide. Without degrees of freedom only the second counts.
    """
    by_rows = student_quantile(confidence, rare - 1)
    if freedom <= 0:
        return by_rows
    return max(by_rows, math.sqrt(max(effect, 0.0)) * student_quantile(confidence, max(1.0, min(freedom, rare - 1))))
