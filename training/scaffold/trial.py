"""Quick fits of the proposed model on a few spans of the sample, and their scores on the rows after each span."""

from __future__ import annotations

import datetime as dt
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.config import Metric, ModelConfig
from core.errors import DataError
from monitoring.tasks import Task, task_of
from training import Build, Split, features, fit_estimator, labelled_frame, score, split_rows
from training.scaffold.columns import Report

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

NEAR, FAR = 3, 3  # trials that follow each other, and trials before them
LINEAR_ROWS = 5000  # latest rows that the linear model is fitted on: more hardly change so few parameters
DECIDING = 0.1  # of what a model gains over a guess: a column that is worth more decides the score
MOST_FEATURES = 300  # with more, there are fewer trials, and columns are not shuffled one after the other


@dataclass(frozen=True)
class Trial:
    """A fit on one span, and its scores on the rows of that span from `day` on."""

    estimator: Any
    holdout: pd.DataFrame
    labels: NDArray[Any]
    scores: NDArray[np.float64]
    day: dt.date
    config: ModelConfig
    parts: Split | None = None

    @property
    def task(self) -> Task:
        """The task of the model."""
        return task_of(self.config)

    def value(self, metric: Metric) -> float:
        """Return a metric on the later rows."""
        return self.value_of(metric, self.scores)

    def guess(self, metric: Metric) -> float:
        """Return the metric without a model: the most frequent class, or the median label, for every row."""
        if metric == "r2":
            return 0.0
        return self.value_of(metric, np.full(len(self.labels), self.task.constant_score(self.labels)))

    def value_of(self, metric: Metric, scores: NDArray[np.float64]) -> float:
        """Return a metric of other scores on the later rows."""
        return float(self.task.evaluate(metric, self.task.counted(self.labels, scores)))

    def low(self, metric: Metric, confidence: float) -> float:
        """Return the lower limit of the metric, one-sided at `confidence`."""
        seed = self.config.training.seed
        if metric != "r2":
            return self.task.interval(metric, self.task.counted(self.labels, self.scores), confidence, seed)[0]
        # Drawn together, large labels and their large errors cancel out. The counts of each alone cannot show that.
        mean = np.full(len(self.labels), self.labels.mean())
        difference, low, _ = self.task.paired_difference(
            metric, self.labels, mean, self.scores, confidence=confidence, seed=seed
        )
        return self.value(metric) - (difference - low)

    def linear(self, metric: Metric) -> float:
        """Return the metric of a linear model on the same rows; NaN if it cannot be fitted."""
        if self.parts is None:
            return math.nan
        latest = Split(**{**vars(self.parts), "fit": self.parts.fit.iloc[-LINEAR_ROWS:]})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a model that did not converge is a baseline as well
            try:
                estimator = fit_estimator(_linear_model, self.config, latest)
                return self.value_of(metric, np.clip(score(estimator, self.holdout, self.task), *self._limits))
            except Exception:  # noqa: BLE001 - a baseline that these rows do not suit is not a baseline
                return math.nan

    @property
    def _limits(self) -> tuple[float | None, float | None]:
        return self.config.data.label_range or (None, None)

    def deciding_columns(self, metric: Metric) -> list[str]:
        """Return the columns that the score depends on most: shuffled, each takes a part of the gain over a guess."""
        names, rng = self.config.data.features, np.random.default_rng(0)
        if len(names) > MOST_FEATURES:
            return []
        value, guess, losses = self.value(metric), self.guess(metric), {}
        for name in names:
            shuffled = self.holdout.assign(**{name: self.holdout[name].to_numpy()[rng.permutation(len(self.holdout))]})
            losses[name] = value - self.value_of(metric, score(self.estimator, shuffled, self.task))
        return sorted(
            (name for name in names if losses[name] > DECIDING * (value - guess)), key=lambda name: -losses[name]
        )


def _linear_model(config: ModelConfig) -> Any:
    """Return a linear model, not fitted."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    finite = FunctionTransformer(np.nan_to_num, kw_args={"nan": np.nan, "posinf": np.nan, "neginf": np.nan})
    numbers = make_pipeline(finite, SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    flags = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=50)
    columns = ColumnTransformer(
        [("numeric", numbers, list(config.data.numeric)), ("categorical", flags, list(config.data.categorical))]
    )
    regression = config.task == "regression"
    return make_pipeline(columns, Ridge() if regression else LogisticRegression(class_weight="balanced"))


def trials(
    batches: Sequence[pa.RecordBatch], config: ModelConfig, build: Build, end: dt.datetime, report: Report
) -> list[Trial]:
    """Return a few trials, the newest on rows before `end`: first each a holdout earlier, then over all days.

    Raises:
        DataError: even the newest rows cannot be trained on.
    """
    table = labelled_frame(batches, config.data, dt.datetime.max.replace(tzinfo=dt.UTC))
    config = config.model_copy(update={"training": config.training.model_copy(update={"min_rows": 50})})
    times = table[config.data.columns.time]
    fitted: list[Trial] = []
    ages = earlier(config, (end - times.min().floor("D")).days)
    if len(config.data.features) > MOST_FEATURES:  # each fit takes seconds
        ages = ages[:NEAR]
    for number, days in enumerate(ages, start=1):
        report(f"quick fit {number} of {len(ages)}")
        until = end - dt.timedelta(days=days)
        window = times.between(until - dt.timedelta(days=config.training.window_days), until, inclusive="left")
        try:
            parts = split_rows(table[window], config)
        except DataError:
            if not fitted:
                raise
            continue
        fitted.append(_trial(parts, config, build, newest=not fitted))
    return fitted


def earlier(config: ModelConfig, span: int) -> list[int]:
    """Return how many days before the end of `span` days each trial ends."""
    step, room = math.ceil(config.training.holdout * config.training.window_days), span - config.training.window_days
    near = [number * step for number in range(NEAR) if number == 0 or number * step <= room]
    free = room - near[-1]
    count = min(FAR, free // step) if len(near) == NEAR else 0
    return near + [near[-1] + free * (number + 1) // count for number in range(count)]


def _trial(parts: Split, config: ModelConfig, build: Build, *, newest: bool) -> Trial:
    estimator, holdout = fit_estimator(build, config, parts), features(parts.holdout, config.data)
    labels, scores = parts.holdout[config.data.columns.label].to_numpy(), score(estimator, holdout, task_of(config))
    return Trial(estimator, holdout, labels, scores, parts.fit_until.date(), config, parts if newest else None)
