"""Calibration of scores as probabilities, fitted on the holdout: two numbers in a record."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrow import Floats
from core.records import Record

FEWEST = 20  # rows of each label; with fewer, two parameters fit the noise
MIDDLE = 0.5  # of a cell


class Calibration(Record):
    """The chance of label 1 at a score: logistic in the log odds of the score (Platt, 1999).

    A score that already is a chance has slope 1 and intercept 0. `rows` and `positives` are those it was fitted on.
    """

    slope: float
    intercept: float
    rows: int
    positives: int

    def chances(self, cells: int) -> Floats:
        """The chance of label 1 in the middle of each of `cells` score cells."""
        found: Floats = (1 + np.tanh((self.slope * log_odds(cells) + self.intercept) / 2)) / 2
        return found


def log_odds(cells: int) -> Floats:
    """Log odds of the middle of each of so many score cells."""
    middle = (np.arange(cells) + MIDDLE) / cells
    found: Floats = np.log(middle / (1 - middle))
    return found


def fit_calibration(counts: NDArray[Any]) -> Calibration | None:
    """Fit to rows by score cell and label, shape (cells, 2); None where under 20 rows have one of the labels.

    Maximum likelihood by Newton's steps. Platt's targets (n1 + 1) / (n1 + 2) and 1 / (n0 + 2) in place of 1 and 0 keep
    the fit finite where one score parts the labels.
    """
    zeros, ones = counts[:, 0].astype(np.float64), counts[:, 1].astype(np.float64)
    negatives, positives = zeros.sum(), ones.sum()
    if min(negatives, positives) < FEWEST:
        return None
    rows = zeros + ones
    wanted = ones * (positives + 1) / (positives + 2) + zeros / (negatives + 2)
    slope, intercept = _fit(log_odds(len(counts)), rows, wanted)
    return Calibration(slope=slope, intercept=intercept, rows=int(rows.sum()), positives=int(positives))


def _fit(x: Floats, rows: Floats, wanted: Floats) -> tuple[float, float]:
    """Slope and intercept that make the expected number of ones in each cell most like the wanted one."""
    from scipy.optimize import minimize
    from scipy.special import expit

    design = np.stack([x, np.ones_like(x)], axis=1)

    def loss(parameters: Floats) -> float:
        line = design @ parameters
        return float((rows * np.logaddexp(0, line) - wanted * line).sum())

    def slope_of(parameters: Floats) -> Floats:
        found: Floats = design.T @ (rows * expit(design @ parameters) - wanted)
        return found

    def curvature(parameters: Floats) -> Floats:
        chance = expit(design @ parameters)
        found: Floats = design.T @ (design * (rows * chance * (1 - chance))[:, None])
        return found

    start = np.array([1.0, 0.0])
    found = minimize(loss, start, jac=slope_of, hess=curvature, method="trust-exact", options={"gtol": 1e-6})
    return float(found.x[0]), float(found.x[1])
