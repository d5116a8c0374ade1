"""Read the event log: every decision, refusal, promotion, rollback and failure of a model."""

from __future__ import annotations

import json as jsonlib
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts import options, output
from scripts.night import Night

if TYPE_CHECKING:
    from model.events import Event


def history(
    model: options.Model = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line, the oldest first.")] = False,
    last: Annotated[int, typer.Option("--last", min=1, help="How many events the table shows.")] = 30,
    everything: Annotated[bool, typer.Option("--all", help="Show quiet nights in the table too.")] = False,
) -> None:
    """Print what happened to a model, from the event log in MLflow.

    Example: mlops history --model flights --jsonl
    """
    from model.events import read_events

    night = Night.open(model, None)
    events = read_events(night.registry.client, night.name)
    if jsonl:
        for event in events:
            sys.stdout.write(jsonlib.dumps(entry(event), ensure_ascii=False) + "\n")
        return
    told = [event for event in events if everything or not quiet(event)]
    rows = [row(event) for event in told[-last:]]
    output.table(f"{night.name}: {len(told)} events", ("when", "what", "trigger", "version", "ok", "why"), rows)


def entry(event: Event) -> dict[str, Any]:
    """One line of the log for a program."""
    return {
        "timestamp": event.timestamp.isoformat(),
        "model": event.model,
        "event": event.kind,
        "trigger": event.trigger,
        "success": event.success,
        "version": event.version,
        "metrics": event.metrics,
        "reasons": list(event.reasons),
        "error": event.error,
        "details": event.details,
    }


def quiet(event: Event) -> bool:
    """Whether an event is a night on which nothing was to be done."""
    return event.kind == "decision" and event.details.get("retrain") != "true"


def row(event: Event) -> tuple[object, ...]:
    """One line of the table for a person."""
    why = event.error or "; ".join(reason for reason in event.reasons if reason)
    return (
        f"{event.timestamp:%Y-%m-%d}",
        event.kind,
        event.trigger,
        event.version,
        "yes" if event.success else "no",
        why,
    )
