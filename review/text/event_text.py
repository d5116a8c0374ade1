"""Texts of events, for the history, the site and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry import Event

MOVES = frozenset({"promotion", "rollback"})
VERBS = {"promotion": "promoted", "rollback": "restored", "training": "trained", "failure": "failed"}


def mark(event: Event) -> str | None:
    """Return the kind of mark that a picture shows of an event; None if it shows none."""
    if event.kind == "validation":
        return None if event.success else "refusal"
    return event.kind if event.kind in VERBS else None


def dated(event: Event) -> str:
    """Return an event in one line: day, version, what happened and why."""
    return f"{event.timestamp:%Y-%m-%d}: {undated(event)}"


def undated(event: Event) -> str:
    """Return an event in one line, without its day."""
    verb = "refused" if event.kind == "validation" else VERBS.get(event.kind, event.kind)
    version = f"version {event.version} " if event.version is not None else ""
    line = f"{version}{verb}"
    if event.kind in MOVES:  # its reasons are the steps that the registry took
        before = event.details.get("before")
        return f"{line}, replacing version {before}" if before else line
    reason = event.error or "; ".join(event.reasons)
    return f"{line} ({reason[:200]})" if reason else line
