"""The text of a window, which `mlops pull` and `mlops check --pull` print."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from core.days import DAY
from scripts.cli import output

if TYPE_CHECKING:
    from core.quality_report import Finding
    from monitoring.counting import Window


def window_lines(window: Window) -> list[str]:
    """Return the window as text: rows, days, and findings of the data checks."""
    if window.version is None:
        return [f"{window.model}: no version in Production yet, nothing to compare with"]
    rows = sum(day.rows for day in window.days)
    quality = window.quality
    checks = "" if quality is None else f", {quality.checks} checks, {len(quality.findings)} findings"
    head = f"{window.model}: {rows:,} rows in {len(window.days)} days up to {window.end - DAY}{checks}"
    return [head, *(_findings(quality.findings) if quality else [])]


def _findings(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield a line for each check and column: with its newest day, and on how many days before it is the same."""
    by_check: dict[tuple[str, str, str | None], list[Finding]] = {}
    for finding in findings:
        by_check.setdefault((finding.severity, finding.check, finding.column), []).append(finding)
    for same in by_check.values():
        newest = max(same, key=lambda finding: finding.date or dt.date.min)
        more = f" (and on {len(same) - 1} earlier days)" if len(same) > 2 else ""  # noqa: PLR2004 - two are as short
        shown = [newest] if more else same
        yield from (f"  [yellow]{finding.severity}[/] {output.clean(finding.sentence)}{more}" for finding in shown)
