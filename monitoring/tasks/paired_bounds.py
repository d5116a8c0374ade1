"""Bounds of the difference between two models on the same rows, by day, for all rows and for slices of them.

The rule for slices: a slice is harmed if its loss is larger than the margin and if the data show that it is a loss at
all, which means that the upper bound of the difference is below 0. Each upper bound has the confidence
1 - (1 - confidence) / slices (Bonferroni), so that a challenger which is equally good everywhere is refused in at most
1 - confidence of all cases. The loss itself is compared with the margin. If the bound had to exceed the margin too,
only losses of about twice the margin would be found.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrow import Floats
from monitoring.tasks.binary_metrics import RANKING
from monitoring.tasks.day_bounds import EVEN, DayBounds
from monitoring.tasks.day_spread import DaySpread, errors_away, pool, spread_of_sums
from monitoring.tasks.influence import row_influence
from monitoring.tasks.intervals import UNKNOWN
from monitoring.tasks.task import Task

# Rows of the rarer class, for binary metrics other than accuracy.
MIN_PAIRED_POSITIVES = 20
MIN_SLICE_POSITIVES = 10


@dataclass(frozen=True)
class PairedRows:
    """Labels, scores of both models, and anything by which rows of the same day are equal."""

    labels: NDArray[Any]
    champion: NDArray[Any]
    challenger: NDArray[Any]
    days: NDArray[Any]

    def at(self, places: NDArray[np.intp]) -> PairedRows:
        """Return the rows at these places."""
        return PairedRows(self.labels[places], self.champion[places], self.challenger[places], self.days[places])


@dataclass(frozen=True)
class SliceBounds:
    """The difference between challenger and champion on one slice, and whether it is harm.

    `confidence`: of each bound, after the correction. `bounds.missing`: why the slice cannot be judged.
    """

    bounds: DayBounds
    confidence: float
    harmed: bool


def paired_bounds(
    task: Task,
    metric: str,
    rows: PairedRows,
    *,
    confidence: float,
    seed: int,
    min_positives: int = MIN_PAIRED_POSITIVES,
) -> DayBounds:
    """Return how much more of the metric the challenger has than the champion, and the bounds of the difference.

    Args:
        task: counts and metrics.
        metric: one of the metrics of the task.
        rows: labelled rows that neither model was fitted on.
        confidence: of each bound; 0.5 gives the difference itself, twice.
        seed: of the interval by rows.
        min_positives: rows of the rarer class, for binary metrics other than accuracy.
    """
    labels, *scores = (np.asarray(side, np.float64) for side in (rows.labels, rows.champion, rows.challenger))
    _, day = np.unique(rows.days, return_inverse=True)
    counts = [task.counted(labels, side) for side in scores]
    values = [float(task.evaluate(metric, side)) if len(labels) else math.nan for side in counts]
    value, days = values[1] - values[0], int(day.max(initial=-1)) + 1
    if math.isnan(value):
        return DayBounds(value, *UNKNOWN, days, "undefined")
    rare = _rarest_rows(task, metric, counts[0])
    if rare < min_positives:
        return DayBounds(value, *UNKNOWN, days, "few_positives")
    if confidence <= EVEN:
        return DayBounds(value, value, value, days)
    slopes = [row_influence(task, metric, count, labels, side) for count, side in zip(counts, scores, strict=True)]
    own = pool(_spread(day, *slopes), ())
    reach = errors_away(confidence, own.effect, own.freedom, rare) * math.sqrt(own.variance)
    low, high = value - reach, value + reach
    if metric not in RANKING:
        by_rows = task.paired_difference(metric, labels, *scores, confidence=confidence, seed=seed)
        low, high = min(low, by_rows[1]), max(high, by_rows[2])
    return DayBounds(value, low, high, days, None, confidence, own.error, own.effect, own.freedom)


def _spread(day: NDArray[np.intp], champion: Floats, challenger: Floats) -> DaySpread:
    """Return how the difference varies between days.

    Rows that the two models score alike have no influence on the difference, so few rows may decide. The shares of
    days come from the influence on either model instead, which all rows have. With shares from the difference, too few
    degrees of freedom were left at 1 positive in 50: type I error 1% instead of 3 to 5%.
    """
    more = challenger - champion
    rows = np.bincount(day).astype(np.float64)
    sums, squares, weights = (
        np.bincount(day, values).astype(np.float64) for values in (more, more**2, champion**2 + challenger**2)
    )
    return spread_of_sums(sums, squares, weights, rows)


def _rarest_rows(task: Task, metric: str, labelled: NDArray[Any]) -> float:
    """Return the rows of the rarer class of a binary task; infinity if the metric does not depend on classes."""
    if task.positives(labelled) is None or metric == "accuracy":
        return math.inf
    return float(task.by_label(labelled).min())


def slice_bounds(
    task: Task,
    metric: str,
    rows: PairedRows,
    slices: Mapping[str, NDArray[np.intp]],
    *,
    margin: float,
    confidence: float,
    seed: int,
    min_positives: int = MIN_SLICE_POSITIVES,
) -> dict[str, SliceBounds]:
    """Return the paired bounds of each slice, and which slices are harmed.

    Args:
        task: counts and metrics.
        metric: one of the metrics of the task.
        rows: labelled rows that neither model was fitted on.
        slices: the places of the rows of each slice, of all slice columns together.
        margin: the loss that is allowed, at least 0.
        confidence: with which an equally good challenger passes all slices.
        seed: of the intervals by rows.
        min_positives: rows of the rarer class in a slice, for binary metrics other than accuracy.
    """

    def judge(name: str, level: float) -> DayBounds:
        of_slice = rows.at(slices[name])
        return paired_bounds(task, metric, of_slice, confidence=level, seed=seed, min_positives=min_positives)

    values = {name: judge(name, EVEN) for name in slices}
    judged = [name for name, bounds in values.items() if bounds.missing is None]
    corrected = 1 - (1 - confidence) / max(len(judged), 1)
    bounds = values | {name: judge(name, corrected) for name in judged}
    return {
        name: SliceBounds(one, corrected, harmed=name in judged and one.value < -margin and one.high < 0)
        for name, one in bounds.items()
    }
