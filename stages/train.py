"""The train stage: fit a candidate on labelled rows up to the watermark, and register it once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stages import event_log

if TYPE_CHECKING:
    import pyarrow as pa

    from monitoring.counting import Baseline
    from monitoring.triggers import Decision
    from registry import ModelVersion
    from stages.ports import Run
    from training import Candidate, TrainingSet


def train_candidate(run: Run, decision: Decision, out: Path | None = None) -> Candidate:
    """Train and register; the same rows, config and pipeline give the version that is already there.

    Raises:
        DataError: there are too few rows, or the expectation suite refuses them.
        OutsideError: the cluster that should fit the model does not answer.
    """
    from training import candidate_record, pipeline_digest, training_period

    config, data = run.config, run.config.data
    batches = list(run.source.batches([*data.features, *data.roles], *training_period(config, run.as_of)))
    baseline = _baseline(run, batches)
    pipeline = pipeline_digest(run.settings.root, run.name)
    # Drained: from here on only the frame that is made of the rows holds them.
    training_set = run.calculations.training_set(drain(batches), config, run.as_of, pipeline, run.champion_baseline)
    version = run.registry.find(config.registry_name, training_set.training_key)
    if version is None:
        version = _fit_and_register(run, training_set, baseline)
    run.registry.finish(version)
    candidate = candidate_record(training_set, version, decision, run.commit)
    run.write("candidate.json", candidate.to_json, out)
    event_log.training(run, candidate)
    return candidate


def _baseline(run: Run, batches: list[pa.RecordBatch]) -> Baseline:
    """Return the baseline of all rows of the training period. Unlabelled rows count: the model will meet such rows."""
    from monitoring.counting import build_baseline
    from monitoring.tasks import task_for_data

    data = run.config.data
    return build_baseline(batches, data.numeric, data.categorical, data.columns, run.as_of, task_for_data(data))


def drain(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield each batch and forget it before the next, so that a training holds its rows once, not twice."""
    while batches:
        yield batches.pop(0)


def _fit_and_register(run: Run, training_set: TrainingSet, baseline: Baseline) -> ModelVersion:
    from registry import Origin
    from training import holdout_scores, synthetic_rows

    config, data, parts = run.config, run.config.data, training_set.parts
    estimator = run.calculations.fit(run.settings.root, config, training_set)
    baseline = baseline.model_copy(update={"scores": holdout_scores(estimator, config, parts)})
    return run.registry.register(
        config.registry_name,
        estimator,
        origin=Origin(
            training_key=training_set.training_key,
            data_digest=training_set.data_digest,
            trained_at=run.as_of,
            fit_until=parts.fit_until,
            data_until=parts.data_until,
            commit=run.commit,
        ),
        example=synthetic_rows(baseline, data, seed=config.training.seed),
        baseline=baseline,
        params={"training": config.training.what, "features": len(data.features)},
        metrics={"fit_rows": float(len(parts.fit)), "holdout_rows": float(len(parts.holdout))},
    )
