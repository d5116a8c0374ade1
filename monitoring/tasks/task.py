"""Interface of a task: how its scores and labels are counted, judged and described."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from core.arrow import Bools, Floats
from core.config import Metric
from core.errors import DataError
from monitoring.axes import Axis
from monitoring.tasks.calibration import Calibration

Cells = NDArray[np.intp]
Bounds = tuple[float, float]
Difference = tuple[float, float, float]
FitScores = tuple[NDArray[Any], Floats]  # labels and scores of the rows that a fit held out


class Task(ABC):
    """What differs between binary, multiclass and regression; of every metric, more is better.

    Scores and labels are numbers here: a probability and 0 or 1, the positions of two classes in the config, or two
    values in the unit of the label.

    `shape` is the shape of a day's counts: score cells, and the columns into which their rows are counted. The last
    column has the rows without a label. The other columns, `labelled`, are what metrics are computed from.
    `score_axis` and `label_axis` name the cells.
    """

    metrics: tuple[Metric, ...]
    shape: tuple[int, int]
    score_axis: Axis
    label_axis: Axis
    label_values: Floats | None = None  # of the cells of `label_axis`; None if labels have no mean
    label_text: str  # as in: a label is `0 or 1`
    score_text: str  # as in: a score is `a probability between 0 and 1`
    answer_text: str  # what the second of `required_methods` gives for each row
    min_distinct_text: ClassVar[str] = "several labels"  # which rows need at least, to be trained on and judged by
    max_distinct: ClassVar[int | None] = None
    mean_label: ClassVar[tuple[str, str]] = "the mean label is {}", ".4g"  # a phrase, and the format of its number
    required_methods: ClassVar[tuple[str, str]] = "fit", "predict"  # of an estimator; the second one scores
    estimable: ClassVar[bool] = False  # whether metrics can be estimated from scores alone

    @abstractmethod
    def numbers(self, column: pa.Array) -> tuple[Floats, Bools | None]:
        """Return a column as numbers, NaN where null, and which rows hold something else (None: no row)."""

    @abstractmethod
    def is_valid_score(self, numbers: Floats) -> Bools:
        """Return which numbers are scores of this task."""

    @abstractmethod
    def is_valid_label(self, numbers: Floats) -> Bools:
        """Return which numbers are labels of this task."""

    @abstractmethod
    def to_scores(self, predictions: NDArray[Any]) -> Floats | None:
        """Return what an estimator predicts as scores: NaN for an unknown class, None for an array of a wrong shape."""

    @abstractmethod
    def cells(self, scores: Floats, labels: Floats) -> tuple[Cells, ...]:
        """Return the cells of the flattened `shape` in which rows are counted; its length means: in none.

        Args:
            scores: if one is not valid, its cell has no meaning.
            labels: NaN for rows without a label.
        """

    @abstractmethod
    def evaluate(self, metric: str, labelled: NDArray[Any]) -> Any:
        """Return the metric, of shape (...) for counts of (..., S, W - 1); NaN where it is undefined."""

    @abstractmethod
    def interval(self, metric: str, labelled: NDArray[Any], confidence: float, seed: int) -> Bounds:
        """Return the bounds of a metric, each one-sided at `confidence`; NaN where it is undefined."""

    @abstractmethod
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
        """Return the metric of challenger minus champion on the same rows, with bounds; NaN where it is undefined."""

    @abstractmethod
    def suggest_metric(self, rarest_share: float, fits: Sequence[FitScores]) -> tuple[Metric, str]:
        """Return the metric to decide by, and the reason.

        Args:
            rarest_share: of the rarest label in the table.
            fits: labels and scores of the held-out rows of some fits.
        """

    def constant_score(self, labels: NDArray[Any]) -> float:
        """Return the score to give every row when there is no model: the most frequent label."""
        return float(np.bincount(labels).argmax())

    def describe_labels(self, labels: NDArray[Any]) -> str:
        """Return how many labels of which kind these are."""
        return f"with {len(np.unique(labels))} different labels"

    def positives(self, labelled: NDArray[Any]) -> int | None:  # noqa: ARG002 - only binary tasks use it
        """Return how many labels are 1; None if the task has no such label."""
        return None

    def calibrate(self, days: Sequence[NDArray[Any]]) -> Calibration | None:  # noqa: ARG002 - only binary tasks use it
        """Return how to read scores as probabilities, from labelled counts by day; None if there are too few rows."""
        return None

    def rows(self, counts: NDArray[Any]) -> int:
        """Return how many rows are counted, in all columns or in the labelled ones."""
        return int(counts.sum())

    def by_score(self, counts: NDArray[Any]) -> NDArray[np.int64]:
        """Return rows by score cell, from all columns or from the labelled ones."""
        rows: NDArray[np.int64] = counts.sum(axis=1)
        return rows

    def by_label(self, labelled: NDArray[Any]) -> NDArray[np.int64]:
        """Return labelled rows by cell of `label_axis`."""
        rows: NDArray[np.int64] = labelled.sum(axis=0)
        return rows

    def scores(self, column: pa.Array) -> Floats:
        """Return the score of each row; NaN where it is null or not valid."""
        numbers, _ = self.numbers(column)
        return np.where(self.is_valid_score(numbers), numbers, np.nan)

    def labels(self, column: pa.Array) -> tuple[Floats, Bools]:
        """Return the label of each row, NaN where it is null or not valid, and which rows have an invalid one."""
        numbers, other = self.numbers(column)
        valid = self.is_valid_label(numbers)
        invalid = ~valid & ~np.isnan(numbers)
        return np.where(valid, numbers, np.nan), invalid if other is None else invalid | other

    def counted(self, labels: ArrayLike, scores: ArrayLike) -> NDArray[np.int64]:
        """Return the counts of labelled rows.

        Raises:
            DataError: a label or a score is not valid.
        """
        label, score = np.asarray(labels, np.float64), np.asarray(scores, np.float64)
        for numbers, is_valid, what in (
            (label, self.is_valid_label, f"labels are not {self.label_text}"),
            (score, self.is_valid_score, f"scores of the model are not {self.score_text}"),
        ):
            invalid = int(np.count_nonzero(~is_valid(numbers)))
            if invalid:
                raise DataError(
                    f"{invalid:,} of {len(numbers):,} {what}.",
                    why="The rows or the model belong to another task, or hold NaN.",
                    fix="Leave out rows without a label, and fix build() in pipeline.py or the task in model.toml.",
                )
        size = math.prod(self.shape)
        rows = sum((np.bincount(cell, minlength=size)[:size] for cell in self.cells(score, label)), np.zeros(size, int))
        return rows.reshape(self.shape)[:, :-1]
