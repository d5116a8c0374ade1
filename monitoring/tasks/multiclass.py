"""Multiclass classification: models that predict one of several classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from core.arrow import Bools, Floats
from core.config import METRICS, Metric
from monitoring.axes import CategoricalAxis
from monitoring.tasks.binary_metrics import ratio
from monitoring.tasks.intervals import CHUNK, DRAWS, HALF, UNKNOWN, bounds, corrected, wilson
from monitoring.tasks.task import Bounds, Cells, Difference, FitScores, Task

FEW = 5  # held-out rows of a class; with fewer, each would move the mean over classes too far


class Multiclass(Task):
    """Counts are rows by predicted class and label (or none), shape (K, K + 1).

    Args:
        classes: the names of the classes in the monitoring table; here classes are numbers from 0 on.
    """

    metrics = METRICS["multiclass"]
    label_text = "one of data.classes"
    score_text = answer_text = "one of data.classes"

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.shape = len(classes), len(classes) + 1
        self.score_axis = self.label_axis = self._axis = CategoricalAxis(levels=classes)

    def numbers(self, column: pa.Array) -> tuple[Floats, Bools | None]:
        """Return the position of each class; K for a value that is not a class."""
        cells, _ = self._axis.cells(column)
        return np.where(cells == self._axis.null, np.nan, cells), None

    def is_valid_score(self, numbers: Floats) -> Bools:
        """Return which numbers are positions of classes."""
        valid: Bools = (numbers >= 0) & (numbers < len(self.classes)) & (np.floor(numbers) == numbers)
        return valid

    def is_valid_label(self, numbers: Floats) -> Bools:
        """Return which numbers are positions of classes."""
        return self.is_valid_score(numbers)

    def to_scores(self, predictions: NDArray[Any]) -> Floats | None:
        """Return the position of each predicted class."""
        positions = {name: float(position) for position, name in enumerate(self.classes)}
        return np.array([positions.get(str(prediction), np.nan) for prediction in predictions.tolist()])

    def cells(self, scores: Floats, labels: Floats) -> tuple[Cells, ...]:
        """Return one cell a row, by predicted class and label."""
        size = len(self.classes)
        true = np.where(np.isnan(labels), size, labels)
        return ((np.where(self.is_valid_score(scores), scores, 0) * (size + 1) + true).astype(np.intp),)

    def evaluate(self, metric: str, labelled: NDArray[Any]) -> Any:
        """Return the metric as scikit-learn defines it."""
        return CONFUSION[metric](labelled.astype(np.float64))

    def interval(self, metric: str, labelled: NDArray[Any], confidence: float, seed: int) -> Bounds:
        """Wilson's for accuracy, else quantiles of 1,000 multinomial draws of as many rows.

        Only their spread is taken: with ten classes of 30 rows, what is added to them (`_padded`) would move the middle
        by as much. Bias-corrected: a class that comes true more often, by chance, is named right more often too.
        """
        value = float(self.evaluate(metric, labelled))
        if math.isnan(value):
            return UNKNOWN
        if metric == "accuracy":
            return wilson(float(np.trace(labelled)), float(labelled.sum()), confidence)
        weights = _padded(labelled)
        drawn = np.random.default_rng(seed).multinomial(labelled.sum(), (weights / weights.sum()).ravel(), size=DRAWS)
        around = self.evaluate(metric, drawn.reshape(DRAWS, *labelled.shape)) - self.evaluate(metric, weights)
        low, high = corrected(value + around, value, confidence)
        return max(low, 0.0), min(high, 1.0)

    def paired_difference(
        self,
        metric: str,
        labels: ArrayLike,
        champion: ArrayLike,
        challenger: ArrayLike,
        *,
        confidence: float,
        seed: int,
    ) -> Difference:
        """Return the difference, and bounds from draws of rows with both scores: what is hard for both cancels out.

        Half a row more in each of right and right, right and wrong, wrong and right, wrong and wrong of each class: as
        for binary models, a class of few rows would else seem to have no spread.
        """
        label, first, second = (np.asarray(side, np.float64) for side in (labels, champion, challenger))
        values = [float(self.evaluate(metric, self.counted(label, side))) for side in (first, second)]
        difference = values[1] - values[0]
        if math.isnan(difference):
            return (math.nan, *UNKNOWN)
        shape = (len(self.classes),) * 3
        places = np.ravel_multi_index(tuple(side.astype(np.intp) for side in (first, second, label)), shape)
        kinds = np.bincount(places, minlength=math.prod(shape)).reshape(shape)
        weights, rng = _smoothed(kinds), np.random.default_rng(seed)
        middle = self.evaluate(metric, weights.sum(axis=0)) - self.evaluate(metric, weights.sum(axis=1))
        around = self._drawn(metric, weights, len(label), rng) - middle
        return (difference, *bounds(difference + around, difference, confidence))

    def suggest_metric(self, rarest_share: float, fits: Sequence[FitScores]) -> tuple[Metric, str]:  # noqa: ARG002
        """Return a metric that weights classes by their rows if one class has few."""
        rows = min(int(np.bincount(label, minlength=len(self.classes)).min()) for label, _ in fits)
        metric: Metric = "balanced_accuracy" if rows >= FEW else "f1_weighted"
        return metric, f"the rarest class is on {rows} of the later rows of a quick fit"

    def describe_labels(self, labels: NDArray[Any]) -> str:
        """Return how many of the classes occur."""
        return f"of {len(np.unique(labels))} of {len(self.classes)} classes"

    def _drawn(self, metric: str, weights: Floats, rows: int, rng: np.random.Generator) -> Floats:
        """Differences in draws of `rows` rows from weights by both answers and label."""
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


def _padded(labelled: NDArray[Any]) -> Floats:
    """Rows by class named and true, with one more row for each class that occurs: half right, half anywhere else.

    Else a class of few rows, all named alike, would seem to have no spread.
    """
    added = np.full(labelled.shape, HALF / (len(labelled) - 1))
    np.fill_diagonal(added, HALF)
    padded: Floats = labelled + added * labelled.any(axis=0)
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


def _parts(labelled: Floats) -> tuple[Floats, Floats, Floats]:
    """By class: rows named and true, rows named, rows true; of counts by class named and true."""
    return np.diagonal(labelled, axis1=-2, axis2=-1), labelled.sum(-1), labelled.sum(-2)


def _mean(values: Floats, weights: Floats) -> Floats:
    """Over the classes; a value that is NaN there counts as 0."""
    return ratio((np.nan_to_num(values) * weights).sum(-1), weights.sum(-1))


def accuracy(labelled: Floats) -> Floats:
    """Share of rows whose class was named."""
    right, named, _ = _parts(labelled)
    return ratio(right.sum(-1), named.sum(-1))


def balanced_accuracy(labelled: Floats) -> Floats:
    """Mean over the classes that occur as labels of the share of their rows that was named."""
    right, _, true = _parts(labelled)
    return _mean(ratio(right, true), (true > 0).astype(np.float64))


def precision_macro(labelled: Floats) -> Floats:
    """Mean over the classes that were named or occur of the share of right rows among those named; 0 for none."""
    right, named, true = _parts(labelled)
    return _mean(ratio(right, named), (named + true > 0).astype(np.float64))


def precision_weighted(labelled: Floats) -> Floats:
    """As `precision_macro`, weighted by how often each class occurs as a label."""
    right, named, true = _parts(labelled)
    return _mean(ratio(right, named), true)


def f1_macro(labelled: Floats) -> Floats:
    """Mean over the classes that were named or occur as labels of the harmonic mean of precision and recall."""
    right, named, true = _parts(labelled)
    return _mean(ratio(2 * right, named + true), (named + true > 0).astype(np.float64))


def f1_weighted(labelled: Floats) -> Floats:
    """As `f1_macro`, weighted by how often each class occurs as a label."""
    right, named, true = _parts(labelled)
    return _mean(ratio(2 * right, named + true), true)


CONFUSION: Mapping[str, Callable[[Floats], Floats]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "precision_macro": precision_macro,
    "precision_weighted": precision_weighted,
    "f1_macro": f1_macro,
    "f1_weighted": f1_weighted,
}
