"""The validate stage: judge a candidate on the holdout, beside the champion."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.days import midnight
from stages import event_log
from stages.context import Night

if TYPE_CHECKING:
    from training import Candidate
    from training.gates import CandidateEvidence, Verdict

LOG = logging.getLogger("mlops")


def run(night: Night, candidate: Candidate, out: Path | None = None) -> Verdict:
    """The verdict; also written, with its report, tagged on the version, and left in the event log."""
    from core.records import write_atomically
    from training.gates import validate as judge

    verdict = judge(candidate, night.config, evidence(night, candidate))
    path = night.file("verdict.json", out)
    verdict.write(path)
    if night.registry.mark(candidate.registry_name, candidate.version, verdict):
        event_log.validation(night, verdict)
    else:
        LOG.warning(
            "Version %s of %s was in Production: in MLflow it keeps the verdict that brought it there. "
            "This one is in verdict.json and the report only.",
            candidate.version,
            candidate.registry_name,
        )
    write_atomically(path.with_name("report.html"), report(night, verdict))
    return verdict


def evidence(night: Night, candidate: Candidate) -> CandidateEvidence:
    """What the gates look at: the holdout, what both models say of it, and how the stored model behaves."""
    from monitoring.tasks import task_of
    from training import features, score
    from training.gates import CandidateEvidence, latency_p95

    config, registry, task = night.config, night.registry, task_of(night.config)
    holdout = read_holdout(night, candidate)
    rows = features(holdout, config.data)
    version = registry.version(candidate.registry_name, candidate.version)
    challenger, champion = registry.load(version), night.champion
    if champion is not None and champion.version == candidate.version:
        champion = None
    declared, metric = night.manifest, config.triggers.performance.metric
    return CandidateEvidence.of(
        holdout,
        config,
        challenger_scores=score(challenger, rows, task),
        champion_version=champion.version if champion else None,
        champion_fit_until=champion.fit_until if champion else None,
        champion_scores=score(registry.load(champion), rows, task) if champion else None,
        example_equal=registry.says_the_same(version, challenger),
        latency_p95_ms=latency_p95(challenger, rows.iloc[:10]),
        size_mb=registry.size_mb(version),
        promoted=declared.promoted_in(metric) if declared else (),
    )


def read_holdout(night: Night, candidate: Candidate) -> Any:
    """The labelled rows of the holdout, as a frame."""
    from training import labelled_frame

    data = night.config.data
    names = [*data.features, *data.roles]
    batches = night.source.batches(names, candidate.fit_until, midnight(night.watermark))
    return labelled_frame(batches, data, night.as_of)


def report(night: Night, verdict: Verdict) -> str:
    """The HTML report, with the model's history."""
    from registry import read_events
    from review.pages import render_report

    return render_report(verdict, read_events(night.registry.client, night.name))
