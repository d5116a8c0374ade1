"""Find columns that tell the target all by themselves: they are mostly known no earlier than it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.tasks import Binary, Multiclass, Regression, Task

PERFECT = 0.99
EXPLAINED = 0.98  # of the variance: the square of such a correlation
LEAST = 10  # rows of each label: with fewer a perfect order may be chance
BINS = 20
LEAVES = 100  # as many classes as a model may have
Array = NDArray[Any]


def leak(codes: Array, numbers: Array | None, times: Array, labels: Array, task: Task) -> str | None:
    """What gives a column away; None where nothing does.

    Args:
        codes: the place of each row's value among the different ones, -1 where null.
        numbers: the different values, sorted, where they are numbers.
        times: of the rows.
        labels: as the task has them, NaN where there is none.
        task: of the model.
    """
    known = ~np.isnan(labels)
    order = np.argsort(times[known], kind="stable")
    found = SIGNS[type(task)](codes[known][order], numbers, labels[known][order])
    return f"{found}: is it known when the prediction is asked for?" if found else None


def _of_two(codes: Array, numbers: Array | None, labels: Array) -> str | None:
    """By the area under the ROC curve, of values and of their rates."""
    if min(labels.sum(), len(labels) - labels.sum()) < LEAST:
        return None
    if numbers is not None:
        found = area(codes, labels)
        if max(found, 1 - found) >= PERFECT:
            return f"its order alone tells the target (AUC {max(found, 1 - found):.3f})"
        if len(numbers) > BINS:
            codes = binned(codes)
    found = by_value(codes, labels)
    return f"its value alone tells the target (AUC {found:.3f})" if found >= PERFECT else None


def _of_classes(codes: Array, numbers: Array | None, labels: Array) -> str | None:
    """By how many rows of each class are separated."""
    places = labels.astype(np.intp)
    half = len(places) // 2
    late = places[half:]
    rows = np.bincount(late)
    judged = rows >= LEAST
    if judged.sum() < 2:  # noqa: PLR2004 - to tell apart
        return None
    answers = _commonest(codes, places, half) if numbers is None else _by_tree(codes, places, half, classes=True)
    right = np.bincount(late[answers == late], minlength=len(rows))
    share = float((right[judged] / rows[judged]).mean())
    return f"its value alone tells the target ({share:.1%} of each class)" if share >= PERFECT else None


def _of_numbers(codes: Array, numbers: Array | None, labels: Array) -> str | None:
    """By the rank correlation, and by the share of the variance of the target's ranks that values explain."""
    ranks, half = _ranks(labels), len(labels) // 2
    if len(np.unique(labels)) < LEAST or len(np.unique(codes)) < 2 or not np.ptp(ranks[half:]):  # noqa: PLR2004
        return None
    if numbers is not None:
        known = codes >= 0
        found = np.corrcoef(_ranks(codes[known]), ranks[known])[0, 1] if np.ptp(codes[known]) else 0.0
        if known.mean() > PERFECT and abs(found) >= PERFECT:
            return f"its order alone tells the target (rank correlation {found:.3f})"
    answers = _means(codes, ranks, half) if numbers is None else _by_tree(codes, ranks, half, classes=False)
    share = 1 - float(((ranks[half:] - answers) ** 2).mean() / ranks[half:].var())
    return f"its value alone tells the target ({share:.1%} of the variance)" if share >= EXPLAINED else None


SIGNS: Mapping[type[Task], Callable[[Array, Array | None, Array], str | None]] = {
    Binary: _of_two,
    Multiclass: _of_classes,
    Regression: _of_numbers,
}


def _by_tree(codes: Array, labels: Array, half: int, *, classes: bool) -> Array:
    """What a tree of one column says of the second half of the rows, fitted on the first."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    tree = kind(max_leaf_nodes=LEAVES, min_samples_leaf=2, random_state=0)
    found: Array = tree.fit(codes[:half, None], labels[:half]).predict(codes[half:, None])
    return found


def _means(codes: Array, numbers: Array, half: int) -> Array:
    """The mean of each value in the first half of the rows, for those of the second; of all, where it is unseen."""
    early, late = codes[:half] + 1, codes[half:] + 1
    size = int(codes.max(initial=-1)) + 2
    rows, sums = np.bincount(early, minlength=size), np.bincount(early, numbers[:half], minlength=size)
    found: Array = np.where(rows > 0, sums / np.maximum(rows, 1), numbers[:half].mean())[late]
    return found


def _commonest(codes: Array, places: Array, half: int) -> Array:
    """As `_means`, the commonest class."""
    early, late = codes[:half] + 1, codes[half:] + 1
    shape = int(codes.max(initial=-1)) + 2, int(places.max()) + 1
    rows = np.bincount(early * shape[1] + places[:half], minlength=shape[0] * shape[1]).reshape(shape)
    rows[~rows.any(axis=1)] = rows.sum(axis=0)
    found: Array = rows.argmax(axis=1)[late]
    return found


def _ranks(values: Array) -> Array:
    """The rank of each value, that of equal ones in their middle."""
    _, places, rows = np.unique(values, return_inverse=True, return_counts=True)
    found: Array = (np.cumsum(rows) - (rows - 1) / 2)[places]
    return found


def binned(codes: Array) -> Array:
    """Codes in the order of their numbers, brought down to `BINS` of about as many rows each; -1 stays."""
    rows = np.cumsum(np.bincount(codes[codes >= 0]))
    return np.where(codes < 0, -1, ((rows - 1) * BINS // rows[-1])[codes])


def by_value(codes: Array, labels: Array) -> float:
    """The AUC on the second half of the rows of each value's rate in the first; values unseen there get the mean."""
    half = len(codes) // 2
    wanted = labels[half:]
    if min(wanted.sum(), len(wanted) - wanted.sum()) < LEAST:
        return 0.5
    return area(_means(codes, labels, half), wanted)


def area(values: Array, labels: Array) -> float:
    """The area under the ROC curve, ties count half."""
    levels, places = np.unique(values, return_inverse=True)
    ones = np.bincount(places, labels, minlength=len(levels))
    zeros = np.bincount(places, 1 - labels, minlength=len(levels))
    below = np.cumsum(zeros) - zeros
    return float((ones * (below + zeros / 2)).sum() / (ones.sum() * zeros.sum()))
