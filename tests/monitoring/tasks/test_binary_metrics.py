from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from core.config.metrics import METRICS as ASKED
from core.errors import DataError
from monitoring.tasks.binary import BINARY
from monitoring.tasks.binary_metrics import METRICS, evaluate

THEIRS: dict[str, Callable[..., float]] = {
    "accuracy": reference.accuracy_score,
    "balanced_accuracy": reference.balanced_accuracy_score,
    "precision": reference.precision_score,
    "recall": reference.recall_score,
    "f1": reference.f1_score,
    "precision_weighted": lambda labels, said: reference.precision_score(labels, said, average="weighted"),
    "roc_auc": reference.roc_auc_score,
    "average_precision": reference.average_precision_score,
}
# Few different cells, so that ties are common; all on the grid, where a cell holds one score only.
rows = st.lists(st.tuples(st.integers(0, 1), st.one_of(st.integers(0, 999), st.integers(495, 505))), min_size=1)


def test_every_metric_of_the_config_is_there() -> None:
    """What model.toml accepts for a binary model can be computed, and nothing else."""
    assert set(ASKED["binary"]) == set(METRICS)


@pytest.mark.parametrize("name", METRICS)
@given(rows=rows, threshold=st.sampled_from([0.001, 0.3, 0.5, 0.501, 0.999]))
@settings(max_examples=100, deadline=None)
def test_metrics_of_counts_are_those_of_scikit_learn(name: str, rows: list[tuple[int, int]], threshold: float) -> None:
    """On scores that lie on the grid both give the same number; ours is NaN where theirs warns or refuses."""
    labels = np.array([label for label, _ in rows])
    scores = np.array([cell / 1000 for _, cell in rows])
    ours = float(evaluate(name, BINARY.counted(labels, scores), threshold))
    said = scores if name in {"roc_auc", "average_precision"} else scores >= threshold
    undefined = {
        "balanced_accuracy": len(set(labels)) < 2,
        "precision": not said.any(),
        "recall": not labels.any(),
        "f1": not labels.any() and not said.any(),
        "roc_auc": len(set(labels)) < 2,
        "average_precision": not labels.any(),
    }
    if undefined.get(name, False):
        assert np.isnan(ours)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs warns of a class that is never predicted
        theirs = THEIRS[name](labels, said)

    assert theirs == pytest.approx(ours, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", METRICS)
def test_nothing_counted_is_undefined(name: str) -> None:
    """Without rows there is no score, and no warning."""
    assert np.isnan(evaluate(name, np.zeros((1000, 2), np.int64), 0.5))


@pytest.mark.parametrize("name", METRICS)
def test_leading_dimensions_are_many_at_once(name: str) -> None:
    """Counts of shape (..., S, 2) give metrics of shape (...), each as if computed alone."""
    rng = np.random.default_rng(3)
    counts = rng.poisson(0.5, (2, 3, 20, 2))
    counts[0, 0, :, 1] = 0
    together = evaluate(name, counts, 0.5)

    assert (2, 3) == together.shape
    alone = [[float(evaluate(name, counts[i, j], 0.5)) for j in range(3)] for i in range(2)]
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize(("score", "said"), [(0.499, 0), (0.5, 1), (np.nextafter(0.5, 0), 0), (1.0, 1), (0.0, 0)])
def test_a_score_at_the_threshold_counts_as_predicted(score: float, said: int) -> None:
    """Scores of the threshold and above are predicted 1, exactly."""
    assert float(said) == evaluate("accuracy", BINARY.counted([1], [score]), 0.5)


def test_every_threshold_of_the_grid_finds_its_cell() -> None:
    """No rounding moves a threshold k/1000, or a score of the same value, into a neighbouring cell."""
    for threshold in np.arange(1, 1000) / 1000:
        counts = BINARY.counted([1, 1], [threshold, np.nextafter(threshold, 0)])
        assert 0.5 == evaluate("recall", counts, threshold)


@pytest.mark.parametrize(
    ("labels", "scores"), [([1], [1.1]), ([1], [-0.1]), ([1], [float("nan")]), ([2], [0.5]), ([0.5], [0.5])]
)
def test_other_labels_and_scores_are_refused(labels: Any, scores: Any) -> None:
    """Labels are 0 and 1, scores lie between 0 and 1."""
    with pytest.raises(DataError):
        BINARY.counted(labels, scores)
