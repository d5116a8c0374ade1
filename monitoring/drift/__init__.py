"""Drift: the rows of a window compared with the baseline, column by column."""

from monitoring.drift.comparison import ReferenceColumn, column_days
from monitoring.drift.outcomes import with_outcomes
from monitoring.drift.report import ColumnDrift, DriftNight, DriftReport, drift_report

__all__ = [
    "ColumnDrift",
    "DriftNight",
    "DriftReport",
    "ReferenceColumn",
    "column_days",
    "drift_report",
    "with_outcomes",
]
