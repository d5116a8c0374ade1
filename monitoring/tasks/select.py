"""Task of a config."""

from __future__ import annotations

from core.config import Data, ModelConfig
from monitoring.tasks.binary import Binary
from monitoring.tasks.multiclass import Multiclass
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import Task


def task_of(config: ModelConfig) -> Task:
    """Return the task of a model, for counting and judging."""
    return task_for_data(config.data, config.training.threshold)


def task_for_data(data: Data, threshold: float = 0.5) -> Task:
    """Return the task of these rows. Counting needs no threshold."""
    if data.classes is not None:
        return Multiclass(data.classes)
    if data.label_range is not None:
        return Regression(*data.label_range)
    return Binary(threshold)
