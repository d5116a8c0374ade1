"""Bounds of a metric when rows of one day resemble each other.

The unit is the day. The influence of rows (`influence.py`) is added up by day, and the variance between days gives the
bounds (Binder 1983; Cameron, Gelbach and Miller 2008, "Bootstrap-based improvements for inference with clustered
errors", section 2), with quantiles of Student's t. Every interval contains the interval by rows. For
`roc_auc` and `average_precision` the interval by rows is the one in this module, which holds for few positives too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.config import METRICS
from monitoring.tasks.day_spread import DaySpread, day_spread, errors_away, pool, rarest_rows
from monitoring.tasks.intervals import UNKNOWN
from monitoring.tasks.task import Bounds, Task

EVEN = 0.5  # confidence at which both bounds are the value itself

MIN_POSITIVES = 10
Missing = Literal["undefined", "few_positives"]


@dataclass(frozen=True)
class DayBounds:
    """A value with its lower and upper bound, each one-sided at `confidence`; NaN where the bounds are unknown.

    `days`: days that have rows. `missing`: why there are no bounds. `error`: standard error by day, never smaller than
    the one by rows. `design_effect`: variance by days over variance by rows; below 1 by chance only, and not used then.
    `freedom`: its degrees of freedom, from all days; 0 if there are too few.
    """

    value: float
    low: float
    high: float
    days: int
    missing: Missing | None = None
    confidence: float = EVEN
    error: float = math.nan
    design_effect: float = 1.0
    freedom: float = 0.0

    @property
    def adjusted(self) -> bool:
        """Whether the bounds account for days; if not, there were too few, and rows were taken as independent."""
        return self.freedom > 0


def day_bounds(
    task: Task,
    metric: str,
    days: NDArray[Any],
    confidence: float | Callable[[float], float],
    seed: int,
    earlier: Sequence[DaySpread] = (),
    min_positives: int = MIN_POSITIVES,
) -> DayBounds:
    """Return the metric on all days together and its bounds.

    Args:
        task: counts and metrics.
        metric: one of the metrics of the task.
        days: labelled counts, shape (days, S, L).
        confidence: of each bound, or a function that returns it for the standard error by day; 0.5 gives the value
            itself, twice.
        seed: of the interval by rows.
        earlier: spreads of other days, from which the design effect is learned too. Examples are the earlier scored
            days of the same version, and its holdout.
        min_positives: rows of the rarer class that `roc_auc` and `average_precision` need. Bounds hold from 4 rows on,
            but are then half of the scale apart.
    """
    days = days[days.any(axis=(1, 2))]
    labelled = days.sum(axis=0)
    value = float(task.evaluate(metric, labelled)) if len(days) else math.nan
    if math.isnan(value):
        return DayBounds(value, *UNKNOWN, len(days), "undefined")
    rare = rarest_rows(task, metric, labelled)
    if rare < min_positives:
        return DayBounds(value, *UNKNOWN, len(days), "few_positives")
    own = pool(day_spread(task, metric, days), earlier)
    level = confidence if isinstance(confidence, float) else confidence(own.error)
    limits = [(value, value)]
    if level > EVEN:
        reach = errors_away(level, own.effect, own.freedom, rare)
        limits.append(_limits(metric, value, own.variance, reach))
        if metric == "roc_auc":
            zeros, ones = (float(count) for count in labelled.sum(axis=0))
            limits.append(_newcombe(value, zeros, ones, reach))
        elif metric == "average_precision":
            limits.append(_limits(metric, independent_precision(labelled), own.variance, reach))
        else:
            limits.append(task.interval(metric, labelled, level, seed))
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    return DayBounds(value, low, high, len(days), None, level, own.error, own.effect, own.freedom)


def _limits(metric: str, value: float, variance: float, reach: float) -> Bounds:
    """Return bounds of a value with this variance, on the scale on which it is nearest to a normal."""
    if metric in METRICS["regression"]:
        best = 1.0 if metric == "r2" else 0.0
        error = best - value  # positive, and skewed to the right
        if error <= 0:
            return value, value
        factor = math.exp(reach * math.sqrt(variance) / error)
        return best - error * factor, best - error / factor
    if not 0 < value < 1 or variance <= 0:
        return value, value
    return share_limits(value, value * (1 - value) / variance, reach)


def share_limits(share: float, rows: float, reach: float) -> Bounds:
    """Return Wilson's bounds of a share of so many effective rows (Dean and Pagano 2015, section 2)."""
    square = reach * reach
    middle, scale = share + square / (2 * rows), 1 + square / rows
    away = reach * math.sqrt(share * (1 - share) / rows + square / (4 * rows * rows))
    return max(0.0, (middle - away) / scale), min(1.0, (middle + away) / scale)


def independent_precision(labelled: NDArray[Any]) -> float:
    """Return average precision in which no positive counts for its own precision.

    Its own row is in the precision of each positive, which raises average precision when positives are few and rare.
    """
    zeros, ones = np.cumsum(labelled[::-1].astype(np.float64), axis=0).T
    others = np.maximum(ones - 1, 0.0) * ones[-1] / max(ones[-1] - 1, 1.0)
    precision = np.divide(others, others + zeros, out=np.zeros_like(ones), where=others > 0)
    return float(labelled[::-1, 1] @ precision) / float(ones[-1])


def _newcombe(value: float, zeros: float, ones: float, reach: float) -> Bounds:
    """Return the areas that are `reach` standard errors away, by the variance of the bound and not of the value.

    Newcombe 2006, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic", part 2,
    method 5, with the variance of Hanley and McNeil 1982. The variance of the value is too small when few positives
    happen to rank high.
    """
    more = (zeros + ones) / 2 - 1

    def away(area: float) -> float:
        part = 1 + more * ((1 - area) / (2 - area) + area / (1 + area))
        return abs(value - area) - reach * math.sqrt(area * (1 - area) * part / (zeros * ones))

    ends = []
    for end in (0.0, 1.0):
        inside, outside = value, end
        for _ in range(40):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if away(middle) > 0 else (middle, outside)
        ends.append(outside)
    return ends[0], ends[1]
