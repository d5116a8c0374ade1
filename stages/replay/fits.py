"""Train for all policies of a replay: the same rows and settings are fitted once, and behave as from a registry."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.config import ModelConfig
from core.errors import DataError
from core.quality_report import QualityReport
from monitoring.counting import Baseline, Holdout, build_baseline
from monitoring.tasks import Task, task_of
from stages.replay.rows import Piece, ReplayRows, ServedRows
from training import (
    Build,
    Candidate,
    TrainingSet,
    batch_features,
    build_training_set,
    features,
    fit_estimator,
    holdout_scores,
    labelled_frame,
    score,
    training_period,
)
from training.artifact import model_file
from training.gates import latency_p95

if TYPE_CHECKING:
    import pandas as pd

CheckTraining = Callable[[Any, ModelConfig, Baseline | None], QualityReport]


@dataclass
class Fits:
    """All trainings of a replay.

    Args:
        config: the model's own; policies share its training section.
        rows: of the replay.
        build: of `pipeline.py`.
        pipeline: the digest of that file.
        check: the expectation suite for training rows.
    """

    config: ModelConfig
    rows: ReplayRows
    build: Build
    pipeline: str
    check: CheckTraining
    seconds: float = 0.0
    _fits: dict[str, Fit] = field(default_factory=dict)
    _tonight: dict[Any, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._fits)

    @property
    def task(self) -> Task:
        """Of the model."""
        return task_of(self.config)

    def dawn(self) -> None:
        """Forget what only one night needs."""
        self._tonight.clear()

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._tonight:
            self._tonight[key] = make()
        return self._tonight[key]

    def prepare(self, as_of: dt.datetime, champion: Champion | None) -> TrainingSet:
        """The rows of the night's training; see `making.prepare`."""
        baseline = champion.baseline if champion else None

        def make() -> TrainingSet | DataError:
            batches = self.rows.plain(self.rows.pieces(*training_period(self.config, as_of)))
            check = partial(self._judged, baseline=baseline)
            try:
                return build_training_set(batches, self.config, as_of, self.pipeline, check)
            except DataError as err:
                return err

        found = self._once(("material", id(baseline)), make)
        if isinstance(found, DataError):
            raise found
        return found  # type: ignore[no-any-return]

    def _judged(self, rows: Any, *, baseline: Baseline | None) -> QualityReport:
        return self.check(rows, self.config, baseline)

    def fit(self, material: TrainingSet) -> Fit:
        """The model of these rows; fitted, stored and loaded back when it is first asked for."""
        key = material.training_key
        if key not in self._fits:
            started = time.perf_counter()
            estimator = fit_estimator(self.build, self.config, material.parts)
            self.seconds += time.perf_counter() - started
            self._fits[key] = self._stored(key, estimator, material)
        return self._fits[key]

    def _stored(self, key: str, estimator: Any, material: TrainingSet) -> Fit:
        data, loaded = model_file.round_trip(estimator)
        rows = features(material.parts.holdout, self.config.data)
        said, before = (score(model, rows, self.task) for model in (loaded, estimator))
        return Fit(
            number=len(self._fits) + 1,
            key=key,
            model=loaded,
            size_mb=len(data) / 1e6,
            latency_ms=latency_p95(loaded, rows.iloc[:10]),
            same_example=bool(np.allclose(said, before, rtol=0, atol=1e-9)),
            scores=holdout_scores(estimator, self.config, material.parts),
        )

    def champion(self, version: Version, served: ServedRows) -> Champion:
        """A version with the baseline that its training kept: all rows of the window, scored as they were for it."""
        data, (start, end) = self.config.data, training_period(self.config, version.trained_at)

        def make() -> Baseline:
            batches = served.batches(self.rows.pieces(start, end))
            made = build_baseline(batches, data.numeric, data.categorical, data.columns, version.trained_at, self.task)
            return made.model_copy(update={"scores": version.fit.scores})

        key = ("baseline", version.fit.number, version.trained_at, served.history(start.date(), end.date()))
        return Champion(version, self._once(key, make))

    def holdout(self, candidate: Candidate) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The labelled rows that a candidate is judged on, and their features; as in `mlops validate`."""
        data, end = self.config.data, training_period(self.config, candidate.as_of)[1]

        def make() -> tuple[pd.DataFrame, pd.DataFrame]:
            batches = self.rows.plain(self.rows.pieces(candidate.fit_until, end))
            holdout = labelled_frame(batches, data, candidate.as_of)
            return holdout, features(holdout, data)

        found: tuple[pd.DataFrame, pd.DataFrame] = self._once(("holdout", candidate.fit_until), make)
        return found

    def judged(self, fit: Fit, candidate: Candidate) -> NDArray[np.float64]:
        """What a model says of these rows."""
        key = ("judged", fit.number, candidate.fit_until)
        found: NDArray[np.float64] = self._once(key, lambda: score(fit.model, self.holdout(candidate)[1], self.task))
        return found

    def score(self, fit: Fit, day: dt.date) -> list[NDArray[np.float64]]:
        """What a model says of the rows of a day, piece by piece; NaN where they cannot be scored."""
        found: list[NDArray[np.float64]] = self._once(
            ("score", fit.number, day), lambda: [self._said(fit, piece) for piece in self.rows.of_day(day)]
        )
        return found

    def _said(self, fit: Fit, piece: Piece) -> NDArray[np.float64]:
        (batch,) = self.rows.plain([piece])
        try:
            return score(fit.model, batch_features(batch, self.config.data), self.task)
        except DataError:  # a service that meets such rows answers with an error, and logs no score
            return np.full(batch.num_rows, np.nan)


@dataclass(frozen=True)
class Fit:
    """A fitted model, as it is when loaded back from its file, with what it said of its holdout at its training.

    `number` counts the fits of the replay from 1.
    """

    number: int
    key: str
    model: Any
    size_mb: float
    latency_ms: float
    same_example: bool
    scores: Holdout


@dataclass(frozen=True)
class Version:
    """A fit as one policy registered it: its number there, and the night of the training."""

    fit: Fit
    version: int
    name: str
    trained_at: dt.datetime
    fit_until: dt.datetime

    @property
    def run_id(self) -> str:
        """What takes the place of the run."""
        return self.fit.key[:32]

    @property
    def digest(self) -> str:
        """What takes the place of the files' digest."""
        return self.fit.key

    @property
    def records_digest(self) -> str:
        """What takes the place of the records' digest."""
        return self.fit.key


@dataclass(frozen=True)
class Champion:
    """A version in service, with the baseline of the rows it was trained on."""

    version: Version
    baseline: Baseline

    @property
    def cells(self) -> tuple[int, dt.datetime]:
        """Equal for baselines with the same axes: those of the same fit, made of the rows of the same night."""
        return self.version.fit.number, self.version.trained_at
