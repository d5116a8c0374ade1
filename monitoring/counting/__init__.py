"""Rows counted into daily tallies, which add up to windows and baselines."""

from monitoring.counting import duplicates, tally
from monitoring.counting.column_tally import ColumnTally
from monitoring.counting.counts import Counts
from monitoring.counting.holdout import Holdout, holdout_of
from monitoring.counting.known_days import KnownDays, reuse_counted_days
from monitoring.counting.row_counter import TIME, RowCounter, date
from monitoring.counting.tally import Baseline, DayTally, build_baseline, count, tallies
from monitoring.counting.unregistered import scored_versions, unregistered_versions
from monitoring.counting.window import Window, build_window, days_needed

__all__ = [
    "TIME",
    "Baseline",
    "ColumnTally",
    "Counts",
    "DayTally",
    "Holdout",
    "KnownDays",
    "RowCounter",
    "Window",
    "build_baseline",
    "build_window",
    "count",
    "date",
    "days_needed",
    "duplicates",
    "holdout_of",
    "reuse_counted_days",
    "scored_versions",
    "tallies",
    "tally",
    "unregistered_versions",
]
