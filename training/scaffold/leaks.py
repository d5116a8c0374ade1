"""Columns that reveal the target on their own: usually they become known no earlier than the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.tasks import Binary, Multiclass, Regression, Task

PERFECT = 0.99
EXPLAINED = 0.98  # of the variance: about the square of such a correlation
LEAST = 10  # rows of each label: with fewer a perfect order may be chance
BINS = 20
LEAVES = 100  # as many classes as a model may have
Array = NDArray[Any]


def leak(codes: Array, numbers: Array | None, times: Array, labels: Array, task: Task) -> str | None:
    """Return how a column reveals the target; None if it does not.

    Args:
        codes: the position of each row's value among the different values, -1 where null.
        numbers: the different values, sorted, if they are numbers.
        times: of the rows.
        labels: as in the task, NaN for rows without a label.
        task: of the model.
    """
    known = ~np.isnan(labels)
    order = np.argsort(times[known], kind="stable")
    problem = BY_TASK[type(task)](codes[known][order], numbers, labels[known][order])
    return f"{problem}: is it known when the prediction is requested?" if problem else None


def _binary(codes: Array, numbers: Array | None, labels: Array) -> str | None:
    """Judge by the area under the ROC curve of the values, and of the label rate of each value."""
    if min(labels.sum(), len(labels) - labels.sum()) < LEAST:
        return None
    if numbers is not None:
        auc = auc_of(codes, labels)
        if max(auc, 1 - auc) >= PERFECT:
            return f"its order alone tells the target (AUC {max(auc, 1 - auc):.3f})"
        if len(numbers) > BINS:
            codes = _binned(codes)
    # The rates are learned on the earlier half of the rows and judged on the later half.
    half = len(codes) // 2
    later = labels[half:]
    if min(later.sum(), len(later) - later.sum()) < LEAST:
        return None
    auc = auc_of(_means(codes, labels, half), later)
    return f"its value alone tells the target (AUC {auc:.3f})" if auc >= PERFECT else None


def _multiclass(codes: Array, numbers: Array | None, labels: Array) -> str | None:
    """Judge by the share of rows of each class that are recognized."""
    classes = labels.astype(np.intp)
    half = len(classes) // 2
    later = classes[half:]
    rows = np.bincount(later)
    judged = rows >= LEAST
    if judged.sum() < 2:  # noqa: PLR2004 - there is nothing to tell apart
        return None
    predicted = _most_frequent(codes, classes, half) if numbers is None else _tree(codes, classes, half, classes=True)
    right = np.bincount(later[predicted == later], minlength=len(rows))
    share = float((right[judged] / rows[judged]).mean())
    return f"its value alone tells the target ({share:.1%} of each class)" if share >= PERFECT else None


def _regression(codes: Array, numbers: Array | None, labels: Array) -> str | None:
    """Judge by the rank correlation, and by the share of the variance of the target's ranks that values explain."""
    from scipy.stats import rankdata

    ranks, half = rankdata(labels), len(labels) // 2
    if len(np.unique(labels)) < LEAST or len(np.unique(codes)) < 2 or not np.ptp(ranks[half:]):  # noqa: PLR2004
        return None
    if numbers is not None:
        known = codes >= 0
        correlation = np.corrcoef(rankdata(codes[known]), ranks[known])[0, 1] if np.ptp(codes[known]) else 0.0
        if known.mean() > PERFECT and abs(correlation) >= PERFECT:
            return f"its order alone tells the target (rank correlation {correlation:.3f})"
    predicted = _means(codes, ranks, half) if numbers is None else _tree(codes, ranks, half, classes=False)
    share = 1 - float(((ranks[half:] - predicted) ** 2).mean() / ranks[half:].var())
    return f"its value alone tells the target ({share:.1%} of the variance)" if share >= EXPLAINED else None


BY_TASK: Mapping[type[Task], Callable[[Array, Array | None, Array], str | None]] = {
    Binary: _binary,
    Multiclass: _multiclass,
    Regression: _regression,
}


def _tree(codes: Array, labels: Array, half: int, *, classes: bool) -> Array:
    """Return what a tree on one column, fitted on the first half of the rows, predicts for the second half."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    tree = (DecisionTreeClassifier if classes else DecisionTreeRegressor)(
        max_leaf_nodes=LEAVES, min_samples_leaf=2, random_state=0
    )
    predicted: Array = tree.fit(codes[:half, None], labels[:half]).predict(codes[half:, None])
    return predicted


def _means(codes: Array, numbers: Array, half: int) -> Array:
    """Return, for the second half of the rows, the mean of their value in the first half; of all for a new value."""
    early, late = codes[:half] + 1, codes[half:] + 1
    size = int(codes.max(initial=-1)) + 2
    rows, sums = np.bincount(early, minlength=size), np.bincount(early, numbers[:half], minlength=size)
    means: Array = np.where(rows > 0, sums / np.maximum(rows, 1), numbers[:half].mean())[late]
    return means


def _most_frequent(codes: Array, classes: Array, half: int) -> Array:
    """Return the most frequent class of each value, in the way of `_means`."""
    early, late = codes[:half] + 1, codes[half:] + 1
    shape = int(codes.max(initial=-1)) + 2, int(classes.max()) + 1
    rows = np.bincount(early * shape[1] + classes[:half], minlength=shape[0] * shape[1]).reshape(shape)
    rows[~rows.any(axis=1)] = rows.sum(axis=0)
    most_frequent: Array = rows.argmax(axis=1)[late]
    return most_frequent


def auc_of(values: Array, labels: Array) -> float:
    """Return the area under the ROC curve; as in scikit-learn, but without its checks of every call."""
    from scipy.stats import rankdata

    positives = labels.sum()
    return float((rankdata(values)[labels == 1].sum() / positives - (positives + 1) / 2) / (len(labels) - positives))


def _binned(codes: Array) -> Array:
    """Return codes of sorted numbers in `BINS` groups of about as many rows each; -1 stays."""
    rows = np.cumsum(np.bincount(codes[codes >= 0]))
    return np.where(codes < 0, -1, ((rows - 1) * BINS // rows[-1])[codes])
