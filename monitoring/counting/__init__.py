"""Rows counted into daily tallies, which add up to windows and baselines."""

from monitoring.counting import duplicates, tally
from monitoring.counting.column_tally import ColumnTally
from monitoring.counting.counts import Counts
from monitoring.counting.holdout import Holdout, holdout_of
from monitoring.counting.known_days import KnownDays, brought_up
from monitoring.counting.row_counter import TIME, Kernel, date
from monitoring.counting.tally import Baseline, DayTally, build_baseline, count, tallies
from monitoring.counting.window import Window, days_needed, looked_at

__all__ = [
    "TIME",
    "Baseline",
    "ColumnTally",
    "Counts",
    "DayTally",
    "Holdout",
    "Kernel",
    "KnownDays",
    "Window",
    "brought_up",
    "build_baseline",
    "count",
    "date",
    "days_needed",
    "duplicates",
    "holdout_of",
    "looked_at",
    "tallies",
    "tally",
]
