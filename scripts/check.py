"""The command `mlops check`: evaluate the triggers and decide whether to retrain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core import process
from core.errors import UsageError
from scripts.cli import github_runner, options, output, window_lines
from stages.check import decide_retraining
from stages.pull import pulled

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
        bool, typer.Option("--pull", help="Run mlops pull first. Faster than two commands: MLflow is loaded once.")
    ] = False,
    engine: options.On = options.Engine.LOCAL,
    reason: Annotated[
        str | None, typer.Option(envvar="MLOPS_REASON", help="Request a retraining by hand, for this reason.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", envvar="MLOPS_FORCE", help="Retrain even if a promotion pull request is open.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            envvar="MLOPS_DRY_RUN",
            help="Evaluate the triggers only. Starts no training and writes nothing to the event log.",
        ),
    ] = False,
) -> None:
    """Read window.json, evaluate performance, drift and age, and write decision.json.

    Example: mlops check --model flights --as-of 2013-06-01 --reason "new airport" --force
    """
    process.limit_blas_threads()
    from monitoring.counting import Window
    from monitoring.triggers import Request
    from review.text import markdown

    if engine is not options.Engine.LOCAL and not pull:
        raise UsageError("--engine has no effect: mlops check counts no rows.", fix="Add --pull.")
    night = options.opened(model, as_of, engine)
    if pull:
        with pulled(night, window) as counted:
            if not json:
                output.show(counted, window_lines(counted), as_json=False)
    with night.stage("check"):
        counted = night.read_record(Window, "window.json", window)
        why = markdown.clean(reason or "", 500)  # one line, because the form on GitHub accepts any text
        request = Request(reason=why or "by hand", force=force) if why or force else None
        decision = decide_retraining(night, counted, request, out, note=not dry_run)
        output.show(decision, lines(decision), as_json=json)
        github_runner.output("retrain", str(decision.retrain and not dry_run).lower())


def lines(decision: Decision) -> list[str]:
    """Return the result as text: a line per trigger, then the reasons."""
    readings = [f"  {r.trigger:<12} {MARKS[r.state]:<9} {output.clean(r.sentence)}" for r in decision.readings]
    verdict = "[bold]retrain[/]" if decision.retrain else "no retraining"
    return [f"{decision.model} as of {decision.as_of:%Y-%m-%d}: {verdict}", *readings, *because(decision)]


def because(decision: Decision) -> list[str]:
    """Return the reasons to retrain, or to wait, a line each."""
    return [f"  because {output.clean(reason)}" for reason in (*decision.reasons, *decision.held_back_by)]
