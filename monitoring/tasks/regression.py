"""Regression: models that predict a number."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from core.arrow import Bools, Floats, arrays
from core.config import METRICS, Metric
from monitoring.axes import NumericAxis
from monitoring.tasks.binary_metrics import ratio
from monitoring.tasks.intervals import DRAWS, UNKNOWN, bounds, corrected, resampled
from monitoring.tasks.outcome_columns import CELLS
from monitoring.tasks.task import Bounds, Cells, Difference, FitScores, Task

SCORE, LABEL, ERROR, UNLABELLED = range(4)  # the columns of the counts
OCTAVES = 20  # errors are distinguished down to a millionth (2 ** -20) of the range of labels
STEP = OCTAVES / (CELLS - 1)  # octaves a cell
# What an error in each cell counts as: the geometric middle, at most 0.7% off; in the first one, nothing.
ERRORS = np.concatenate([[0.0], 2 ** (STEP * (np.arange(CELLS - 1) + 0.5) - OCTAVES)])
TINY = np.finfo(np.float64).tiny
GROUPS = 1000  # of rows that are drawn together if there are more rows
EXPLAINED = 0.1  # of the variance; below it, limits are clearer in the unit of the label


class Regression(Task):
    """Counts of 1,000 cells in four columns, shape (1000, 4).

    They are labelled rows by score, by label and by size of the error, and rows without a label by score. Cells of
    scores and labels are thousandths of the range of labels; a score beyond it is in the first or the last. Cells of
    errors widen with the error (1.4% each), so a mean of errors is at most 0.7% off, and a millionth of the range.
    An error larger than the range counts as the range.

    Args:
        low: the smallest label.
        high: the largest one.
    """

    metrics = METRICS["regression"]
    shape = (CELLS, 4)
    label_text = "a number in data.label_range"
    score_text = answer_text = "a finite number"

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self._reach = high - low
        cuts = tuple((low + self._reach * np.arange(CELLS) / CELLS).tolist())
        self.score_axis = self.label_axis = NumericAxis(
            form="edges", origin=0.0, scale=1.0, cuts=cuts, low=low, high=high
        )
        self.label_values = low + self.middles

    def numbers(self, column: pa.Array) -> tuple[Floats, Bools | None]:
        """Return numbers and booleans; text is never read as a number."""
        return arrays.numbers(column)

    def is_valid_score(self, numbers: Floats) -> Bools:
        """Return which numbers are finite."""
        return np.isfinite(numbers)

    def is_valid_label(self, numbers: Floats) -> Bools:
        """Return which numbers are in the range."""
        valid: Bools = (numbers >= self.low) & (numbers <= self.high)
        return valid

    def to_scores(self, predictions: NDArray[Any]) -> Floats | None:
        """Return the predicted numbers."""
        return predictions.astype(np.float64)

    def cells(self, scores: Floats, labels: Floats) -> tuple[Cells, ...]:
        """By score; and where there is a label, by label and by error, else both times in a cell that is cut off."""
        labelled, nowhere = ~np.isnan(labels), CELLS * 4
        finite, true = np.where(np.isfinite(scores), scores, self.low), np.where(labelled, labels, self.low)
        by_score = 4 * self._range_cells(finite) + np.where(labelled, SCORE, UNLABELLED)
        by_label, by_error = 4 * self._range_cells(true) + LABEL, 4 * self._error_cells(finite - true) + ERROR
        return by_score, np.where(labelled, by_label, nowhere), np.where(labelled, by_error, nowhere)

    def _range_cells(self, numbers: Floats) -> Cells:
        inside = np.clip(numbers, self.low, self.high)
        return np.minimum((inside - self.low) / self._reach * CELLS, CELLS - 1).astype(np.intp)

    def _error_cells(self, errors: Floats) -> Cells:
        size = np.maximum(np.minimum(np.abs(errors), self._reach) / self._reach, TINY)
        found: Cells = np.clip(np.floor((np.log2(size) + OCTAVES) / STEP) + 1, 0, CELLS - 1).astype(np.intp)
        return found

    def rows(self, counts: NDArray[Any]) -> int:
        """Rows by score, labelled or not."""
        return int(self.by_score(counts).sum())

    def by_score(self, counts: NDArray[Any]) -> NDArray[np.int64]:
        """The column of labelled rows, and where it is there that of the others."""
        found: NDArray[np.int64] = counts[:, SCORE] + counts[:, UNLABELLED:].sum(axis=1)
        return found

    def by_label(self, labelled: NDArray[Any]) -> NDArray[np.int64]:
        """The column of labels."""
        found: NDArray[np.int64] = labelled[:, LABEL]
        return found

    def evaluate(self, metric: str, labelled: NDArray[Any]) -> Any:
        """As scikit-learn defines it, of the middles of the cells."""
        errors = _moments(labelled[..., ERROR], self._reach * ERRORS)
        return OF_MEANS[metric](np.stack([*errors, *_moments(labelled[..., LABEL], self.middles)]))

    @property
    def middles(self) -> Floats:
        """Of the cells of labels, less `low`."""
        return self._reach * (np.arange(CELLS) + 0.5) / CELLS

    def interval(self, metric: str, labelled: NDArray[Any], confidence: float, seed: int) -> Bounds:
        """Quantiles of 1,000 draws of as many errors; for r2 also of as many labels, by themselves.

        Bias-corrected and accelerated: errors are skewed, and more so their squares. With heavy tails (Student's t, 5
        degrees of freedom) lower bounds of the root of their mean held in 91% of samples of 400 rows; plain ones did
        in 89%.
        """
        value = float(self.evaluate(metric, labelled))
        if math.isnan(value):
            return UNKNOWN
        rng = np.random.default_rng(seed)
        errors, labels = (
            _drawn(labelled[:, column], middles, rng)
            for column, middles in ((ERROR, self._reach * ERRORS), (LABEL, self.middles))
        )
        power = 1 if metric == "neg_mean_absolute_error" else 2
        drawn = OF_MEANS[metric](np.stack([*errors, *labels]))
        return corrected(drawn, value, confidence, -skewness(labelled[:, ERROR], ERRORS**power) / 6)

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
        """Rows are drawn with both errors, so that what is hard for both models cancels out.

        More than 1,000 rows are put at random into as many groups, and groups are drawn: for means of many rows that
        is as good, and takes no longer for a million rows.
        """
        label, first, second = (np.asarray(side, np.float64) for side in (labels, champion, challenger))
        before, after = (float(self.evaluate(metric, self.counted(label, side))) for side in (first, second))
        difference = after - before
        if math.isnan(difference):
            return (math.nan, *UNKNOWN)
        rng = np.random.default_rng(seed)
        group = rng.permutation(len(label)) % GROUPS
        size = min(len(label), GROUPS)
        middle = self.middles[self._range_cells(label)]
        errors = [self._reach * ERRORS[self._error_cells(side - label)] for side in (first, second)]
        values = (np.ones_like(label), middle, middle**2, *errors, *(error**2 for error in errors))
        sums = np.stack([np.bincount(group, value, size) for value in values], axis=1)
        drawn = rng.multinomial(size, np.full(size, 1 / size), size=DRAWS) @ sums
        rows, mean, squared, size_one, size_other, square_one, square_other = drawn.T
        sides = [
            OF_MEANS[metric](np.stack([size_, square, mean, squared]) / rows)
            for size_, square in ((size_one, square_one), (size_other, square_other))
        ]
        return (difference, *bounds(sides[1] - sides[0], difference, confidence))

    def suggest_metric(self, rarest_share: float, fits: Sequence[FitScores]) -> tuple[Metric, str]:  # noqa: ARG002
        """Return r2 if the fits explain enough of the variance, else the mean error."""
        values = [float(self.evaluate("r2", self.counted(labels, scores))) for labels, scores in fits]
        # NaN if all labels are in one cell.
        metric: Metric = "r2" if min(map(np.nan_to_num, values)) >= EXPLAINED else "neg_mean_absolute_error"
        return metric, f"r2 is at least {min(values):.3f} in {len(values)} quick fit{'s' if len(values) > 1 else ''}"

    def constant_score(self, labels: NDArray[Any]) -> float:
        """Return the median label."""
        return float(np.median(labels))


def _moments(counts: NDArray[Any], values: Floats) -> tuple[Floats, Floats]:
    """Mean of counted values, and of their squares, over the last dimension; NaN without counts."""
    found, rows = counts.astype(np.float64), counts.sum(-1)  # floats are what BLAS multiplies
    return ratio(found @ values, rows), ratio(found @ values**2, rows)


def _drawn(counts: NDArray[np.int64], values: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The moments in each of 1,000 draws of as many rows."""
    used = np.flatnonzero(counts)
    return _moments(resampled(counts[used], rng), values[used])


def skewness(counts: NDArray[Any], values: Floats) -> float:
    """Of counted values, over the root of their number; 0 where all are the same."""
    away = values - counts @ values / counts.sum()
    squares = float(counts @ away**2)
    return float(counts @ away**3) / squares**1.5 if squares > 0 else 0.0


def r2(means: Floats) -> Floats:
    """Share of the variance of labels that the model explains; under 0 where their mean would be better."""
    _, squared_error, mean, squared = means
    return 1 - ratio(squared_error, squared - mean**2)


def neg_mean_absolute_error(means: Floats) -> Floats:
    """Mean size of the errors, in the unit of the label, negated."""
    found: Floats = -means[0]
    return found


def neg_root_mean_squared_error(means: Floats) -> Floats:
    """Root of the mean squared error, in the unit of the label, negated."""
    found: Floats = -np.sqrt(means[1])
    return found


OF_MEANS: Mapping[str, Callable[[Floats], Floats]] = {
    "r2": r2,
    "neg_mean_absolute_error": neg_mean_absolute_error,
    "neg_root_mean_squared_error": neg_root_mean_squared_error,
}
