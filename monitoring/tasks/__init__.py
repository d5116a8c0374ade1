"""Binary, multiclass and regression: metrics, bounds by day and calibration, all from counts."""

from monitoring.tasks import outcome_columns, tail_probabilities
from monitoring.tasks.binary import BINARY, Binary
from monitoring.tasks.binary_metrics import METRICS, evaluate
from monitoring.tasks.calibration import FEWEST, Calibration
from monitoring.tasks.day_bounds import DayBounds, day_bounds
from monitoring.tasks.day_spread import DaySpread, day_spread, pool
from monitoring.tasks.multiclass import Multiclass
from monitoring.tasks.outcome_columns import CELLS
from monitoring.tasks.paired_bounds import PairedRows, SliceBounds, paired_bounds, slice_bounds
from monitoring.tasks.regression import Regression
from monitoring.tasks.select import task_for_data, task_of
from monitoring.tasks.task import Task

__all__ = [
    "BINARY",
    "CELLS",
    "FEWEST",
    "METRICS",
    "Binary",
    "Calibration",
    "DayBounds",
    "DaySpread",
    "Multiclass",
    "PairedRows",
    "Regression",
    "SliceBounds",
    "Task",
    "day_bounds",
    "day_spread",
    "evaluate",
    "outcome_columns",
    "paired_bounds",
    "pool",
    "slice_bounds",
    "tail_probabilities",
    "task_for_data",
    "task_of",
]
