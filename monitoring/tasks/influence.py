"""Influence of rows on a metric: how much the metric changes for one more row in each cell of the counts.

An influence turns any metric into a sum over rows. The variance of that sum is known for independent rows and for days
of correlated rows (Binder 1983, "On the variances of asymptotically normal estimators from complex surveys").
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrow import Floats
from monitoring.tasks.binary import Binary
from monitoring.tasks.binary_metrics import METRICS, evaluate, table
from monitoring.tasks.multiclass import CONFUSION, Multiclass
from monitoring.tasks.regression import ERROR, ERRORS, LABEL, OF_MEANS, Regression
from monitoring.tasks.task import Task

STEP = 1e-3  # rows. Central differences are then exact to six digits.
PART = 1e-5  # of a mean, for the same reason
CHUNK = 500  # matrices in memory at once


def influence(task: Task, metric: str, labelled: NDArray[Any]) -> Floats:
    """Return the derivative of the metric with respect to each cell of `labelled`, in the shape of `labelled`.

    Every metric depends on shares only, so the influence of all rows adds up to 0. Cells without rows may have any
    number. The metric must be defined on `labelled`.
    """
    if isinstance(task, Binary):
        if metric == "roc_auc":
            return _roc_auc(labelled)
        if metric == "average_precision":
            return _average_precision(labelled)
        return _threshold_metric(metric, labelled, round(task.threshold * len(labelled)))
    if isinstance(task, Multiclass):
        return _multiclass(metric, labelled)
    if isinstance(task, Regression):
        return _regression(task, metric, labelled)
    raise TypeError(type(task).__name__)


def row_influence(task: Task, metric: str, labelled: NDArray[Any], labels: Floats, scores: Floats) -> Floats:
    """Return the influence of each row, given the counts `labelled` of these rows."""
    padded = np.zeros((len(labelled), labelled.shape[1] + 1))  # the last column counts rows without a label
    padded[:, :-1] = influence(task, metric, labelled)
    by_cell = np.append(padded.ravel(), 0.0)
    influences = np.zeros(len(labels))
    for cell in task.cells(scores, labels):
        influences += by_cell[cell]
    return influences


def _threshold_metric(metric: str, labelled: NDArray[Any], cell: int) -> Floats:
    """Influence of a metric of the 2 x 2 table, by central differences."""
    tn, fp, fn, tp = (float(count) for count in table(labelled, cell))
    moved = np.array([[tn, fn], [fp, tp]]) + STEP * _directions(4).reshape(2, 4, 2, 2)
    up, down = METRICS[metric](moved, 1)
    slopes = ((up - down) / (2 * STEP)).reshape(2, 2)
    return np.repeat(slopes, [cell, len(labelled) - cell], axis=0)


def _directions(size: int) -> Floats:
    """Return one step up and one step down along each axis, of shape (2, size, size)."""
    return np.stack([np.eye(size), -np.eye(size)])


def _roc_auc(labelled: NDArray[Any]) -> Floats:
    """Influence of placement values (DeLong, DeLong and Clarke-Pearson 1988)."""
    counts = labelled.astype(np.float64)
    zeros, ones = counts[:, 0], counts[:, 1]
    below = np.cumsum(zeros) - zeros / 2
    above = ones.sum() - np.cumsum(ones) + ones / 2
    area = float(evaluate("roc_auc", labelled, 0.5))
    of_zeros = (above / ones.sum() - area) / zeros.sum()
    of_ones = (below / zeros.sum() - area) / ones.sum()
    return np.stack([of_zeros, of_ones], axis=1)


def _average_precision(labelled: NDArray[Any]) -> Floats:
    """Derivative of the sum over thresholds of precision times gain in recall."""
    counts = labelled[::-1].astype(np.float64)  # highest scores first
    ones = counts[:, 1]
    right, predicted = np.cumsum(ones), np.cumsum(counts.sum(axis=1))
    inverse = np.divide(1.0, predicted, out=np.zeros_like(predicted), where=predicted > 0)
    precision, total = right * inverse, ones.sum()
    value = float(ones @ precision) / total
    # A row counts at its own threshold and at every lower one, where it adds to `predicted` and perhaps to `right`.
    of_zeros = _from_here(-ones * precision * inverse) / total
    of_ones = (_from_here(ones * (1 - precision) * inverse) + precision - value) / total
    return np.stack([of_zeros, of_ones], axis=1)[::-1]


def _from_here(values: Floats) -> Floats:
    """Return the sum of each value and of all later values."""
    sums: Floats = np.cumsum(values[::-1])[::-1]
    return sums


def _multiclass(metric: str, labelled: NDArray[Any]) -> Floats:
    """Influence of a metric of the confusion matrix, by central differences in the cells that have rows."""
    slopes = np.zeros(labelled.size)
    used = np.flatnonzero(labelled)
    for start in range(0, len(used), CHUNK):
        cells = used[start : start + CHUNK]
        moved = np.repeat(labelled.reshape(1, -1).astype(np.float64), len(cells), axis=0)
        own = (np.arange(len(cells)), cells)
        moved[own] += STEP
        up = CONFUSION[metric](moved.reshape(-1, *labelled.shape))
        moved[own] -= 2 * STEP
        slopes[cells] = (up - CONFUSION[metric](moved.reshape(-1, *labelled.shape))) / (2 * STEP)
    return slopes.reshape(labelled.shape)


def _regression(task: Regression, metric: str, labelled: NDArray[Any]) -> Floats:
    """Influence of a metric of four means: of errors, of labels, and of the squares of both."""
    errors = ERRORS * (task.high - task.low)
    values = np.stack([errors, errors**2, task.middles, task.middles**2])
    columns = (ERROR, ERROR, LABEL, LABEL)
    rows = float(labelled[:, LABEL].sum())
    means = np.array([value @ labelled[:, column] for value, column in zip(values, columns, strict=True)]) / rows
    step = PART * np.maximum(means, np.finfo(np.float64).tiny)
    moved = means[:, None, None] + np.stack([np.diag(step), -np.diag(step)], axis=1)
    up, down = OF_MEANS[metric](moved)  # of arrays (mean, up or down, mean that moves)
    slopes = (up - down) / (2 * step)
    influences = np.zeros(labelled.shape)
    for column, slope, value, mean in zip(columns, slopes, values, means, strict=True):
        influences[:, column] += slope * (value - mean) / rows
    return influences
