"""Say which rows a night trains on, what is asked of them, and what its candidate is: for a night and for a replay."""

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
    """What is known of a version that holds a training."""

    @property
    def name(self) -> str:
        """The registered model."""

    @property
    def version(self) -> int:
        """Its number."""

    @property
    def run_id(self) -> str:
        """The run of the training."""

    @property
    def digest(self) -> str:
        """SHA-256 of the model's files."""

    @property
    def records_digest(self) -> str | None:
        """SHA-256 of the records that are kept with it; None where an older release kept none."""


@dataclass(frozen=True)
class TrainingSet:
    """What a training starts from: labelled rows cut in two, what the suite says of them, and what identifies them."""

    parts: Split
    quality: QualityReport
    data_digest: str
    training_key: str


def training_period(config: ModelConfig, as_of: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The first instant of the rows that a night trains on, and the watermark that ends them."""
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
    """Read, judge and cut the rows of `training_period`; `check` is the expectation suite.

    Raises:
        DataError: the rows do not suffice, or the suite finds something critical.
    """
    rows = labelled_frame(batches, config.data, as_of)
    quality = check(rows)
    if quality.critical:
        raise DataError(
            f"The training rows of {config.name} are refused: {'; '.join(f.sentence for f in quality.critical[:3])}.",
            why="A model trained on broken rows would pass its own holdout, which is broken alike.",
            fix="Mend the rows and run mlops train again; nothing was registered.",
        )
    parts, digest = split_rows(rows, config), data_digest(rows)
    return TrainingSet(parts, quality, digest, training_key(config, digest, pipeline_digest))


def candidate_record(material: TrainingSet, version: Registered, decision: Decision, commit: str) -> Candidate:
    """The record of the training for the stages after it."""
    parts = material.parts
    return Candidate(
        model=decision.model,
        registry_name=version.name,
        version=version.version,
        run_id=version.run_id,
        digest=version.digest,
        records_digest=version.records_digest,
        data_digest=material.data_digest,
        training_key=material.training_key,
        commit=commit,
        as_of=decision.as_of,
        fit_from=parts.fit_from,
        fit_until=parts.fit_until,
        data_until=parts.data_until,
        fit_rows=len(parts.fit),
        holdout_rows=len(parts.holdout),
        quality=material.quality,
        decision=decision,
    )
