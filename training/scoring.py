"""Ask a fitted estimator in the way of its task, and turn answers and labels into what tables and estimators hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.config import Data
from core.errors import ConfigError
from monitoring.tasks import BINARY, Task

if TYPE_CHECKING:
    import pandas as pd

# A library's words may quote a row.
WORDS = "what the library says may hold values of rows: mlops --traceback train shows it, on a machine of yours."


def score(estimator: Any, rows: pd.DataFrame, task: Task = BINARY) -> NDArray[np.float64]:
    """What a model says of each row of features, as the numbers of `Task`: for a binary one, the chance of label 1.

    Raises:
        ConfigError: the estimator does not give such answers.
    """
    try:
        answers = np.asarray(getattr(estimator, task.required_methods[1])(rows))
        said = task.to_scores(answers)
    except Exception as err:
        raise ConfigError(
            f"The model could not score {len(rows)} rows ({type(err).__name__}).",
            why="It does not take what these rows hold: missing values, categories that it was not fitted on.",
            fix=f"Mend build() in its pipeline.py; {WORDS}",
        ) from err
    if said is None or said.shape != (len(rows),) or not task.is_valid_score(said).all():
        raise ConfigError(
            f"The model gives an array of shape {answers.shape} for {len(rows)} rows, or not {task.score_text}.",
            why=f"Its {task.required_methods[1]} must give {task.answer_text} for each row.",
            fix="Mend build() in its pipeline.py, or the task.",
        )
    return said


def scoring_method(estimator: Any) -> str:
    """The method that serves: the chances of two classes, else the answer itself."""
    several = len(getattr(estimator, "classes_", ())) > 2  # noqa: PLR2004
    return "predict_proba" if not several and hasattr(estimator, "predict_proba") else "predict"


def fingerprint(estimator: Any, rows: pd.DataFrame) -> NDArray[np.float64]:
    """A number for each row that tells whether an estimator is still the one it was, whatever its task."""
    answers = np.asarray(getattr(estimator, scoring_method(estimator))(rows))
    if answers.ndim == 2:  # noqa: PLR2004 - a column a class
        answers = answers[:, -1]
    return (answers if answers.dtype.kind in "fiub" else np.searchsorted(estimator.classes_, answers)).astype(
        np.float64
    )


def to_table_values(numbers: ArrayLike, data: Data) -> list[Any]:
    """What a model said, or what came true, as the monitoring table holds it: names of classes, else numbers."""
    found = np.asarray(numbers)
    return found.tolist() if data.classes is None else [data.classes[place] for place in found.astype(np.intp).tolist()]


def to_estimator_labels(labels: ArrayLike, data: Data) -> NDArray[Any]:
    """What an estimator is fitted on: names of classes as text, else the numbers."""
    return np.asarray(labels) if data.classes is None else np.asarray(data.classes)[np.asarray(labels, np.intp)]


def label_type(data: Data) -> type[np.generic]:
    """How labels are held in a frame: classes by their place, others as they are."""
    if data.label_range is not None:
        return np.float64
    return np.int8 if data.classes is None else np.int16
