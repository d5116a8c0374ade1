"""Scores on late labels, the reference that they are compared with, and an estimate before labels arrive."""

from monitoring.performance.estimate import Estimate, estimate_report
from monitoring.performance.reference import KEPT_PROMOTIONS, PromotedScore, Reference, alarm_limit, reference_score
from monitoring.performance.report import PerformanceReport, performance_report

__all__ = [
    "KEPT_PROMOTIONS",
    "Estimate",
    "PerformanceReport",
    "PromotedScore",
    "Reference",
    "alarm_limit",
    "estimate_report",
    "performance_report",
    "reference_score",
]
