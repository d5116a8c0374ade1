"""Train a candidate on labelled rows up to the watermark, and register it once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError
from scripts import log, options, output
from scripts.night import DAY, Night, midnight
from scripts.repository import head_commit

if TYPE_CHECKING:
    import pyarrow as pa

    from model.registry import ModelVersion
    from model.training import Candidate, Split
    from model.versions import Origin
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
    """
    from model import training
    from model.versions import Origin

    config, root = night.config, night.settings.root
    batches = read(night)
    rows = training.frame(batches, config.data, night.as_of)
    quality = judge(night, rows)
    parts = training.split(rows, config)
    digest = training.data_digest(rows)
    key = training.training_key(config, digest, training.pipeline_digest(root, night.name))
    version = night.registry.find(config.registry_name, key)
    if version is None:
        estimator = training.fit(training.load_build(root, night.name), config, parts)
        origin = Origin(
            training_key=key,
            data_digest=digest,
            trained_at=night.as_of,
            fit_until=parts.fit_until,
            data_until=parts.data_until,
            commit=head_commit(root),
        )
        version = register(night, estimator, origin, batches, parts)
    night.registry.finish(version)
    candidate = describe(night, decision, version, parts, quality)
    candidate.write(night.file("candidate.json", out))
    log.training(night, candidate)
    return candidate


def describe(
    night: Night, decision: Decision, version: ModelVersion, parts: Split, quality: QualityReport
) -> Candidate:
    """The record of the training for the stages after it."""
    from model.training import Candidate

    return Candidate(
        model=night.name,
        registry_name=version.name,
        version=version.version,
        run_id=version.run_id,
        digest=version.digest,
        records_digest=version.records_digest,
        data_digest=version.data_digest,
        training_key=version.training_key,
        commit=head_commit(night.settings.root),
        as_of=night.as_of,
        fit_from=parts.fit_from,
        fit_until=parts.fit_until,
        data_until=parts.data_until,
        fit_rows=len(parts.fit),
        holdout_rows=len(parts.holdout),
        quality=quality,
        decision=decision,
    )


def register(night: Night, estimator: Any, origin: Origin, batches: list[pa.RecordBatch], parts: Split) -> ModelVersion:
    """Keep the fitted estimator, with the baseline of all rows of the window: also unlabelled ones will be met."""
    from model.example import synthetic_rows
    from monitoring.tally import build_baseline

    config, data = night.config, night.config.data
    baseline = build_baseline(batches, data.numeric, data.categorical, data.columns, night.as_of)
    return night.registry.register(
        config.registry_name,
        estimator,
        origin=origin,
        example=synthetic_rows(baseline, data, seed=config.training.seed),
        baseline=baseline,
        params={"training": config.training.model_dump(mode="json"), "features": len(data.features)},
        metrics={"fit_rows": float(len(parts.fit)), "holdout_rows": float(len(parts.holdout))},
    )


def read(night: Night) -> list[pa.RecordBatch]:
    """All rows of the training window, labelled or not."""
    data = night.config.data
    start = night.watermark - night.config.training.window_days * DAY
    names = [*data.features, *data.roles]
    return list(night.source.batches(names, midnight(start), midnight(night.watermark)))


def judge(night: Night, rows: Any) -> QualityReport:
    """The suite's findings on the training rows.

    Raises:
        DataError: something critical is among them.
    """
    from model.quality import check_training

    champion = night.champion
    report = check_training(rows, night.config, night.baseline(champion) if champion else None)
    if report.critical:
        raise DataError(
            f"The training rows of {night.name} are refused: {'; '.join(f.sentence for f in report.critical[:3])}.",
            why="A model trained on broken rows would pass its own holdout, which is broken alike.",
            fix="Mend the rows and run mlops train again; nothing was registered.",
        )
    return report


def lines(candidate: Candidate) -> list[str]:
    """The result for a person."""
    span = f"{candidate.fit_from:%Y-%m-%d} to {candidate.fit_until:%Y-%m-%d}"
    apart = f"{candidate.holdout_rows:,} kept apart up to {candidate.data_until:%Y-%m-%d}"
    return [
        f"{candidate.model}: trained version {candidate.version} of {candidate.registry_name}",
        f"  on {candidate.fit_rows:,} rows from {span}, {apart}",
    ]
