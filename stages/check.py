"""The check stage: evaluate the triggers and decide whether to retrain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stages import event_log
from stages.pull import stop_if_broken

if TYPE_CHECKING:
    from monitoring.counting import Window
    from monitoring.triggers import Decision, History, Request
    from stages.ports import Run


def decide_retraining(
    run: Run, window: Window, request: Request | None = None, out: Path | None = None, *, note: bool = True
) -> Decision:
    """Return the decision; also written, and with `note` added to the event log."""
    from monitoring.triggers import decide

    stop_if_broken(window)
    drift_report = run.calculations.drift_report
    decision = decide(run.config, window, run.champion_baseline, history(run), request, compare=drift_report)
    run.write("decision.json", decision.to_json, out)
    if note:
        event_log.decision(run, decision)
    return decision


def history(run: Run) -> History:
    """Return what happened to the model before this run, from the registry, git and the forge."""
    from monitoring.triggers import History

    champion, manifest, name = run.champion, run.manifest, run.config.registry_name
    proposal = run.forge.open_proposal(run.name)
    return History.of(
        run.as_of,
        (champion.version, champion.trained_at) if champion else None,
        promoted=manifest.promoted_in(run.config.triggers.performance.metric) if manifest else (),
        trainings=run.registry.trainings(name),
        candidates=((version.trained_at, version.fit_until) for version in run.registry.versions(name).values()),
        open_proposal=proposal.url if proposal else None,
    )
