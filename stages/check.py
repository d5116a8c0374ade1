"""The check stage: judge the triggers and decide whether to retrain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stages.context import Night

if TYPE_CHECKING:
    from monitoring.counting import Window
    from monitoring.triggers import Decision, History, Request


def run(
    night: Night, window: Window, request: Request | None = None, out: Path | None = None, *, note: bool = True
) -> Decision:
    """The decision of the night; also written, and with `note` left in the event log."""
    from monitoring.triggers import decide
    from stages import event_log
    from stages.pull import stop_if_broken

    stop_if_broken(night, window)
    champion = night.champion
    baseline = night.baseline(champion) if champion else None
    decision = decide(night.config, window, baseline, past(night), request)
    decision.write(night.file("decision.json", out))
    if note:
        event_log.decision(night, decision)
    return decision


def past(night: Night) -> History:
    """What happened before this night, as MLflow, git and the forge tell it."""
    from monitoring.triggers import History

    champion, declared = night.champion, night.manifest
    name = night.config.registry_name
    proposal = night.forge.open_proposal(night.name)
    return History.of(
        night.as_of,
        (champion.version, champion.trained_at) if champion else None,
        promoted=declared.promoted_in(night.config.triggers.performance.metric) if declared else (),
        trainings=night.registry.trainings(name),
        candidates=((one.trained_at, one.fit_until) for one in night.registry.versions(name).values()),
        open_proposal=proposal.url if proposal else None,
    )
