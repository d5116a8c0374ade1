"""The bounds of metrics of multiclass and regression hold as often as they say, on samples of known worlds."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.tasks.multiclass import CONFUSION, Multiclass
from monitoring.tasks.regression import OF_MEANS
from tests.monitoring.tasks.test_multiclass import three
from tests.monitoring.tasks.test_regression import TASK, noisy


@pytest.mark.parametrize(
    ("count", "shares"), [(300, (0.6, 0.3, 0.1)), (1000, (0.4, 0.3, 0.2, 0.1)), (300, (0.1,) * 10)]
)
@pytest.mark.parametrize("metric", CONFUSION)
def test_bounds_of_classes_hold_as_often_as_they_say(metric: str, count: int, shares: tuple[float, ...]) -> None:
    """Each 95 % bound holds in 92 to 98 % of 500 seeded samples (three points are three standard errors)."""
    task = Multiclass(tuple("abcdefghij"[: len(shares)]))
    labels, said, _ = three(200_000, seed=9, shares=shares)
    counts = task.counted(labels, said)
    true = float(task.evaluate(metric, counts))
    rng = np.random.default_rng(17)
    drawn = rng.multinomial(count, counts.ravel() / counts.sum(), size=500).reshape(500, *counts.shape)
    bounds = np.array([task.interval(metric, one, 0.95, seed=3) for one in drawn])

    assert 0.92 <= np.mean(bounds[:, 0] <= true) <= 0.98
    assert 0.92 <= np.mean(bounds[:, 1] >= true) <= 0.98


@pytest.mark.parametrize("metric", OF_MEANS)
def test_bounds_of_errors_hold_as_often_as_they_say(metric: str) -> None:
    """Each 95 % bound holds in 91 to 99 % of 300 seeded samples of 400 rows (three standard errors are four points).

    r2 draws errors and labels apart.
    """
    low, high = coverage(metric, tails=30)

    assert 0.91 <= low <= 0.99
    assert 0.91 <= high <= 0.99


@pytest.mark.parametrize("metric", OF_MEANS)
def test_bounds_hold_with_heavy_tails(metric: str) -> None:
    """With errors of Student's t with 5 degrees of freedom, whose squares have no skewness, still in 88 % at least."""
    assert 0.88 <= min(coverage(metric, tails=5))


def coverage(metric: str, tails: float) -> tuple[float, float]:
    """On which share of samples the true value is over the lower bound, and under the upper one."""
    labels, said, _ = noisy(200_000, seed=9, tails=tails)
    true = float(TASK.evaluate(metric, TASK.counted(labels, said)))
    rng = np.random.default_rng(17)
    bounds = []
    for _ in range(300):
        rows = rng.integers(len(labels), size=400)
        bounds.append(TASK.interval(metric, TASK.counted(labels[rows], said[rows]), 0.95, seed=3))
    low, high = np.array(bounds).T
    return float(np.mean(low <= true)), float(np.mean(high >= true))
