"""Cells that the values of a column are counted into."""

from monitoring.axes import grid
from monitoring.axes.axis import MOST_LEVELS, Axis, CategoricalAxis, NumericAxis, fit_categorical, fit_numeric

__all__ = ["MOST_LEVELS", "Axis", "CategoricalAxis", "NumericAxis", "fit_categorical", "fit_numeric", "grid"]
