"""The command `mlops validate`: evaluate a candidate and the champion on rows neither was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.cli import github_runner, options, output
from stages.context import Night
from stages.validate import validate_candidate

if TYPE_CHECKING:
    from training.gates import Verdict

MARKS = {"passes": "[green]passes[/]", "blocks": "[bold red]blocks[/]", "cannot_judge": "[yellow]cannot judge[/]"}


def validate(
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
    candidate: options.From = None,
    exit_code: options.ExitCode = False,
) -> None:
    """Read candidate.json, evaluate every gate on the holdout, and write verdict.json and report.html.

    Example: mlops validate --model flights --as-of 2013-06-01
    """
    from training import Candidate

    night = Night.open(model, as_of)
    with night.stage("validate"):
        trained = night.read_record(Candidate, "candidate.json", candidate)
        verdict = validate_candidate(night, trained, out)
        output.show(verdict, lines(verdict), as_json=json)
        github_runner.output("passed", str(verdict.passed).lower())
        if exit_code:
            verdict.require_passed()


def lines(verdict: Verdict) -> list[str]:
    """Return the result as text: a line per gate."""
    from review.text import VerdictView

    head = "[green]passed[/]" if verdict.passed else "[bold red]refused[/]"
    gates = [f"  {gate.name:<18} {MARKS[gate.state]:<9} {output.clean(gate.sentence)}" for gate in verdict.gates]
    warnings = [f"[yellow]{output.clean(warning)}[/]" for warning in VerdictView(verdict).merging_warnings]
    return [f"{verdict.candidate.model}: version {verdict.candidate.version} {head}", *warnings, *gates]
