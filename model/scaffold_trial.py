"""Fit the proposed model on a few spans of the sample, and say what each is worth on the rows after it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.config import ModelConfig
from core.errors import DataError
from core.policy import Metric
from model import rows, training
from model.pipelines import Build
from monitoring.task import Bounds, Task
from monitoring.tasks import task_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SPANS = 3


@dataclass(frozen=True)
class Trial:
    """A fit on one span, and what it says of the later rows of that span."""

    estimator: Any
    holdout: pd.DataFrame
    labels: NDArray[Any]
    said: NDArray[np.float64]
    config: ModelConfig

    @property
    def task(self) -> Task:
        """Of the model."""
        return task_of(self.config)

    def value(self, metric: Metric) -> float:
        """A metric on the later rows."""
        return self._of(metric, self.said)

    def guess(self, metric: Metric) -> float:
        """What the metric is without a model: for every row the commonest class, or the middle label."""
        if metric == "r2":
            return 0.0
        always = np.median(self.labels) if self.config.task == "regression" else np.bincount(self.labels).argmax()
        return self._of(metric, np.full(len(self.labels), always, np.float64))

    def _of(self, metric: Metric, said: NDArray[np.float64]) -> float:
        return float(self.task.evaluate(metric, self.task.counted(self.labels, said)))

    def bounds(self, metric: Metric, confidence: float) -> Bounds:
        """Where the metric surely lies."""
        counts = self.task.counted(self.labels, self.said)
        return self.task.interval(metric, counts, confidence, self.config.training.seed)


def trials(batches: Sequence[pa.RecordBatch], config: ModelConfig, build: Build, end: dt.datetime) -> list[Trial]:
    """Up to three trials, the newest on rows before `end`, each a holdout earlier than the one before.

    Raises:
        DataError: even the newest rows cannot be trained on.
    """
    table = rows.frame(batches, config.data, dt.datetime.max.replace(tzinfo=dt.UTC))
    config = config.model_copy(update={"training": config.training.model_copy(update={"min_rows": 50})})
    moments = table[config.data.columns.time]
    window = dt.timedelta(days=config.training.window_days)
    found: list[Trial] = []
    for number in range(SPANS):
        until = end - number * math.ceil(config.training.holdout * window.days) * dt.timedelta(days=1)
        if number and until - window < moments.min().floor("D"):
            break
        try:
            parts = training.split(table[(moments >= until - window) & (moments < until)], config)
        except DataError:
            if not number:
                raise
            break
        found.append(_trial(parts, config, build))
    return found


def _trial(parts: training.Split, config: ModelConfig, build: Build) -> Trial:
    estimator = training.fit(build, config, parts)
    holdout = training.features(parts.holdout, config.data)
    labels = parts.holdout[config.data.columns.label].to_numpy()
    return Trial(estimator, holdout, labels, training.score(estimator, holdout, task_of(config)), config)
