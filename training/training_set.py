"""The rows of a training, checked and split, and the record of its candidate; for nightly runs and replays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from core.config import ModelConfig
from core.errors import DataError
from core.quality_report import QualityReport
from monitoring.triggers import Decision
from training.digest import data_digest
from training.fit import Candidate, Split, split_rows, training_key
from training.frame import labelled_frame

if TYPE_CHECKING:
    import pyarrow as pa


class Registered(Protocol):
    """What the record of a training needs from its registered version."""

    @property
    def name(self) -> str:
        """The registered model."""

    @property
    def version(self) -> int:
        """The version number."""

    @property
    def run_id(self) -> str:
        """The run of the training."""

    @property
    def digest(self) -> str:
        """SHA-256 of the model's files."""

    @property
    def records_digest(self) -> str | None:
        """SHA-256 of the records stored with it; None if an older release stored none."""


@dataclass(frozen=True)
class TrainingSet:
    """The input of a training: the split rows, their quality report, and the digests that identify them."""

    parts: Split
    quality: QualityReport
    data_digest: str
    training_key: str


def training_period(config: ModelConfig, as_of: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Return the start of the training window, and the watermark that ends it."""
    today = dt.datetime.combine(as_of.date(), dt.time(), dt.UTC)
    end = today - dt.timedelta(days=config.training.maturity_days)
    return end - dt.timedelta(days=config.training.window_days), end


def build_training_set(
    batches: Iterable[pa.RecordBatch],
    config: ModelConfig,
    as_of: dt.datetime,
    pipeline_digest: str,
    check: Callable[[Any], QualityReport],
) -> TrainingSet:
    """Return the rows of `training_period`, checked and split; `check` is the expectation suite.

    Raises:
        DataError: there are too few rows, or the suite has a critical finding.
    """
    rows = labelled_frame(batches, config.data, as_of)
    quality = check(rows)
    if quality.critical:
        raise DataError(
            f"The training rows of {config.name} are refused: {'; '.join(f.sentence for f in quality.critical[:3])}.",
            why="A model trained on broken rows would pass on its holdout, which is broken in the same way.",
            fix="Fix the rows and run mlops train again; nothing was registered.",
        )
    parts, digest = split_rows(rows, config), data_digest(rows)
    return TrainingSet(parts, quality, digest, training_key(config, digest, pipeline_digest))


def candidate_record(training_set: TrainingSet, version: Registered, decision: Decision, commit: str) -> Candidate:
    """Return the record of the training for the stages after it."""
    parts = training_set.parts
    return Candidate(
        model=decision.model,
        registry_name=version.name,
        version=version.version,
        run_id=version.run_id,
        digest=version.digest,
        records_digest=version.records_digest,
        data_digest=training_set.data_digest,
        training_key=training_set.training_key,
        commit=commit,
        as_of=decision.as_of,
        fit_from=parts.fit_from,
        fit_until=parts.fit_until,
        data_until=parts.data_until,
        fit_rows=len(parts.fit),
        holdout_rows=len(parts.holdout),
        quality=training_set.quality,
        decision=decision,
    )
