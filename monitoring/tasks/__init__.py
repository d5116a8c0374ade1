"""Binary, multiclass and regression: metrics, intervals and calibration, all from counts."""

from monitoring.tasks import outcome_columns, select
from monitoring.tasks.binary import BINARY, Binary
from monitoring.tasks.binary_metrics import METRICS, evaluate
from monitoring.tasks.calibration import FEWEST, Calibration, candidate_calibrations, fit_calibration
from monitoring.tasks.multiclass import Multiclass
from monitoring.tasks.outcome_columns import CELLS
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
    "Multiclass",
    "Regression",
    "Task",
    "candidate_calibrations",
    "evaluate",
    "fit_calibration",
    "outcome_columns",
    "select",
    "task_for_data",
    "task_of",
]
