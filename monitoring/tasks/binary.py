"""Binary classification: models that give the probability of label 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from core.arrow import Bools, Floats, arrays
from core.config import METRICS, Metric
from monitoring.axes import CategoricalAxis, NumericAxis
from monitoring.tasks import binary_metrics, intervals
from monitoring.tasks.calibration import Calibration, fit_calibration
from monitoring.tasks.outcome_columns import CELLS, cells_of
from monitoring.tasks.task import Bounds, Cells, Difference, FitScores, Task

SCORE_AXIS = NumericAxis(
    form="edges", origin=0.0, scale=1.0, cuts=tuple(cell / CELLS for cell in range(CELLS)), low=0.0, high=1.0
)
LABEL_AXIS = CategoricalAxis(levels=("0", "1"))
RARE = 0.05  # share of a label below which ranking metrics are steadier than those with a threshold


class Binary(Task):
    """Counts are rows by score cell and label (0, 1, none), shape (1000, 3).

    Args:
        threshold: rows with this probability or more count as predicted 1.
    """

    metrics = METRICS["binary"]
    shape = (CELLS, 3)
    score_axis = SCORE_AXIS
    label_axis = LABEL_AXIS
    label_values = np.arange(2.0)
    label_text = "0 or 1"
    score_text = "a probability between 0 and 1"
    answer_text = "two columns of probabilities, for label 0 and label 1,"
    min_distinct_text = "both labels"
    max_distinct = 2
    mean_label = "label 1 is on {} of the rows", ".1%"
    required_methods = "fit", "predict_proba"
    estimable = True

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def numbers(self, column: pa.Array) -> tuple[Floats, Bools | None]:
        """Return numbers and booleans; text is never read as a number."""
        return arrays.numbers(column)

    def is_valid_score(self, numbers: Floats) -> Bools:
        """Return which numbers are in [0, 1]."""
        valid: Bools = (numbers >= 0) & (numbers <= 1)
        return valid

    def is_valid_label(self, numbers: Floats) -> Bools:
        """Return which numbers are 0 or 1."""
        valid: Bools = (numbers == 0) | (numbers == 1)
        return valid

    def to_scores(self, predictions: NDArray[Any]) -> Floats | None:
        """Return the second of two columns of probabilities."""
        two_columns = predictions.ndim == 2 and predictions.shape[1] == 2  # noqa: PLR2004 - a column a label
        return predictions[:, 1].astype(np.float64) if two_columns else None

    def cells(self, scores: Floats, labels: Floats) -> tuple[Cells, ...]:
        """Return one cell a row, by score and label."""
        return (3 * cells_of(scores)[0] + np.where(np.isnan(labels), 2, labels).astype(np.intp),)

    def evaluate(self, metric: str, labelled: NDArray[Any]) -> Any:
        """Return what `binary_metrics.evaluate` returns."""
        return binary_metrics.evaluate(metric, labelled, self.threshold)

    def interval(self, metric: str, labelled: NDArray[Any], confidence: float, seed: int) -> Bounds:
        """Return what `intervals.interval` returns."""
        return intervals.interval(metric, labelled, self.threshold, confidence, seed)

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
        """Return what `intervals.paired_difference` returns."""
        return intervals.paired_difference(metric, labels, champion, challenger, self.threshold, confidence, seed)

    def suggest_metric(self, rarest_share: float, fits: Sequence[FitScores]) -> tuple[Metric, str]:  # noqa: ARG002
        """Return a ranking metric if one label is rare."""
        metric: Metric = "balanced_accuracy" if rarest_share >= RARE else "roc_auc"
        return metric, f"the rarer label is on {rarest_share:.1%} of the rows"

    def describe_labels(self, labels: NDArray[Any]) -> str:
        """Return how many labels are 1."""
        return f"{int(labels.sum())} with label 1"

    def positives(self, labelled: NDArray[Any]) -> int:
        """Return how many labels are 1."""
        return int(self.by_label(labelled)[1])

    def calibrate(self, days: Sequence[NDArray[Any]]) -> Calibration | None:
        """Return what `fit_calibration` returns."""
        return fit_calibration(days)


BINARY = Binary()  # for counting, which needs no threshold
