"""TODO face."""

from monitoring.drift.comparison import Known, side
from monitoring.drift.outcomes import with_outcomes
from monitoring.drift.report import ColumnDrift, DriftNight, DriftReport, drift_report

__all__ = ["ColumnDrift", "DriftNight", "DriftReport", "Known", "drift_report", "side", "with_outcomes"]
