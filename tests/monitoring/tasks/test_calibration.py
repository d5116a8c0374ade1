"""What a score is worth is what the same fit on the rows says, and fits into two numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from monitoring.tasks.binary import BINARY
from monitoring.tasks.binary_metrics import cells
from monitoring.tasks.calibration import Calibration, fit_calibration, log_odds


def rows(n: int, seed: int, slope: float = 1.0, intercept: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels whose chance is logistic in the scores' log odds."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(2, 3, n)
    return scores, (rng.random(n) < expit(slope * logit(scores) + intercept)).astype(int)


@pytest.mark.parametrize(("n", "slope", "intercept"), [(300, 1.0, 0.0), (3000, 0.6, -1.2), (3000, 2.5, 0.7)])
def test_the_fit_is_that_of_sklearn_on_rows(n: int, slope: float, intercept: float) -> None:
    """Logistic regression without penalty on every row, each counted as 1 and as 0 by Platt's targets."""
    scores, labels = rows(n, 3, slope, intercept)
    found = fit_calibration(BINARY.counted(labels, scores))
    x = log_odds(1000)[cells(scores)][:, None]
    ones, zeros = labels.sum(), n - labels.sum()
    target = np.where(labels == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    weighted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
        np.vstack([x, x]), np.repeat([1, 0], n), np.concatenate([target, 1 - target])
    )

    assert found is not None
    assert weighted.coef_[0, 0] == pytest.approx(found.slope, rel=1e-4)
    assert weighted.intercept_[0] == pytest.approx(found.intercept, abs=1e-4)
    assert (n, ones) == (found.rows, found.positives)


def test_chances_stay_chances() -> None:
    """A slope of 1 and an intercept of 0 leave the middle of each cell as it is."""
    same = Calibration(slope=1.0, intercept=0.0, rows=100, positives=50)

    assert ((np.arange(1000) + 0.5) / 1000).tolist() == pytest.approx(same.chances(1000).tolist())


def test_the_share_of_ones_is_kept() -> None:
    """Over the rows it was fitted on, chances sum to the number of ones, up to Platt's targets."""
    scores, labels = rows(2000, 5, 0.7, -1.0)
    counts = BINARY.counted(labels, scores)
    found = fit_calibration(counts)

    assert found is not None
    assert labels.sum() == pytest.approx(counts.sum(1) @ found.chances(1000), abs=1.0)


def test_one_score_that_parts_the_labels_is_fitted_too() -> None:
    """The slope stays finite, and the chances are far apart."""
    found = fit_calibration(BINARY.counted([0] * 50 + [1] * 50, [0.3] * 50 + [0.7] * 50))

    assert found is not None
    assert 0.99 > found.chances(1000)[700] > 0.95
    assert 0.01 < found.chances(1000)[300] < 0.05


def test_one_score_for_all_is_fitted_too() -> None:
    """A constant model has the share of ones everywhere it is asked."""
    found = fit_calibration(BINARY.counted([0] * 300 + [1] * 100, [0.4] * 400))

    assert found is not None
    assert 0.25 == pytest.approx(found.chances(1000)[400], abs=0.01)


@pytest.mark.parametrize("positives", [0, 19])
def test_few_rows_of_a_label_teach_nothing(positives: int) -> None:
    """Twenty of either are needed."""
    scores = np.linspace(0.1, 0.9, 200)

    assert fit_calibration(BINARY.counted([1] * positives + [0] * (200 - positives), scores)) is None
    assert fit_calibration(BINARY.counted([1] * 20 + [0] * 180, scores)) is not None
    assert fit_calibration(BINARY.counted([0] * positives + [1] * (200 - positives), scores)) is None
