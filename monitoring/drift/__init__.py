"""Drift: the rows of a window compared with the baseline, column by column."""

from monitoring.drift.comparison import ReferenceColumn, column_days
from monitoring.drift.damage import ColumnDamage, damage_report
from monitoring.drift.day_effects import FEWEST_DAYS
from monitoring.drift.outcomes import with_outcomes
from monitoring.drift.report import ColumnDrift, DriftNight, DriftReport, drift_report

__all__ = [
    "FEWEST_DAYS",
    "ColumnDamage",
    "ColumnDrift",
    "DriftNight",
    "DriftReport",
    "ReferenceColumn",
    "column_days",
    "damage_report",
    "drift_report",
    "with_outcomes",
]
