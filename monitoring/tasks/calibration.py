"""Calibration of scores as probabilities, fitted on the days of the holdout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrow import Floats
from core.records import Record

FEWEST = 20  # rows of each label; with fewer, two parameters fit the noise
FOLDS = 5
MIDDLE = 0.5  # of a cell
SMALLEST = 1e-9  # chance; a logistic one rounds to 0 far from its middle


class Calibration(Record):
    """The chance of label 1 at a score.

    Without `levels` it is logistic in the log odds of the score (Platt, 1999): a score that already is a chance has
    slope 1 and intercept 0. With `levels` it is a step function (isotonic regression): `ends` has the score cell before
    which each step ends, and `levels` its chance. `rows` and `positives` are those of the fit.
    """

    slope: float
    intercept: float
    rows: int
    positives: int
    ends: tuple[int, ...] = ()
    levels: tuple[float, ...] = ()

    def chances(self, cells: int) -> Floats:
        """Return the chance of label 1 in each of `cells` score cells; of a logistic one, in their middle."""
        if self.levels:
            return np.repeat(np.array(self.levels), np.diff(self.ends, prepend=0))
        chances: Floats = (1 + np.tanh((self.slope * log_odds(cells) + self.intercept) / 2)) / 2
        return chances


def log_odds(cells: int) -> Floats:
    """Return the log odds of the middle of each of `cells` score cells."""
    middle = (np.arange(cells) + MIDDLE) / cells
    odds: Floats = np.log(middle / (1 - middle))
    return odds


def fit_calibration(days: Sequence[NDArray[Any]]) -> Calibration | None:
    """Return the calibration that predicts left-out days best, fitted on all; None if a label has under 20 rows.

    A logistic and an isotonic fit compete by the log loss of five folds, each with every fifth day. The logistic fit
    wins if a fold would leave too few rows of a label, as on a holdout of one day.

    Args:
        days: rows by score cell and label, shape (cells, 2), of each day.
    """
    total = sum(days, np.zeros_like(days[0])) if days else np.zeros((0, 2), np.int64)
    if total.sum(axis=0).min() < FEWEST:
        return None
    candidates = candidate_calibrations(total)
    losses = dict.fromkeys(candidates, 0.0)
    for fold in range(FOLDS):
        held_out = sum(days[fold::FOLDS], np.zeros_like(total))
        if (total - held_out).sum(axis=0).min() < FEWEST:
            return candidates["logistic"]
        for name, fit in candidate_calibrations(total - held_out).items():
            losses[name] += _log_loss(held_out, fit)
    return candidates[min(losses, key=losses.__getitem__)]


def candidate_calibrations(counts: NDArray[Any]) -> dict[str, Calibration]:
    """Return the calibrations that compete, by name, fitted to rows by score cell and label."""
    return {"logistic": _logistic(counts), "isotonic": _isotonic(counts)}


def _log_loss(counts: NDArray[Any], calibration: Calibration) -> float:
    """Return the negative log likelihood of labels."""
    chances = np.clip(calibration.chances(len(counts)), SMALLEST, 1 - SMALLEST)
    return float(-(counts[:, 1] * np.log(chances) + counts[:, 0] * np.log1p(-chances)).sum())


def _isotonic(counts: NDArray[Any]) -> Calibration:
    """Return a rising step function with levels from 1 / (rows + 2) to (rows + 1) / (rows + 2)."""
    from scipy.optimize import isotonic_regression

    rows, logistic = counts.sum(axis=1), _logistic(counts)
    occupied = np.flatnonzero(rows)
    shares = counts[occupied, 1] / rows[occupied]
    starts = isotonic_regression(shares, weights=rows[occupied]).blocks[:-1]
    sums = np.add.reduceat(counts[occupied], starts, axis=0)
    least = 1 / (rows.sum() + 2)
    levels = np.clip(sums[:, 1] / sums.sum(axis=1), least, 1 - least)
    # A step ends half way to the next score that occurs.
    ends = (occupied[starts[1:] - 1] + occupied[starts[1:]]) // 2 + 1
    steps = {"ends": (*ends.tolist(), len(counts)), "levels": tuple(levels.tolist())}
    return logistic.model_copy(update=steps)


def _logistic(counts: NDArray[Any]) -> Calibration:
    """Return a logistic curve, by maximum likelihood with Newton's steps.

    Platt's targets (n1 + 1) / (n1 + 2) and 1 / (n0 + 2) in place of 1 and 0 keep the fit finite if one score parts the
    labels.
    """
    zeros, ones = counts[:, 0].astype(np.float64), counts[:, 1].astype(np.float64)
    negatives, positives = zeros.sum(), ones.sum()
    rows = zeros + ones
    wanted = ones * (positives + 1) / (positives + 2) + zeros / (negatives + 2)
    slope, intercept = _fit(log_odds(len(counts)), rows, wanted)
    return Calibration(slope=slope, intercept=intercept, rows=int(rows.sum()), positives=int(positives))


def _fit(x: Floats, rows: Floats, wanted: Floats) -> tuple[float, float]:
    """Return the slope and intercept that bring the expected number of ones in each cell closest to the wanted one."""
    from scipy.optimize import minimize
    from scipy.special import expit

    design = np.stack([x, np.ones_like(x)], axis=1)

    def loss(parameters: Floats) -> float:
        line = design @ parameters
        return float((rows * np.logaddexp(0, line) - wanted * line).sum())

    def gradient(parameters: Floats) -> Floats:
        slopes: Floats = design.T @ (rows * expit(design @ parameters) - wanted)
        return slopes

    def curvature(parameters: Floats) -> Floats:
        chance = expit(design @ parameters)
        curves: Floats = design.T @ (design * (rows * chance * (1 - chance))[:, None])
        return curves

    start = np.array([1.0, 0.0])
    result = minimize(loss, start, jac=gradient, hess=curvature, method="trust-exact", options={"gtol": 1e-6})
    return float(result.x[0]), float(result.x[1])
