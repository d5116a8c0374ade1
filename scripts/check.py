"""Judge the triggers on what was counted, and decide whether to retrain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core import process
from core.errors import UsageError
from scripts.cli import github_runner, options, output, window_lines
from stages import pull as pull_stage
from stages.check import run

if TYPE_CHECKING:
    from monitoring.triggers import Decision

MARKS = {
    "fired": "[bold red]fired[/]",
    "quiet": "[green]quiet[/]",
    "cannot_judge": "[yellow]cannot judge[/]",
    "warns": "[yellow]warns[/]",
}


def check(  # noqa: PLR0913, PLR0917 - one argument an option
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
    window: options.From = None,
    pull: Annotated[
        bool, typer.Option("--pull", help="Pull first, as mlops pull does; loads MLflow once instead of twice.")
    ] = False,
    engine: options.On = options.Engine.LOCAL,
    reason: Annotated[
        str | None, typer.Option(envvar="MLOPS_REASON", help="Ask for a retraining by hand, and say why.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", envvar="MLOPS_FORCE", help="Ask for one also over an open proposal.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", envvar="MLOPS_DRY_RUN", help="Only judge: no training follows, none is noted.")
    ] = False,
) -> None:
    """Read window.json, judge performance, drift and age, and write decision.json.

    Example: mlops check --model flights --as-of 2013-06-01 --reason "new airport" --force
    """
    process.limit_blas_threads()
    from monitoring.counting import Window
    from monitoring.triggers import Request
    from review.text import markdown

    if engine is not options.Engine.LOCAL and not pull:
        raise UsageError("--engine says what counts, and nothing is counted here.", fix="Add --pull.")
    night = options.opened(model, as_of, engine)
    if pull:
        with pull_stage.stage(night, window) as counted:
            if not json:
                output.show(counted, window_lines(counted), as_json=False)
    with night.stage("check"):
        counted = night.take(Window, "window.json", window)
        said = markdown.clean(reason or "", 500)  # one line, whatever the form on GitHub was filled in with
        request = Request(reason=said or "by hand", force=force) if said or force else None
        decision = run(night, counted, request, out, note=not dry_run)
        output.show(decision, lines(decision), as_json=json)
        github_runner.output("retrain", str(decision.retrain and not dry_run).lower())


def lines(decision: Decision) -> list[str]:
    """The result for a person: a line a trigger, then what follows."""
    readings = [f"  {r.trigger:<12} {MARKS[r.state]:<9} {output.clean(r.sentence)}" for r in decision.readings]
    verdict = "[bold]retrain[/]" if decision.retrain else "no retraining"
    return [f"{decision.model} as of {decision.as_of:%Y-%m-%d}: {verdict}", *readings, *because(decision)]


def because(decision: Decision) -> list[str]:
    """Why, or why not."""
    return [f"  because {output.clean(reason)}" for reason in (*decision.reasons, *decision.held_back_by)]
