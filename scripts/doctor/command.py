"""Look at everything a night stands on, and say of each thing whether it is right, why it matters and what to do."""

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
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 2 when something fails.")] = False,
) -> None:
    """Check Python, lock, config, pipeline, rows, registry, manifest and GitHub, and say what to click or type.

    Example: mlops doctor --model flights
    """
    found = list(run(Night.each(model, as_of)))
    output.show({"checks": [one._asdict() for one in found]}, lines(found), as_json=json, out=out)
    if exit_code and any(one.state == "fail" for one in found):
        raise typer.Exit(2)


def run(nights: list[Night]) -> Iterator[Diagnosis]:
    """All checks, those of the machine first, then of each model, then of GitHub."""
    from scripts.doctor import github, installation, model

    checks: list[tuple[str, Check]] = [*installation.checks(nights[0].settings)] if nights else []
    for night in nights:
        checks += [(f"{night.name}: {what}", check) for what, check in model.checks(night)]
    for what, check in checks:
        yield attempted(what, check)
    if nights:
        yield from github.findings(nights[0].settings, tuple(night.name for night in nights))


def attempted(what: str, check: Check) -> Diagnosis:
    """What a check finds; an error of ours is a failure with its cause and remedy."""
    try:
        return check()._replace(what=what)
    except MlopsError as err:
        return Diagnosis(what, "fail", err.what, err.why, err.fix)


def lines(found: list[Diagnosis]) -> list[str]:
    """The result for a person: a line a check, and under those that are not right why and what to do."""
    told = []
    for one in found:
        told.append(f"  {MARKS[one.state]:<4} {output.clean(one.what)}: {output.clean(one.says)}")
        if one.state != "ok":
            told += [f"       {output.clean(text)}" for text in (one.why, one.fix) if text]
    counts = Counter(one.state for one in found)
    return [f"{counts['ok']} ok, {counts['warn']} to look at, {counts['fail']} to mend", *told]
