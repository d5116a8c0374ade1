"""The train stage: fit a candidate on labelled rows up to the watermark, and register it once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages import event_log
from stages.context import Night
from stages.repository import head_commit

if TYPE_CHECKING:
    import pyarrow as pa

    from core.quality_report import QualityReport
    from monitoring.counting import Baseline
    from monitoring.triggers import Decision
    from registry import ModelVersion, Origin
    from training import Candidate, Split


def run(night: Night, decision: Decision, out: Path | None = None) -> Candidate:
    """Train and register; the same rows, config and pipeline give the version that is already there.

    Raises:
        DataError: the rows do not suffice, or the expectation suite refuses them.
        OutsideError: the cluster that should fit the model does not answer.
    """
    from registry import Origin
    from training import build_training_set, candidate_record, computing_on, fit_estimator, load_build, pipeline_digest

    config, root = night.config, night.settings.root
    batches = read(night)
    baseline = counted(night, batches)
    pipeline = pipeline_digest(root, night.name)
    # The frame takes the rows over: from here on nothing else holds them.
    material = build_training_set(drain(batches), config, night.as_of, pipeline, partial(judge, night))
    version = night.registry.find(config.registry_name, material.training_key)
    if version is None:
        with computing_on(config.training.cluster):
            estimator = fit_estimator(load_build(root, night.name), config, material.parts)
        origin = Origin(
            training_key=material.training_key,
            data_digest=material.data_digest,
            trained_at=night.as_of,
            fit_until=material.parts.fit_until,
            data_until=material.parts.data_until,
            commit=head_commit(root),
        )
        version = register(night, estimator, origin, baseline, material.parts)
    night.registry.finish(version)
    candidate = candidate_record(material, version, decision, head_commit(root))
    candidate.write(night.file("candidate.json", out))
    event_log.training(night, candidate)
    return candidate


def register(night: Night, estimator: Any, origin: Origin, baseline: Baseline, parts: Split) -> ModelVersion:
    """Keep the fitted estimator, with its baseline."""
    from training import holdout_scores, synthetic_rows

    config, data = night.config, night.config.data
    baseline = baseline.model_copy(update={"scores": holdout_scores(estimator, config, parts)})
    return night.registry.register(
        config.registry_name,
        estimator,
        origin=origin,
        example=synthetic_rows(baseline, data, seed=config.training.seed),
        baseline=baseline,
        params={"training": config.training.what, "features": len(data.features)},
        metrics={"fit_rows": float(len(parts.fit)), "holdout_rows": float(len(parts.holdout))},
    )


def read(night: Night) -> list[pa.RecordBatch]:
    """All rows of the training window, labelled or not."""
    from training import training_period

    data = night.config.data
    return list(night.source.batches([*data.features, *data.roles], *training_period(night.config, night.as_of)))


def counted(night: Night, batches: list[pa.RecordBatch]) -> Baseline:
    """The baseline of all rows of the window: also unlabelled ones will be met."""
    from monitoring.counting import build_baseline
    from monitoring.tasks import task_for_data

    data = night.config.data
    return build_baseline(batches, data.numeric, data.categorical, data.columns, night.as_of, task_for_data(data))


def drain(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One after the other, each forgotten before the next: a training holds its rows once, not twice."""
    while batches:
        yield batches.pop(0)


def judge(night: Night, rows: Any) -> QualityReport:
    """What the suite says of the training rows."""
    from training.quality import check_training

    champion = night.champion
    return check_training(rows, night.config, night.baseline(champion) if champion else None)
