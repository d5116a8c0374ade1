"""Names of tasks and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Task = Literal["binary", "multiclass", "regression"]
# Names as in scikit-learn. More is better for each metric, so errors are negated; they are in the unit of the label.
BinaryMetric = Literal[
    "accuracy", "balanced_accuracy", "precision", "recall", "f1", "precision_weighted", "roc_auc", "average_precision"
]
MulticlassMetric = Literal[
    "accuracy", "balanced_accuracy", "precision_macro", "precision_weighted", "f1_macro", "f1_weighted"
]
RegressionMetric = Literal["r2", "neg_mean_absolute_error", "neg_root_mean_squared_error"]
Metric = Literal[BinaryMetric, MulticlassMetric, RegressionMetric]
METRICS: Mapping[Task, tuple[Metric, ...]] = {
    "binary": get_args(BinaryMetric),
    "multiclass": get_args(MulticlassMetric),
    "regression": get_args(RegressionMetric),
}


def is_share(metric: Metric) -> bool:
    """Return whether a metric is between 0 and 1."""
    return metric not in METRICS["regression"]
