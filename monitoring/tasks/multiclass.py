"""Judge models that name one of several classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from core.config import METRICS
from monitoring.axes import CategoricalAxis
from monitoring.tasks.binary_metrics import ratio
from monitoring.tasks.intervals import CHUNK, DRAWS, HALF, UNKNOWN, bounds, corrected, wilson
from monitoring.tasks.task import Bools, Bounds, Difference, Floats, Cells, Task


class Multiclass(Task):
    """Counts are rows by class that the model named and class that came true (or none), shape (K, K + 1).

    Args:
        classes: their names, by which the monitoring table calls them; they are numbers here, from 0 on.
    """

    metrics = METRICS["multiclass"]
    label_text = "one of data.classes"
    score_text = "one of data.classes"

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.shape = len(classes), len(classes) + 1
        self.score_axis = self.label_axis = self._axis = CategoricalAxis(levels=classes)

    def numbers(self, column: pa.Array) -> tuple[Floats, Bools | None]:
        """The place of each class; K for a value that is none."""
        cells, _ = self._axis.cells(column)
        return np.where(cells == self._axis.null, np.nan, cells), None

    def is_valid_score(self, numbers: Floats) -> Bools:
        """A place of a class."""
        found: Bools = (numbers >= 0) & (numbers < len(self.classes)) & (np.floor(numbers) == numbers)
        return found

    def is_valid_label(self, numbers: Floats) -> Bools:
        """A place of a class."""
        return self.is_valid_score(numbers)

    def cells(self, scores: Floats, labels: Floats) -> tuple[Cells, ...]:
        """By class that was named and class that came true."""
        size = len(self.classes)
        true = np.where(np.isnan(labels), size, labels)
        return ((np.where(self.is_valid_score(scores), scores, 0) * (size + 1) + true).astype(np.intp),)

    def evaluate(self, metric: str, known: NDArray[Any]) -> Any:
        """As scikit-learn defines it."""
        return CONFUSION[metric](known.astype(np.float64))

    def interval(self, metric: str, known: NDArray[Any], confidence: float, seed: int) -> Bounds:
        """Wilson's for accuracy, else quantiles of 1,000 multinomial draws of as many rows.

        Only their spread is taken: with ten classes of 30 rows, what is added to them (`_padded`) would move the middle
        by as much. Bias-corrected: a class that comes true more often, by chance, is named right more often too.
        """
        value = float(self.evaluate(metric, known))
        if math.isnan(value):
            return UNKNOWN
        if metric == "accuracy":
            return wilson(float(np.trace(known)), float(known.sum()), confidence)
        weights = _padded(known)
        drawn = np.random.default_rng(seed).multinomial(known.sum(), (weights / weights.sum()).ravel(), size=DRAWS)
        around = self.evaluate(metric, drawn.reshape(DRAWS, *known.shape)) - self.evaluate(metric, weights)
        low, high = corrected(value + around, value, confidence)
        return max(low, 0.0), min(high, 1.0)

    def paired_difference(
        self, metric: str, labels: ArrayLike, one: ArrayLike, other: ArrayLike, *, confidence: float, seed: int
    ) -> Difference:
        """Rows are drawn with both answers, so that what is hard for both models cancels out.

        Half a row more in each of right and right, right and wrong, wrong and right, wrong and wrong of each class: as
        for binary models, a class of few rows would else seem to have no spread.
        """
        label, first, second = (np.asarray(side, np.float64) for side in (labels, one, other))
        sides = [self.counted(label, side) for side in (first, second)]
        champion, challenger = (float(self.evaluate(metric, side)) for side in sides)
        difference = challenger - champion
        if math.isnan(difference):
            return (math.nan, *UNKNOWN)
        shape = (len(self.classes),) * 3
        places = np.ravel_multi_index(tuple(side.astype(np.intp) for side in (first, second, label)), shape)
        kinds = np.bincount(places, minlength=math.prod(shape)).reshape(shape)
        weights, rng = _smoothed(kinds), np.random.default_rng(seed)
        middle = self.evaluate(metric, weights.sum(axis=0)) - self.evaluate(metric, weights.sum(axis=1))
        around = self._drawn(metric, weights, len(label), rng) - middle
        return (difference, *bounds(difference + around, difference, confidence))

    def _drawn(self, metric: str, weights: Floats, rows: int, rng: np.random.Generator) -> Floats:
        """Differences in draws of so many rows from weights by both answers and label."""
        size, used = len(self.classes), np.flatnonzero(weights)
        one, other, label = np.unravel_index(used, weights.shape)
        chances = weights.ravel()[used] / weights.sum()
        found = []
        for _ in range(DRAWS // CHUNK):
            drawn = rng.multinomial(rows, chances, size=CHUNK)
            sides = [
                np.stack([np.bincount(side * size + label, row, size**2) for row in drawn]).reshape(CHUNK, size, size)
                for side in (one, other)
            ]
            found.append(self.evaluate(metric, sides[1]) - self.evaluate(metric, sides[0]))
        return np.concatenate(found)


def _padded(known: NDArray[Any]) -> Floats:
    """Rows by class named and true, with one row more for each class that came true: half right, half anywhere else.

    Else a class of few rows, all named alike, would seem to have no spread.
    """
    added = np.full(known.shape, HALF / (len(known) - 1))
    np.fill_diagonal(added, HALF)
    padded: Floats = known + added * known.any(axis=0)
    return padded


def _smoothed(kinds: NDArray[Any]) -> Floats:
    """Rows by both answers and label, with half a row more for who is right; what is wrong is as the class has it."""
    weights = kinds.astype(np.float64)
    for label in np.flatnonzero(kinds.any(axis=(0, 1))):
        either = kinds[:, :, label].sum(axis=0) + kinds[:, :, label].sum(axis=1)
        either[label] = -1
        wrong = int(either.argmax())
        for one in (label, wrong):
            for other in (label, wrong):
                weights[one, other, label] += HALF
    return weights


def _parts(known: Floats) -> tuple[Floats, Floats, Floats]:
    """By class: rows named and true, rows named, rows true; of counts by class named and true."""
    return np.diagonal(known, axis1=-2, axis2=-1), known.sum(-1), known.sum(-2)


def _mean(values: Floats, weights: Floats) -> Floats:
    """Over the classes; a value that is NaN there counts as 0."""
    return ratio((np.nan_to_num(values) * weights).sum(-1), weights.sum(-1))


def accuracy(known: Floats) -> Floats:
    """Share of rows whose class was named."""
    right, named, _ = _parts(known)
    return ratio(right.sum(-1), named.sum(-1))


def balanced_accuracy(known: Floats) -> Floats:
    """Mean over the classes that came true of the share of their rows that was named."""
    right, _, true = _parts(known)
    return _mean(ratio(right, true), (true > 0).astype(np.float64))


def precision_macro(known: Floats) -> Floats:
    """Mean over the classes that were named or came true of the share of right rows among those named; 0 for none."""
    right, named, true = _parts(known)
    return _mean(ratio(right, named), (named + true > 0).astype(np.float64))


def precision_weighted(known: Floats) -> Floats:
    """As `precision_macro`, weighted by how often classes came true."""
    right, named, true = _parts(known)
    return _mean(ratio(right, named), true)


def f1_macro(known: Floats) -> Floats:
    """Mean over the classes that were named or came true of the harmonic mean of precision and recall."""
    right, named, true = _parts(known)
    return _mean(ratio(2 * right, named + true), (named + true > 0).astype(np.float64))


def f1_weighted(known: Floats) -> Floats:
    """As `f1_macro`, weighted by how often classes came true."""
    right, named, true = _parts(known)
    return _mean(ratio(2 * right, named + true), true)


CONFUSION: Mapping[str, Callable[[Floats], Floats]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "precision_macro": precision_macro,
    "precision_weighted": precision_weighted,
    "f1_macro": f1_macro,
    "f1_weighted": f1_weighted,
}
