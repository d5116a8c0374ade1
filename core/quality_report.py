"""Findings of a data-quality check."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from core.records import Record


class Finding(Record):
    """Something that a quality check found.

    `broken` means that this day must be left out of drift and performance. `value` and `limit` are in the unit of the
    check (mostly shares of rows); `date` is None where the table as a whole is meant.
    """

    broken: bool = False
    severity: Literal["critical", "warning", "info"]
    check: str
    column: str | None
    date: dt.date | None
    value: float | None
    limit: float | None
    sentence: str


class QualityReport(Record):
    """What the expectation suite says about a monitoring window or about training rows."""

    subject: Literal["window", "training"]
    rows: int
    checks: int
    findings: tuple[Finding, ...]

    @property
    def critical(self) -> tuple[Finding, ...]:
        """Findings that stop the night."""
        return tuple(finding for finding in self.findings if finding.severity == "critical")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that the reviewer sees."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    @property
    def broken_days(self) -> frozenset[dt.date]:
        """Days to leave out: those of findings marked as broken, and of critical ones."""
        marked = (f.date for f in self.findings if f.broken or f.severity == "critical")
        return frozenset(date for date in marked if date is not None)
