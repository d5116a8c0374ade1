"""Metrics of binary models from counts, so that days, windows and bootstrap draws need only a sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.arrow import Floats
from core.errors import DataError
from monitoring.tasks.outcome_columns import cells_of

Metric = Callable[[NDArray[Any], int], Floats]


def cells(scores: ArrayLike) -> NDArray[np.intp]:
    """Return the cell of each score: cell >= k if and only if score >= k / 1000."""
    result, inside = cells_of(np.asarray(scores, np.float64))
    if not inside.all():
        raise DataError(
            f"{np.count_nonzero(~inside):,} of {len(inside):,} scores are not probabilities between 0 and 1.",
            why="The model returns something else, or NaN.",
            fix="The last step of the pipeline must have predict_proba and return finite values.",
        )
    return result


def classes(labels: ArrayLike) -> NDArray[np.intp]:
    """Return labels as 0 and 1."""
    given = np.asarray(labels)
    if not np.isin(given, (0, 1)).all():
        raise DataError("Labels other than 0 and 1.", why="The task is binary.", fix="Leave out rows without a label.")
    return given.astype(np.intp)


def evaluate(metric: str, counts: NDArray[Any], threshold: float) -> Any:
    """Return the metric of counts (..., S, 2) by score cell and label, shape (...); NaN where it is undefined.

    Scores of `threshold` and above count as predicted 1. Definitions are scikit-learn's; ties in ROC AUC count half.
    """
    return METRICS[metric](counts, round(threshold * counts.shape[-2]))


def table(counts: NDArray[Any], cell: int) -> tuple[Floats, Floats, Floats, Floats]:
    """True negatives, false positives, false negatives, true positives, when cells from `cell` on are predicted 1."""
    negative = counts[..., :cell, :].sum(-2, dtype=np.float64)
    positive = counts[..., cell:, :].sum(-2, dtype=np.float64)
    return negative[..., 0], positive[..., 0], negative[..., 1], positive[..., 1]


def ratio(part: Floats, whole: Floats) -> Floats:
    """The quotient, NaN where `whole` is 0."""
    part, whole = np.broadcast_arrays(part, whole)
    result: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0)
    return result


def accuracy(counts: NDArray[Any], cell: int) -> Floats:
    """Share of rows predicted right."""
    tn, fp, fn, tp = table(counts, cell)
    return ratio(tn + tp, tn + fp + fn + tp)


def balanced_accuracy(counts: NDArray[Any], cell: int) -> Floats:
    """Mean of the shares predicted right in either class."""
    tn, fp, fn, tp = table(counts, cell)
    return (ratio(tn, tn + fp) + ratio(tp, tp + fn)) / 2


def precision(counts: NDArray[Any], cell: int) -> Floats:
    """Share of 1 among the rows predicted 1."""
    _, fp, _, tp = table(counts, cell)
    return ratio(tp, tp + fp)


def recall(counts: NDArray[Any], cell: int) -> Floats:
    """Share predicted 1 among the rows that are 1."""
    _, _, fn, tp = table(counts, cell)
    return ratio(tp, tp + fn)


def f1(counts: NDArray[Any], cell: int) -> Floats:
    """Harmonic mean of precision and recall."""
    _, fp, fn, tp = table(counts, cell)
    return ratio(2 * tp, 2 * tp + fp + fn)


def precision_weighted(counts: NDArray[Any], cell: int) -> Floats:
    """Precision of both classes, weighted by their rows; 0 for a class that is never predicted (as scikit-learn)."""
    tn, fp, fn, tp = table(counts, cell)
    of_negative, of_positive = np.nan_to_num(ratio(tn, tn + fn)), np.nan_to_num(ratio(tp, tp + fp))
    return ratio(of_negative * (tn + fp) + of_positive * (tp + fn), tn + fp + fn + tp)


def roc_auc(counts: NDArray[Any], _cell: int) -> Floats:
    """Chance that a row of class 1 scores higher than one of class 0 (Mann and Whitney's U); a tie counts half."""
    zeros, ones = counts[..., 0].astype(np.float64), counts[..., 1].astype(np.float64)
    below = np.cumsum(zeros, -1) - zeros / 2
    return ratio((ones * below).sum(-1), zeros.sum(-1) * ones.sum(-1))


def average_precision(counts: NDArray[Any], _cell: int) -> Floats:
    """Sum over the thresholds of precision, weighted by the gain in recall (no interpolation)."""
    ones = counts[..., ::-1, 1].astype(np.float64)
    predicted = np.cumsum(counts[..., ::-1, :].sum(-1, dtype=np.float64), -1)
    at = np.nan_to_num(ratio(np.cumsum(ones, -1), predicted))
    return ratio((ones * at).sum(-1), ones.sum(-1))


METRICS: Mapping[str, Metric] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "precision_weighted": precision_weighted,
    "roc_auc": roc_auc,
    "average_precision": average_precision,
}
RANKING = frozenset({"roc_auc", "average_precision"})  # those that need no threshold
