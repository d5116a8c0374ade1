"""Fit the proposed model on a few spans of the sample, to put its floors safely under what it reaches."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.config import ModelConfig
from core.errors import DataError
from model import modelfile, rows, training
from model.evidence import latency_p95
from model.pipelines import Build
from model.scaffold_days import Choice
from monitoring.intervals import interval, paired_difference
from monitoring.metrics import counted, evaluate

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SPANS = 3
GUESS = 0.5
METRICS = ("balanced_accuracy", "roc_auc")
RARE = 0.05  # a rarer label than that is told by its rank, not by a threshold
SURE = 0.99
SLACK = 1.5  # how far under the surely reached value a floor stands


@dataclass(frozen=True)
class Trial:
    """A fit on one span, and what it says of the later rows of that span."""

    estimator: Any
    holdout: pd.DataFrame
    labels: NDArray[Any]
    scores: NDArray[np.float64]


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
    return Trial(estimator, holdout, labels, training.score(estimator, holdout))


def limits(tried: Sequence[Trial], config: ModelConfig, rare: float) -> Iterator[Choice]:
    """Metric, floors and margins; `rare` is the share of the rarer label."""
    main = METRICS[0] if rare >= RARE else METRICS[1]
    yield Choice("triggers.performance.metric", main, f"the rarer label is on {rare:.1%} of the rows")
    for metric in METRICS:
        values = [_value(trial, metric, config) for trial in tried]
        low = math.floor(100 * min(_surely(trial, metric, config) for trial in tried)) / 100
        low = min(low, math.floor(100 * (2 * min(values) - max(values))) / 100)  # seasons differ as spans do
        said = f"{_span(values)} in {_times(len(tried))} on {len(tried[0].labels):,} later rows; a guess has 0.5"
        if low > GUESS:
            yield Choice(f"gates.{metric}", low, said)
        if metric == main:
            yield Choice("triggers.performance.floor", max(low, GUESS), said)
            drop = max(0.05, math.ceil(200 * (max(values) - min(values))) / 100)
            yield Choice("triggers.performance.max_drop", min(drop, 0.3), f"twice what lies between {_span(values)}")
    yield _margin(tried, main, config)
    newest = tried[0]
    latency = latency_p95(newest.estimator, newest.holdout.iloc[:10])
    yield Choice("gates.max_p95_ms", max(100, math.ceil(latency / 10) * 50), f"{latency:.1f} ms here")
    size = len(modelfile.through(newest.estimator)[0]) / 1e6
    yield Choice("gates.max_size_mb", max(10, math.ceil(5 * size)), f"{size:.1f} MB now")


def _margin(tried: Sequence[Trial], metric: str, config: ModelConfig) -> Choice:
    """What a candidate may lose to the champion: else chance alone would refuse a model that is as good."""
    key, seed, newest = "gates.max_loss_to_champion", config.training.seed, tried[0]
    wide = [0.0]
    for trial in tried[1:]:
        older = training.score(trial.estimator, newest.holdout)
        sides = newest.labels, older, newest.scores
        found = paired_difference(metric, *sides, config.training.threshold, config.gates.confidence, seed)
        wide.append(found[0] - found[1])
    if len(tried) == 1:
        counts = counted(newest.labels, newest.scores)
        value = float(evaluate(metric, counts, config.training.threshold))
        wide.append(value - interval(metric, counts, config.training.threshold, config.gates.confidence, seed)[0])
    why = f"two models that are as good differ by up to {max(wide):.3f} by chance on {len(newest.labels):,} rows"
    return Choice(key, min(max(0.01, math.ceil(150 * max(wide)) / 100), 0.3), why)


def _surely(trial: Trial, metric: str, config: ModelConfig) -> float:
    """What the metric surely stays over, as long as the world stays as it is."""
    value, threshold = _value(trial, metric, config), config.training.threshold
    low, _ = interval(metric, counted(trial.labels, trial.scores), threshold, SURE, config.training.seed)
    rare = int(min(trial.labels.sum(), len(trial.labels) - trial.labels.sum()))
    return value - max(0.05, SLACK * (value - low), 3 / rare)


def _value(trial: Trial, metric: str, config: ModelConfig) -> float:
    return float(evaluate(metric, counted(trial.labels, trial.scores), config.training.threshold))


def _span(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.3f}" if f"{low:.3f}" == f"{high:.3f}" else f"{low:.3f} to {high:.3f}"


def _times(count: int) -> str:
    return f"{count} quick fit{'s' if count > 1 else ''}"
