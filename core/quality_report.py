"""Findings of the data quality checks."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from core.records import Record


class Finding(Record):
    """One finding of a quality check.

    `broken` means that this day must be left out of drift and performance. `value` and `limit` are in the unit of the
    check (mostly shares of rows). `date` is None if the finding is about the whole table.
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
    """Results of the expectation suite on a monitoring window or on training rows."""

    subject: Literal["window", "training"]
    rows: int
    checks: int
    findings: tuple[Finding, ...]

    @property
    def critical(self) -> tuple[Finding, ...]:
        """Return the findings that stop the run."""
        return tuple(finding for finding in self.findings if finding.severity == "critical")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Return the findings that the reviewer sees."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    @property
    def broken_days(self) -> frozenset[dt.date]:
        """Return the days to leave out: those of findings marked as broken, and of critical ones."""
        marked = (f.date for f in self.findings if f.broken or f.severity == "critical")
        return frozenset(date for date in marked if date is not None)
