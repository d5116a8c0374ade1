"""The work that the policies of a replay share: models, the night's checks, drift reports and training sets."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.config import DriftTrigger, ModelConfig
from core.errors import DataError
from core.quality_report import QualityReport
from monitoring.counting import Baseline, Window
from monitoring.drift import DriftReport
from stages.calculations import Calculations
from stages.replay.rows import Piece, ReplayRows
from training import TrainingSet, batch_features, fingerprint, fit_estimator, load_build, score
from training.artifact import model_file

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

T = TypeVar("T")


@dataclass(frozen=True)
class StoredModel:
    """A fitted model as it is when loaded back from its file. `number` counts the fits of the replay from 1."""

    number: int
    estimator: Any
    size_mb: float
    reproduces_example: bool


class SharedCalculations(Calculations):
    """Calculations that remember: equal windows, drift reports and training sets for one night, models for good.

    Args:
        rows: all rows of the replay.
    """

    def __init__(self, rows: ReplayRows) -> None:
        self.rows = rows
        self.seconds = 0.0  # spent on fitting
        self._fitted: dict[str, Any] = {}
        self._models: dict[str, StoredModel] = {}
        self._latencies: dict[int, float] = {}
        self._baselines: dict[bytes, Baseline] = {}
        self._tonight: dict[Any, Any] = {}

    def __len__(self) -> int:
        return len(self._fitted)

    def start_night(self) -> None:
        """Forget what only one night needs."""
        self._tonight.clear()

    def _once(self, key: Any, calculate: Callable[[], T]) -> T:
        if key not in self._tonight:
            self._tonight[key] = calculate()
        value: T = self._tonight[key]
        return value

    def check_window(self, window: Window, config: ModelConfig, baseline: Baseline) -> QualityReport:
        """Return what the expectation suite reports of a window."""
        key = ("window", id(baseline), window.start, _days(window))
        return self._once(key, lambda: super(SharedCalculations, self).check_window(window, config, baseline))

    def drift_report(
        self, baseline: Baseline, window: Window, config: DriftTrigger, leave_out: Collection[dt.date]
    ) -> DriftReport:
        """Return the comparison of a window with a baseline, without the days to leave out."""
        key = ("drift", id(baseline), window.start, _days(window), config.model_dump_json(), frozenset(leave_out))
        return self._once(
            key, lambda: super(SharedCalculations, self).drift_report(baseline, window, config, leave_out)
        )

    def training_set(
        self,
        batches: Iterable[pa.RecordBatch],
        config: ModelConfig,
        as_of: dt.datetime,
        pipeline_digest: str,
        baseline: Baseline | None,
    ) -> TrainingSet:
        """Return the checked and split rows of a training. Policies share rows and the section [training]."""

        def calculate() -> TrainingSet | DataError:
            try:
                return super(SharedCalculations, self).training_set(batches, config, as_of, pipeline_digest, baseline)
            except DataError as err:
                return err

        result = self._once(("training set", id(baseline)), calculate)
        if isinstance(result, DataError):
            raise result
        return result

    def fit(self, root: Path, config: ModelConfig, training_set: TrainingSet) -> Any:
        """Return the estimator fitted on a training set, always on this machine."""
        key = training_set.training_key
        if key not in self._fitted:
            started = time.perf_counter()
            self._fitted[key] = fit_estimator(load_build(root, config.name), config, training_set.parts)
            self.seconds += time.perf_counter() - started
        return self._fitted[key]

    def latency_p95(self, estimator: Any, rows: pd.DataFrame) -> float:
        """Return the time that scoring one row takes; measured once for each model."""
        if id(estimator) not in self._latencies:
            self._latencies[id(estimator)] = super().latency_p95(estimator, rows)
        return self._latencies[id(estimator)]

    def store(self, training_key: str, estimator: Any, example: pd.DataFrame) -> StoredModel:
        """Return the model as it is after it was written to a file and loaded back."""
        if training_key not in self._models:
            data, loaded = model_file.round_trip(estimator)
            before, after = fingerprint(estimator, example), fingerprint(loaded, example)
            same = bool(np.allclose(before, after, rtol=0, atol=1e-9))
            self._models[training_key] = StoredModel(len(self._models) + 1, loaded, len(data) / 1e6, same)
        return self._models[training_key]

    def same_baseline(self, baseline: Baseline) -> Baseline:
        """Return one object for all equal baselines, so that what is calculated from them is shared."""
        return self._baselines.setdefault(hashlib.sha256(baseline.to_json().encode()).digest(), baseline)

    def score(self, model: StoredModel, day: dt.date) -> list[NDArray[np.float64]]:
        """Return the scores of the rows of a day, piece by piece; NaN for rows that cannot be scored."""
        return self._once(
            ("score", model.number, day), lambda: [self._scores(model, piece) for piece in self.rows.of_day(day)]
        )

    def _scores(self, model: StoredModel, piece: Piece) -> NDArray[np.float64]:
        (batch,) = self.rows.plain([piece])
        try:
            return score(model.estimator, batch_features(batch, self.rows.data), self.rows.task)
        except DataError:  # a service that meets such rows answers with an error, and logs no score
            return np.full(batch.num_rows, np.nan)


def _days(window: Window) -> tuple[int, ...]:
    """Return what is equal for windows of one night with the same tallies: those of a day are made once a night."""
    return tuple(id(day) for day in window.days)
