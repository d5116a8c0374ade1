"""Judge models that say how probable label 1 is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from core.arrow import arrays
from core.config import METRICS
from monitoring.axes import CategoricalAxis, NumericAxis
from monitoring.tasks import binary_metrics, intervals
from monitoring.tasks.outcome_columns import CELLS, cells_of
from monitoring.tasks.task import Bools, Bounds, Difference, Floats, Cells, Task

SCORE_AXIS = NumericAxis(
    form="edges", origin=0.0, scale=1.0, cuts=tuple(cell / CELLS for cell in range(CELLS)), low=0.0, high=1.0
)
LABEL_AXIS = CategoricalAxis(levels=("0", "1"))


class Binary(Task):
    """Counts are rows by score cell and label (0, 1, none), shape (1000, 3).

    Args:
        threshold: from this probability on a row counts as predicted 1.
    """

    metrics = METRICS["binary"]
    shape = (CELLS, 3)
    score_axis = SCORE_AXIS
    label_axis = LABEL_AXIS
    label_text = "0 or 1"
    score_text = "a probability between 0 and 1"

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def numbers(self, column: pa.Array) -> tuple[Floats, Bools | None]:
        """Numbers and booleans; text is never read as a number."""
        return arrays.numbers(column)

    def is_valid_score(self, numbers: Floats) -> Bools:
        """In [0, 1]."""
        found: Bools = (numbers >= 0) & (numbers <= 1)
        return found

    def is_valid_label(self, numbers: Floats) -> Bools:
        """0 or 1."""
        found: Bools = (numbers == 0) | (numbers == 1)
        return found

    def cells(self, scores: Floats, labels: Floats) -> tuple[Cells, ...]:
        """By cell of the score and label."""
        return (3 * cells_of(scores)[0] + np.where(np.isnan(labels), 2, labels).astype(np.intp),)

    def evaluate(self, metric: str, known: NDArray[Any]) -> Any:
        """As `metrics.evaluate`."""
        return binary_metrics.evaluate(metric, known, self.threshold)

    def interval(self, metric: str, known: NDArray[Any], confidence: float, seed: int) -> Bounds:
        """As `intervals.interval`."""
        return intervals.interval(metric, known, self.threshold, confidence, seed)

    def paired_difference(
        self, metric: str, labels: ArrayLike, one: ArrayLike, other: ArrayLike, *, confidence: float, seed: int
    ) -> Difference:
        """As `intervals.paired_difference`."""
        return intervals.paired_difference(metric, labels, one, other, self.threshold, confidence, seed)


BINARY = Binary()  # for counting, which needs no threshold
