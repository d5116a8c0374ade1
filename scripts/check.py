"""Judge the triggers on what was counted, and decide whether to retrain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core import process
from core.errors import UsageError
from scripts import options, output, runner
from scripts import pull as before
from scripts.night import Night

if TYPE_CHECKING:
    from monitoring.triggers import Decision, Past, Request
    from monitoring.window import Window

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
    engine: before.On = before.Engine.LOCAL,
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
    process.one_thread()
    from monitoring.triggers import Request
    from monitoring.window import Window
    from review.markdown import clean

    if engine is not before.Engine.LOCAL and not pull:
        raise UsageError("--engine says what counts, and nothing is counted here.", fix="Add --pull.")
    night = before.opened(model, as_of, engine)
    if pull:
        with before.stage(night, window) as counted:
            if not json:
                output.show(counted, before.lines(counted), as_json=False)
    with night.stage("check"):
        counted = night.take(Window, "window.json", window)
        said = clean(reason or "", 500)  # one line, whatever the form on GitHub was filled in with
        request = Request(reason=said or "by hand", force=force) if said or force else None
        decision = run(night, counted, request, out, note=not dry_run)
        output.show(decision, lines(decision), as_json=json)
        runner.output("retrain", str(decision.retrain and not dry_run).lower())


def run(
    night: Night, window: Window, request: Request | None = None, out: Path | None = None, *, note: bool = True
) -> Decision:
    """The decision of the night; also written, and with `note` left in the event log."""
    from monitoring.triggers import decide
    from scripts import log
    from scripts.pull import stop_if_broken

    stop_if_broken(night, window)
    champion = night.champion
    baseline = night.baseline(champion) if champion else None
    decision = decide(night.config, window, baseline, past(night), request)
    decision.write(night.file("decision.json", out))
    if note:
        log.decision(night, decision)
    return decision


def past(night: Night) -> Past:
    """What happened before this night, as MLflow, git and the forge tell it."""
    from monitoring.past import remember

    champion, declared = night.champion, night.manifest
    name = night.config.registry_name
    proposal = night.forge.open_proposal(night.name)
    return remember(
        night.as_of,
        (champion.version, champion.trained_at) if champion else None,
        reference=declared.reference_in(night.config.triggers.performance.metric) if declared else None,
        trainings=night.registry.trainings(name),
        candidates=((one.trained_at, one.fit_until) for one in night.registry.versions(name).values()),
        open_proposal=proposal.url if proposal else None,
    )


def lines(decision: Decision) -> list[str]:
    """The result for a person: a line a trigger, then what follows."""
    readings = [f"  {r.trigger:<12} {MARKS[r.state]:<9} {output.clean(r.sentence)}" for r in decision.readings]
    verdict = "[bold]retrain[/]" if decision.retrain else "no retraining"
    return [f"{decision.model} as of {decision.as_of:%Y-%m-%d}: {verdict}", *readings, *because(decision)]


def because(decision: Decision) -> list[str]:
    """Why, or why not."""
    return [f"  because {output.clean(reason)}" for reason in (*decision.reasons, *decision.held_back_by)]
