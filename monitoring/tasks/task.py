"""Let every stage know a model's task by one face: how what it said and what came true are counted and judged."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from core.config import Metric
from core.errors import DataError
from monitoring.axes import Axis

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Cells = NDArray[np.intp]
Bounds = tuple[float, float]
Difference = tuple[float, float, float]


class Task(ABC):
    """What differs between binary, multiclass and regression; of every metric, more is better.

    What a model said of a row and what came true are numbers here (`said`, `labels`): a probability and 0 or 1, the
    places of two classes in the config, or two values in the unit of the label.

    `shape` is that of a day's counts: score cells, and in how many columns they are counted. The last column has the
    rows without a label; the others, `known`, are what metrics are made of. `score_axis` and `label_axis` name cells.
    """

    metrics: tuple[Metric, ...]
    shape: tuple[int, int]
    score_axis: Axis
    label_axis: Axis
    label_text: str  # as in: a label is `0 or 1`
    score_text: str  # as in: a score is `a probability between 0 and 1`

    @abstractmethod
    def numbers(self, column: pa.Array) -> tuple[Floats, Bools | None]:
        """A column of scores or labels as numbers, NaN where null; and where something else stands (None: nowhere)."""

    @abstractmethod
    def is_valid_score(self, numbers: Floats) -> Bools:
        """Which of these a model can have said."""

    @abstractmethod
    def is_valid_label(self, numbers: Floats) -> Bools:
        """Which of these can have come true."""

    @abstractmethod
    def cells(self, scores: Floats, labels: Floats) -> tuple[Cells, ...]:
        """Where the rows are counted in the flattened `shape`, each in one or several places; at its end: nowhere.

        Args:
            said: what `is_valid_score` agrees to; where it does not, the place means nothing.
            labels: NaN where there is none.
        """

    @abstractmethod
    def evaluate(self, metric: str, known: NDArray[Any]) -> Any:
        """The metric, of shape (...) for counts of (..., S, W - 1); NaN where it is undefined."""

    @abstractmethod
    def interval(self, metric: str, known: NDArray[Any], confidence: float, seed: int) -> Bounds:
        """Lower and upper bound of a metric, each one-sided at `confidence`; NaN where it is undefined."""

    @abstractmethod
    def paired_difference(
        self, metric: str, labels: ArrayLike, one: ArrayLike, other: ArrayLike, *, confidence: float, seed: int
    ) -> Difference:
        """What `other` has more of a metric than `one` on the same rows, and its bounds; NaN where it is undefined."""

    def rows(self, counts: NDArray[Any]) -> int:
        """How many rows are counted, in all columns or in the known ones."""
        return int(counts.sum())

    def by_score(self, counts: NDArray[Any]) -> NDArray[np.int64]:
        """Rows by score cell, in all columns or in the known ones."""
        found: NDArray[np.int64] = counts.sum(axis=1)
        return found

    def by_label(self, known: NDArray[Any]) -> NDArray[np.int64]:
        """Labelled rows by cell of `label_axis`."""
        found: NDArray[np.int64] = known.sum(axis=0)
        return found

    def scores(self, column: pa.Array) -> Floats:
        """What the model said of each row; NaN where that is null or cannot be."""
        numbers, _ = self.numbers(column)
        return np.where(self.is_valid_score(numbers), numbers, np.nan)

    def labels(self, column: pa.Array) -> tuple[Floats, Bools]:
        """What came true of each row, NaN where that is unknown or cannot be; and of which rows it cannot be."""
        numbers, odd = self.numbers(column)
        good = self.is_valid_label(numbers)
        bad = ~good & ~np.isnan(numbers)
        return np.where(good, numbers, np.nan), bad if odd is None else bad | odd

    def counted(self, labels: ArrayLike, said: ArrayLike) -> NDArray[np.int64]:
        """The known counts of labelled rows.

        Raises:
            DataError: a label cannot have come true, or a model cannot have said what it said.
        """
        truth, answers = np.asarray(labels, np.float64), np.asarray(said, np.float64)
        self.require(truth, answers)
        size = math.prod(self.shape)
        places = self.cells(answers, truth)
        found = sum((np.bincount(place, minlength=size)[:size] for place in places), np.zeros(size, np.int64))
        return found.reshape(self.shape)[:, :-1]

    def require(self, labels: Floats, said: Floats) -> None:
        """Make sure that labels and what a model said of them can be counted.

        Raises:
            DataError: they cannot.
        """
        for numbers, right, what in (
            (labels, self.is_valid_label, f"labels are not {self.label_text}"),
            (said, self.is_valid_score, f"answers of a model are not {self.score_text}"),
        ):
            odd = int(np.count_nonzero(~right(numbers)))
            if odd:
                raise DataError(
                    f"{odd:,} of {len(numbers):,} {what}.",
                    why="The rows or the model belong to another task, or hold NaN.",
                    fix="Leave rows without a label out, and mend build() in pipeline.py or the task in model.toml.",
                )
