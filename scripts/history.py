"""The command `mlops history`: every decision, refusal, promotion, rollback and failure of a model."""

from __future__ import annotations

import json as jsonlib
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from review.pages import quiet
from scripts.cli import options, output
from stages.context import Night

if TYPE_CHECKING:
    from registry import Event


def history(
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object per line, oldest first.")] = False,
    last: Annotated[int, typer.Option("--last", min=1, help="Number of events in the table.")] = 30,
    everything: Annotated[bool, typer.Option("--all", help="Show quiet nightly runs in the table too.")] = False,
) -> None:
    """Print what happened to a model up to --as-of, from the event log in MLflow.

    Example: mlops history --model flights --jsonl
    """
    from registry import read_events

    night = Night.open(model, as_of)
    events = [e for e in read_events(night.registry.client, night.name) if e.timestamp <= night.as_of]
    entries = [to_json(event) for event in events]
    if jsonl:
        sys.stdout.writelines(output.escaped(jsonlib.dumps(entry, ensure_ascii=False)) + "\n" for entry in entries)
        return
    output.show({"model": night.name, "events": entries}, (), as_json=json, out=out)
    rows = [row(event) for event in events if everything or not quiet(event)]
    if not json:
        head = f"{night.name}: the last {min(last, len(rows))} of {len(rows)} events"
        output.table(head, ("when", "what", "trigger", "version", "ok", "why"), rows[-last:])


def to_json(event: Event) -> dict[str, Any]:
    """Return an event as one line of JSON Lines."""
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


def row(event: Event) -> tuple[object, ...]:
    """Return an event as a row of the table."""
    why = event.error or "; ".join(reason for reason in event.reasons if reason)
    return (
        f"{event.timestamp:%Y-%m-%d}",
        event.kind,
        event.trigger,
        event.version,
        "yes" if event.success else "no",
        why,
    )
