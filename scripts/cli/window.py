"""The text of a window, which `mlops pull` and `mlops check --pull` print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.days import DAY
from scripts.cli import output

if TYPE_CHECKING:
    from monitoring.counting import Window


def window_lines(window: Window) -> list[str]:
    """Return the window as text: rows, days, and findings of the data checks."""
    if window.version is None:
        return [f"{window.model}: no version in Production yet, nothing to compare with"]
    rows = sum(day.rows for day in window.days)
    quality = window.quality
    checks = "" if quality is None else f", {quality.checks} checks, {len(quality.findings)} findings"
    head = f"{window.model}: {rows:,} rows in {len(window.days)} days up to {window.end - DAY}{checks}"
    findings = [f"  [yellow]{f.severity}[/] {output.clean(f.sentence)}" for f in quality.findings] if quality else []
    return [head, *findings]
