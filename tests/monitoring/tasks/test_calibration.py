"""What a score is worth is what the same fit on the rows says, and what predicts other days best."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from monitoring.tasks.binary import BINARY
from monitoring.tasks.binary_metrics import cells
from monitoring.tasks.calibration import Calibration, _isotonic, fit_calibration, log_odds


def rows(n: int, seed: int, slope: float = 1.0, intercept: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels whose chance is logistic in the scores' log odds."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(2, 3, n)
    return scores, (rng.random(n) < expit(slope * logit(scores) + intercept)).astype(int)


@pytest.mark.parametrize(("n", "slope", "intercept"), [(300, 1.0, 0.0), (3000, 0.6, -1.2), (3000, 2.5, 0.7)])
def test_the_fit_is_that_of_sklearn_on_rows(n: int, slope: float, intercept: float) -> None:
    """Logistic regression without penalty on every row, each counted as 1 and as 0 by Platt's targets."""
    scores, labels = rows(n, 3, slope, intercept)
    found = fit_calibration([BINARY.counted(labels, scores)])
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
    found = fit_calibration([counts])

    assert found is not None
    assert labels.sum() == pytest.approx(counts.sum(1) @ found.chances(1000), abs=1.0)


def test_one_score_that_parts_the_labels_is_fitted_too() -> None:
    """The slope stays finite, and the chances are far apart."""
    found = fit_calibration([BINARY.counted([0] * 50 + [1] * 50, [0.3] * 50 + [0.7] * 50)])

    assert found is not None
    assert 0.99 > found.chances(1000)[700] > 0.95
    assert 0.01 < found.chances(1000)[300] < 0.05


def test_one_score_for_all_is_fitted_too() -> None:
    """A constant model has the share of ones everywhere it is asked."""
    found = fit_calibration([BINARY.counted([0] * 300 + [1] * 100, [0.4] * 400)])

    assert found is not None
    assert 0.25 == pytest.approx(found.chances(1000)[400], abs=0.01)


@pytest.mark.parametrize("positives", [0, 19])
def test_few_rows_of_a_label_teach_nothing(positives: int) -> None:
    """Twenty of either are needed."""
    scores = np.linspace(0.1, 0.9, 200)

    assert fit_calibration([BINARY.counted([1] * positives + [0] * (200 - positives), scores)]) is None
    assert fit_calibration([BINARY.counted([1] * 20 + [0] * 180, scores)]) is not None
    assert fit_calibration([BINARY.counted([0] * positives + [1] * (200 - positives), scores)]) is None


def by_day(scores: np.ndarray, labels: np.ndarray, days: int) -> list[np.ndarray]:
    """Return the counts of rows that are spread over days."""
    return [BINARY.counted(labels[day::days], scores[day::days]) for day in range(days)]


def stepped(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores, and labels whose chance is 0.1 up to a score of 0.4, 0.5 up to 0.8, and 0.6 from there on."""
    rng = np.random.default_rng(seed)
    scores = rng.random(n)
    return scores, (rng.random(n) < np.select([scores < 0.4, scores < 0.8], [0.1, 0.5], 0.6)).astype(int)


def test_the_calibrator_that_predicts_other_days_best_is_chosen() -> None:
    """Chances in steps take the isotonic fit, logistic chances the logistic one; on one day there is no choice."""
    steps, curve = stepped(3000, 1), rows(3000, 3, 0.6, -1.2)

    chosen = [
        fit_calibration(by_day(*steps, 10)),
        fit_calibration(by_day(*curve, 10)),
        fit_calibration(by_day(*steps, 1)),
    ]
    assert [True, False, False] == [bool(fit.levels) for fit in chosen if fit is not None]


def test_a_fold_without_both_labels_leaves_the_logistic_fit() -> None:
    """All rows with label 1 are on one day: without that day nothing can be fitted."""
    scores, labels = stepped(2000, 1)
    parts = [BINARY.counted(labels[labels == label], scores[labels == label]) for label in (0, 1)]
    fit = fit_calibration(parts)

    assert fit is not None
    assert () == fit.levels


def test_steps_are_shares_of_pooled_rows() -> None:
    """By hand: shares 1/4, 3/4, 1/2, 1; those that fall are pooled, 0 and 1 are avoided, steps end half way."""
    scores = np.repeat([0.1, 0.2, 0.5, 0.7], 40)
    labels = np.concatenate([np.repeat([0, 1], [40 - ones, ones]) for ones in (10, 30, 20, 40)])
    fit = _isotonic(BINARY.counted(labels, scores))

    assert (151, 601, 1000) == fit.ends
    assert (10 / 40, 50 / 80, 161 / 162) == pytest.approx(fit.levels)
    assert [fit.levels[0]] * 151 + [fit.levels[1]] * 450 + [fit.levels[2]] * 399 == fit.chances(1000).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_a_chosen_step_function_rises_and_stays_inside(seed: int) -> None:
    """Each level is above the one before it, above 0 and under 1, and the record survives its JSON."""
    fit = fit_calibration(by_day(*stepped(1500, seed), 7))

    assert fit is not None
    assert all(np.diff([0, *fit.levels, 1]) > 0)
    assert fit == Calibration.from_json(fit.to_json())


def test_a_calibration_of_an_older_release_is_logistic() -> None:
    """A record without steps is read."""
    text = Calibration(slope=1.0, intercept=0.0, rows=100, positives=50).to_json()
    older = json.loads(text)
    del older["ends"], older["levels"]

    assert Calibration.from_json(text) == Calibration.from_json(json.dumps(older))
