"""Scores on late labels, and an estimate before labels arrive."""

from monitoring.performance.estimate import Estimate, estimate_report
from monitoring.performance.report import PerformanceReport, performance_report

__all__ = ["Estimate", "PerformanceReport", "estimate_report", "performance_report"]
