"""Judge a candidate on rows that neither it nor the champion has seen, and write the verdict and the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts import log, options, output, runner
from scripts.night import Night, midnight

if TYPE_CHECKING:
    from model.evidence import Evidence
    from model.training import Candidate
    from model.validation import Verdict

MARKS = {"passes": "[green]passes[/]", "blocks": "[bold red]blocks[/]", "cannot_judge": "[yellow]cannot judge[/]"}


def validate(
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
    candidate: options.From = None,
    exit_code: options.ExitCode = False,
) -> None:
    """Read candidate.json, ask every gate on the holdout, write verdict.json and report.html.

    Example: mlops validate --model flights --as-of 2013-06-01
    """
    from model.training import Candidate
    from scripts.propose import blocked

    night = Night.open(model, as_of)
    with night.stage("validate"):
        trained = night.take(Candidate, "candidate.json", candidate)
        verdict = run(night, trained, out)
        output.show(verdict, lines(verdict), as_json=json)
        runner.output("passed", str(verdict.passed).lower())
        if exit_code and not verdict.passed:
            raise blocked(verdict)


def run(night: Night, candidate: Candidate, out: Path | None = None) -> Verdict:
    """The verdict; also written, with its report, tagged on the version, and left in the event log."""
    from core.records import write_atomically
    from model.validation import validate as judge

    verdict = judge(candidate, night.config, evidence(night, candidate))
    path = night.file("verdict.json", out)
    verdict.write(path)
    if night.registry.mark(candidate.registry_name, candidate.version, verdict):
        log.validation(night, verdict)
    else:
        output.warn(
            f"Version {candidate.version} of {candidate.registry_name} was in Production: in MLflow it keeps the "
            "verdict that brought it there. This one is in verdict.json and the report only."
        )
    write_atomically(path.with_name("report.html"), report(night, verdict))
    return verdict


def evidence(night: Night, candidate: Candidate) -> Evidence:
    """What the gates look at: the holdout, what both models say of it, and how the stored model behaves."""
    from model import training
    from model.evidence import Evidence, latency_p95
    from monitoring.tasks import task_of

    config, registry, task = night.config, night.registry, task_of(night.config)
    holdout = read_holdout(night, candidate)
    rows = training.features(holdout, config.data)
    version = registry.version(candidate.registry_name, candidate.version)
    challenger, champion = registry.load(version), night.champion
    if champion is not None and champion.version == candidate.version:
        champion = None
    declared, metric = night.manifest, config.triggers.performance.metric
    return Evidence.of(
        holdout,
        config,
        challenger_scores=training.score(challenger, rows, task),
        champion_version=champion.version if champion else None,
        champion_fit_until=champion.fit_until if champion else None,
        champion_scores=training.score(registry.load(champion), rows, task) if champion else None,
        example_equal=registry.says_the_same(version, challenger),
        latency_p95_ms=latency_p95(challenger, rows.iloc[:10]),
        size_mb=registry.size_mb(version),
        previous_reference=declared.reference_in(metric) if declared else None,
    )


def read_holdout(night: Night, candidate: Candidate) -> Any:
    """The labelled rows of the holdout, as a frame."""
    from model import training

    data = night.config.data
    names = [*data.features, *data.roles]
    batches = night.source.batches(names, candidate.fit_until, midnight(night.watermark))
    return training.frame(batches, data, night.as_of)


def report(night: Night, verdict: Verdict) -> str:
    """The HTML report, with the model's history."""
    from model.events import read_events
    from review.report import render_report

    return render_report(verdict, read_events(night.registry.client, night.name))


def lines(verdict: Verdict) -> list[str]:
    """The result for a person: a line a gate."""
    head = "[green]passed[/]" if verdict.passed else "[bold red]refused[/]"
    gates = [f"  {gate.name:<18} {MARKS[gate.state]:<9} {output.clean(gate.sentence)}" for gate in verdict.gates]
    return [f"{verdict.candidate.model}: version {verdict.candidate.version} {head}", *gates]
