"""The window of a night as lines for a person; `pull` and `check --pull` print it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.days import DAY
from scripts.cli import output

if TYPE_CHECKING:
    from monitoring.counting import Window


def window_lines(window: Window) -> list[str]:
    """The result for a person."""
    if window.version is None:
        return [f"{window.model}: no version in Production yet, nothing to compare with"]
    rows = sum(day.rows for day in window.days)
    found = window.quality
    said = "" if found is None else f", {found.checks} checks, {len(found.findings)} findings"
    head = f"{window.model}: {rows:,} rows in {len(window.days)} days up to {window.end - DAY}{said}"
    warnings = [f"  [yellow]{f.severity}[/] {output.clean(f.sentence)}" for f in found.findings] if found else []
    return [head, *warnings]
