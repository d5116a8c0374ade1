"""Texts of events, for the history, the site and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def taken_back(version: int, events: Sequence[Event]) -> str:
    """Return when and by whom a version was taken out of Production by a rollback; empty if none did it last.

    Args:
        version: the one that may come back.
        events: of the model, oldest first.
    """
    moves = (event for event in reversed(events) if event.kind in MOVES)
    last = next((move for move in moves if str(version) in {str(move.version), move.details.get("before")}), None)
    if last is None or last.kind != "rollback" or last.version == version:
        return ""
    commit, author = last.details.get("commit", ""), last.details.get("by", "")
    by = f" by {author}" if author else ""
    at = f" (commit {commit[:12]}{by})" if commit else by
    return f"Version {version} was in Production before, and was rolled back on {last.timestamp:%Y-%m-%d}{at}."
