"""Fit the proposed model on a few spans of the sample, and say what each is worth on the rows after it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.config import Metric, ModelConfig
from core.errors import DataError
from monitoring.tasks import Task, task_of
from training import Build, Split, features, fit_estimator, labelled_frame, score, split_rows

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

NEAR, FAR = 3, 3  # trials that follow each other, and those before them


@dataclass(frozen=True)
class Trial:
    """A fit on one span, and what it says of the rows of that span from `day` on."""

    estimator: Any
    holdout: pd.DataFrame
    labels: NDArray[Any]
    said: NDArray[np.float64]
    day: dt.date
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
        return self._of(metric, np.full(len(self.labels), self.task.constant_score(self.labels)))

    def _of(self, metric: Metric, said: NDArray[np.float64]) -> float:
        return float(self.task.evaluate(metric, self.task.counted(self.labels, said)))

    def low(self, metric: Metric, confidence: float) -> float:
        """The lower bound of the metric, one-sided at `confidence`."""
        seed = self.config.training.seed
        if metric != "r2":
            return self.task.interval(metric, self.task.counted(self.labels, self.said), confidence, seed)[0]
        # Drawn together, large labels and their large errors cancel out, as counts of each by itself cannot.
        always = np.full(len(self.labels), self.labels.mean())
        sides = self.labels, always, self.said
        more, low, _ = self.task.paired_difference(metric, *sides, confidence=confidence, seed=seed)
        return self.value(metric) - (more - low)


def trials(batches: Sequence[pa.RecordBatch], config: ModelConfig, build: Build, end: dt.datetime) -> list[Trial]:
    """A few trials, the newest on rows before `end`: first each a holdout earlier, then over all the days there are.

    Raises:
        DataError: even the newest rows cannot be trained on.
    """
    table = labelled_frame(batches, config.data, dt.datetime.max.replace(tzinfo=dt.UTC))
    config = config.model_copy(update={"training": config.training.model_copy(update={"min_rows": 50})})
    moments = table[config.data.columns.time]
    found: list[Trial] = []
    for days in earlier(config, (end - moments.min().floor("D")).days):
        until = end - dt.timedelta(days=days)
        window = moments.between(until - dt.timedelta(days=config.training.window_days), until, inclusive="left")
        try:
            parts = split_rows(table[window], config)
        except DataError:
            if not found:
                raise
            continue
        found.append(_trial(parts, config, build))
    return found


def earlier(config: ModelConfig, span: int) -> list[int]:
    """How many days before the end of `span` days each trial ends."""
    step, room = math.ceil(config.training.holdout * config.training.window_days), span - config.training.window_days
    near = [number * step for number in range(NEAR) if number == 0 or number * step <= room]
    free = room - near[-1]
    count = min(FAR, free // step) if len(near) == NEAR else 0
    return near + [near[-1] + free * (number + 1) // count for number in range(count)]


def _trial(parts: Split, config: ModelConfig, build: Build) -> Trial:
    estimator = fit_estimator(build, config, parts)
    holdout = features(parts.holdout, config.data)
    labels = parts.holdout[config.data.columns.label].to_numpy()
    return Trial(estimator, holdout, labels, score(estimator, holdout, task_of(config)), parts.fit_until.date(), config)
