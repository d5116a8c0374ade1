"""Scores of a fitted estimator, and conversion of scores and labels between estimators, frames and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.config import Data
from core.errors import ConfigError
from monitoring.tasks import BINARY, Task

if TYPE_CHECKING:
    import pandas as pd

# A library's error may quote a row, and logs of workflows are read by many.
ERROR_TEXT = "The library's error may quote rows: mlops --traceback train shows it, on your own machine."


def score(estimator: Any, rows: pd.DataFrame, task: Task = BINARY) -> NDArray[np.float64]:
    """Return the score of each row as `Task` defines it: for a binary task, the probability of label 1.

    Raises:
        ConfigError: the estimator fails, or does not return scores of this task.
    """
    try:
        predictions = np.asarray(getattr(estimator, task.required_methods[1])(rows))
        scores = task.to_scores(predictions)
    except Exception as err:
        raise ConfigError(
            f"The model could not score {len(rows)} rows ({type(err).__name__}).",
            why="It may not accept missing values, or categories that it was not fitted on.",
            fix=f"Fix build() in its pipeline.py. {ERROR_TEXT}",
        ) from err
    if scores is None or scores.shape != (len(rows),) or not task.is_valid_score(scores).all():
        raise ConfigError(
            f"The model returns an array of shape {predictions.shape} for {len(rows)} rows, or not {task.score_text}.",
            why=f"Its {task.required_methods[1]} must return {task.answer_text} for each row.",
            fix="Fix build() in its pipeline.py, or the task in model.toml.",
        )
    return scores


def scoring_method(estimator: Any) -> str:
    """Return the name of the method that serves: `predict_proba` for two classes, else `predict`."""
    several = len(getattr(estimator, "classes_", ())) > 2  # noqa: PLR2004
    return "predict_proba" if not several and hasattr(estimator, "predict_proba") else "predict"


def fingerprint(estimator: Any, rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return a number for each row by which an estimator of any task is compared with itself after loading."""
    predictions = np.asarray(getattr(estimator, scoring_method(estimator))(rows))
    if predictions.ndim == 2:  # noqa: PLR2004 - a column for each class
        predictions = predictions[:, -1]
    if predictions.dtype.kind not in "fiub":
        predictions = np.searchsorted(estimator.classes_, predictions)
    return predictions.astype(np.float64)


def to_table_values(numbers: ArrayLike, data: Data) -> list[Any]:
    """Return scores or labels as the monitoring table holds them: names of classes, else numbers."""
    values = np.asarray(numbers)
    if data.classes is None:
        return values.tolist()  # type: ignore[no-any-return]
    return [data.classes[position] for position in values.astype(np.intp).tolist()]


def to_estimator_labels(labels: ArrayLike, data: Data) -> NDArray[Any]:
    """Return labels as an estimator is fitted on them: names of classes, else the numbers."""
    return np.asarray(labels) if data.classes is None else np.asarray(data.classes)[np.asarray(labels, np.intp)]


def label_type(data: Data) -> type[np.generic]:
    """Return the dtype of labels in a frame: classes by their position, others as they are."""
    if data.label_range is not None:
        return np.float64
    return np.int8 if data.classes is None else np.int16
