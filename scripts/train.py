"""Train a candidate on labelled rows up to the watermark, and register it once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts import log, options, output
from scripts.night import Night
from scripts.repository import head_commit

if TYPE_CHECKING:
    import pyarrow as pa

    from model.registry import ModelVersion
    from model.training import Candidate, Split
    from model.versions import Origin
    from monitoring.tally import Baseline
    from monitoring.triggers import Decision
    from monitoring.window import QualityReport


def train(
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
    decision: options.From = None,
) -> None:
    """Read decision.json; if it says so, train on the labelled rows, register the candidate, write candidate.json.

    Example: mlops train --model flights --as-of 2013-06-01
    """
    from monitoring.triggers import Decision

    night = Night.open(model, as_of)
    with night.stage("train"):
        decided = night.take(Decision, "decision.json", decision)
        if not decided.retrain:
            output.show(decided, [f"{night.name}: the decision is not to retrain, nothing done"], as_json=json)
            return
        candidate = run(night, decided, out)
        output.show(candidate, lines(candidate), as_json=json)


def run(night: Night, decision: Decision, out: Path | None = None) -> Candidate:
    """Train and register; the same rows, config and pipeline give the version that is already there.

    Raises:
        DataError: the rows do not suffice, or the expectation suite refuses them.
        OutsideError: the cluster that should fit the model does not answer.
    """
    from model import making, training
    from model.cluster import computing_on
    from model.versions import Origin

    config, root = night.config, night.settings.root
    batches = read(night)
    baseline = counted(night, batches)
    pipeline = training.pipeline_digest(root, night.name)
    # The frame takes the rows over: from here on nothing else holds them.
    material = making.prepare(given_up(batches), config, night.as_of, pipeline, partial(judge, night))
    version = night.registry.find(config.registry_name, material.training_key)
    if version is None:
        with computing_on(config.training.cluster):
            estimator = training.fit(training.load_build(root, night.name), config, material.parts)
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
    candidate = making.describe(material, version, decision, head_commit(root))
    candidate.write(night.file("candidate.json", out))
    log.training(night, candidate)
    return candidate


def register(night: Night, estimator: Any, origin: Origin, baseline: Baseline, parts: Split) -> ModelVersion:
    """Keep the fitted estimator, with its baseline."""
    from model import training
    from model.example import synthetic_rows

    config, data = night.config, night.config.data
    baseline = baseline.model_copy(update={"scores": training.holdout_scores(estimator, config, parts)})
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
    from model.making import span

    data = night.config.data
    return list(night.source.batches([*data.features, *data.roles], *span(night.config, night.as_of)))


def counted(night: Night, batches: list[pa.RecordBatch]) -> Baseline:
    """The baseline of all rows of the window: also unlabelled ones will be met."""
    from monitoring.tally import build_baseline
    from monitoring.tasks import counting

    data = night.config.data
    return build_baseline(batches, data.numeric, data.categorical, data.columns, night.as_of, counting(data))


def given_up(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One after the other, each forgotten before the next: a training holds its rows once, not twice."""
    while batches:
        yield batches.pop(0)


def judge(night: Night, rows: Any) -> QualityReport:
    """What the suite says of the training rows."""
    from model.quality import check_training

    champion = night.champion
    return check_training(rows, night.config, night.baseline(champion) if champion else None)


def lines(candidate: Candidate) -> list[str]:
    """The result for a person."""
    span = f"{candidate.fit_from:%Y-%m-%d} to {candidate.fit_until:%Y-%m-%d}"
    apart = f"{candidate.holdout_rows:,} kept apart up to {candidate.data_until:%Y-%m-%d}"
    return [
        f"{candidate.model}: trained version {candidate.version} of {candidate.registry_name}",
        f"  on {candidate.fit_rows:,} rows from {span}, {apart}",
    ]
