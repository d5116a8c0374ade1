"""Texts of events, for the history, the site and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry import Event

MOVES = frozenset({"promotion", "rollback"})
SIGNS = {"promotion": "promoted", "rollback": "brought back", "training": "trained", "failure": "failed"}


def kind(event: Event) -> str | None:
    """The kind of its mark; None where it has none."""
    if event.kind == "validation":
        return None if event.success else "refusal"
    return event.kind if event.kind in SIGNS else None


def told(event: Event) -> str:
    """An event in one line: day, version, what, why."""
    return f"{event.timestamp:%Y-%m-%d}: {deed(event)}"


def deed(event: Event) -> str:
    """An event without its day."""
    what = "refused" if event.kind == "validation" else SIGNS.get(event.kind, event.kind)
    version = f"version {event.version} " if event.version is not None else ""
    line = f"{version}{what}"
    if event.kind in MOVES:  # its reasons are the steps that the registry took
        before = event.details.get("before")
        return f"{line} in place of version {before}" if before else line
    because = event.error or "; ".join(event.reasons)
    return f"{line} ({because[:200]})" if because else line
