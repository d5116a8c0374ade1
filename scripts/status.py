"""The command `mlops status`: the state of a model on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.days import DAY
from core.errors import RegistryError
from scripts.cli import options, output
from stages.context import Night
from stages.promote import agreement

if TYPE_CHECKING:
    from registry import Event

TRIGGERS, EARLY_WARNINGS = ("performance", "drift", "age"), ("damage", "score", "target", "estimate")


def status(
    model: options.Model = None, as_of: options.AsOf = None, json: options.Json = False, out: options.Out = None
) -> None:
    """Show the version in Production, the newest one, the open pull request, the readings, and if MLflow and git agree.

    Example: mlops status --model flights
    """
    nights = Night.each(model, as_of)
    facts = {night.name: run(night) for night in nights}
    output.show(facts, (), as_json=json, out=out)
    for night in nights if not json else ():
        output.table(f"{night.name} as of {night.as_of:%Y-%m-%d}", ("", ""), facts[night.name].items())


def run(night: Night) -> dict[str, Any]:
    """Return the state of a model, one entry per fact."""
    from registry import read_events

    versions = night.registry.versions(night.config.registry_name)
    served = in_service(night)
    proposal = night.forge.open_proposal(night.name)
    newest = versions[max(versions)] if versions else None
    events = read_events(night.registry.client, night.name)
    return {
        "in service": served,
        "newest version": newest and f"version {newest.version}, validation {newest.validation}",
        "open proposal": proposal.url if proposal else "none",
        **readings(events),
        "registry": agreement(night),
    }


def in_service(night: Night) -> str:
    """Return the version in Production, or why it cannot be said."""
    try:
        champion = night.champion
    except RegistryError as err:
        return err.what
    if champion is None:
        return "nothing yet"
    return (
        f"version {champion.version}, trained {champion.trained_at:%Y-%m-%d} "
        f"({(night.as_of - champion.trained_at) // DAY} days ago) on rows up to {champion.data_until:%Y-%m-%d}"
    )


def readings(events: list[Event]) -> dict[str, str]:
    """Return the newest decision: its triggers, its early warnings, and the failure that followed, if any."""
    decision = next((event for event in reversed(events) if event.kind == "decision"), None)
    if decision is None:
        return {"last judged": "never"}
    details = decision.details
    shown = {name: details[name] for name in TRIGGERS if name in details}
    shown |= {name: text for name in EARLY_WARNINGS if (text := details.get(name, "")).startswith("warns")}
    last = events[-1]
    failed = (
        {"last failure": f"{last.timestamp:%Y-%m-%d} {last.trigger}: {last.error}"} if last.kind == "failure" else {}
    )
    return {"last judged": f"{decision.timestamp:%Y-%m-%d}", **shown, **failed}
