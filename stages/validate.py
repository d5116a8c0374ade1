"""The validate stage: judge a candidate on the holdout, compared with the champion."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from core.days import midnight
from stages import event_log

if TYPE_CHECKING:
    import pandas as pd

    from stages.ports import Run
    from training import Candidate
    from training.gates import CandidateEvidence, Verdict

LOG = logging.getLogger("mlops")


def validate_candidate(run: Run, candidate: Candidate, out: Path | None = None) -> Verdict:
    """Return the verdict; also written, with its report, tagged on the version, and added to the event log."""
    from training.gates import validate

    verdict = validate(candidate, run.config, _evidence(run, candidate))
    run.write("verdict.json", verdict.to_json, out)
    if run.registry.mark(candidate.registry_name, candidate.version, verdict):
        event_log.validation(run, verdict)
    else:
        LOG.warning(
            "Version %s of %s was in Production, so MLflow keeps the verdict that brought it there. "
            "This verdict is only in verdict.json and the report.",
            candidate.version,
            candidate.registry_name,
        )
    run.write("report.html", lambda: _report(run, verdict), out and out.with_name("report.html"))
    return verdict


def _evidence(run: Run, candidate: Candidate) -> CandidateEvidence:
    """Return what the gates judge: the holdout, the scores of both models, and how the stored model behaves."""
    from monitoring.tasks import task_of
    from training import features, score
    from training.gates import CandidateEvidence

    config, registry, task = run.config, run.registry, task_of(run.config)
    champion, manifest = run.champion, run.manifest
    holdout = _holdout(run, candidate)
    rows = features(holdout, config.data)
    version = registry.version(candidate.registry_name, candidate.version)
    challenger = registry.load(version, rows)
    if champion is not None and champion.version == candidate.version:
        champion = None
    return CandidateEvidence.of(
        holdout,
        config,
        challenger_scores=score(challenger, rows, task),
        champion_version=champion.version if champion else None,
        champion_fit_until=champion.fit_until if champion else None,
        champion_scores=score(registry.load(champion, rows), rows, task) if champion else None,
        example_equal=registry.reproduces_example(version, challenger),
        latency_p95_ms=run.calculations.latency_p95(challenger, rows.iloc[:10]),
        size_mb=registry.size_mb(version),
        promoted=manifest.promoted_in(config.triggers.performance.metric) if manifest else (),
    )


def _holdout(run: Run, candidate: Candidate) -> pd.DataFrame:
    """Return the labelled rows that the candidate was not fitted on."""
    from training import labelled_frame

    data = run.config.data
    names = [*data.features, *data.roles]
    return labelled_frame(run.source.batches(names, candidate.fit_until, midnight(run.watermark)), data, run.as_of)


def _report(run: Run, verdict: Verdict) -> str:
    from review.pages import render_report

    return render_report(verdict, run.registry.events(run.name))
