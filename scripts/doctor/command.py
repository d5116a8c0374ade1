"""The command `mlops doctor`: checks of everything that a nightly run needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

import typer

from core.errors import MlopsError
from scripts.cli import options, output
from scripts.doctor.finding import Check, Diagnosis
from stages.context import Night

MARKS = {"ok": "[green]ok[/]", "warn": "[yellow]warn[/]", "fail": "[bold red]fail[/]"}


def doctor(
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 2 if a check fails.")] = False,
) -> None:
    """Check Python, packages, config, pipeline, rows, registry, manifest and GitHub, and show how to fix what is wrong.

    Example: mlops doctor --model flights
    """
    diagnoses = list(run(Night.each(model, as_of)))
    output.show({"checks": [d._asdict() for d in diagnoses]}, lines(diagnoses), as_json=json, out=out)
    if exit_code and any(diagnosis.state == "fail" for diagnosis in diagnoses):
        raise typer.Exit(2)


def run(nights: list[Night]) -> Iterator[Diagnosis]:
    """Run all checks: first those of this machine, then of each model, then of GitHub."""
    from scripts.doctor import github, installation, model

    checks: list[tuple[str, Check]] = [*installation.checks(nights[0].settings)] if nights else []
    for night in nights:
        checks += [(f"{night.name}: {what}", check) for what, check in model.checks(night)]
    for what, check in checks:
        yield attempted(what, check)
    if nights:
        yield from github.findings(nights[0].settings, tuple(night.name for night in nights))


def attempted(what: str, check: Check) -> Diagnosis:
    """Run a check and return its diagnosis; an expected error counts as failed, with its cause and fix."""
    try:
        return check()._replace(what=what)
    except MlopsError as err:
        return Diagnosis(what, "fail", err.what, err.why, err.fix)


def lines(diagnoses: list[Diagnosis]) -> list[str]:
    """Return the result as text: a line per check, and below those that are not ok why it matters and the fix."""
    details = []
    for diagnosis in diagnoses:
        state, what, says = MARKS[diagnosis.state], output.clean(diagnosis.what), output.clean(diagnosis.says)
        details.append(f"  {state:<4} {what}: {says}")
        if diagnosis.state != "ok":
            details += [f"       {output.clean(text)}" for text in (diagnosis.why, diagnosis.fix) if text]
    counts = Counter(diagnosis.state for diagnosis in diagnoses)
    warnings = "1 warning" if counts["warn"] == 1 else f"{counts['warn']} warnings"
    return [f"{counts['ok']} ok, {warnings}, {counts['fail']} failed", *details]
