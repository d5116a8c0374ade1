"""A model that says a number is judged from histograms, as close to scikit-learn as their cells are wide."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import skew

from core.config.metrics import METRICS
from core.errors import DataError
from monitoring.axes.axis import NumericAxis
from monitoring.tasks.intervals import corrected, resampled
from monitoring.tasks.regression import ERRORS, OF_MEANS, Regression, skewness

TASK = Regression(-50.0, 150.0)
REACH = 200.0
THEIRS: Mapping[str, Callable[[Any, Any], float]] = {
    "r2": reference.r2_score,
    "neg_mean_absolute_error": lambda labels, said: -reference.mean_absolute_error(labels, said),
    "neg_root_mean_squared_error": lambda labels, said: -reference.root_mean_squared_error(labels, said),
}
values = st.floats(-50, 150)


def noisy(count: int, seed: int, tails: float = 5) -> tuple[Any, Any, Any]:
    """Labels, and what two models say of them, of which the second is a little better; errors share their causes.

    `tails`: degrees of freedom of the errors (Student's t); few are heavy tails.
    """
    rng = np.random.default_rng(seed)
    labels = np.clip(rng.gamma(3, 12, count), -50, 150)
    hard = rng.standard_t(tails, count)
    return labels, labels + 14 * hard, labels + 12 * hard + 3 * rng.normal(size=count)


def test_every_metric_of_the_config_is_there() -> None:
    """What model.toml accepts can be computed, and nothing else."""
    assert set(METRICS["regression"]) == set(OF_MEANS) == set(THEIRS)


@given(pairs=st.lists(st.tuples(values, values), min_size=1, max_size=50))
@settings(max_examples=300, deadline=None)
def test_errors_are_those_of_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    """A mean of errors is at most 0.7 % off, and a millionth of the range; so is the root of a mean of squares."""
    labels, said = np.array(pairs).T
    counts = TASK.counted(labels, said)

    for name in ("neg_mean_absolute_error", "neg_root_mean_squared_error"):
        exact = THEIRS[name](labels, said)
        assert float(TASK.evaluate(name, counts)) == pytest.approx(exact, rel=0.007, abs=1e-6 * REACH)


@pytest.mark.parametrize("name", THEIRS)
def test_metrics_are_close_to_those_of_scikit_learn(name: str) -> None:
    """On rows of ordinary kinds to a part in a thousand."""
    labels, said, _ = noisy(20_000, seed=1)

    assert float(TASK.evaluate(name, TASK.counted(labels, said))) == pytest.approx(THEIRS[name](labels, said), rel=1e-3)


def test_a_label_of_large_numbers_keeps_its_variance() -> None:
    """Years around 2000 in a range of 20: squares of them would lose the digits that r2 needs."""
    rng = np.random.default_rng(2)
    labels = rng.uniform(1_000_000, 1_000_020, 5000)
    said = labels + rng.normal(0, 3, 5000)
    task = Regression(1_000_000, 1_000_020)

    assert float(task.evaluate("r2", task.counted(labels, said))) == pytest.approx(
        reference.r2_score(labels, said), abs=1e-3
    )


@pytest.mark.parametrize("name", OF_MEANS)
def test_metrics_of_many_counts_at_once_are_those_of_each(name: str) -> None:
    """Days, or draws, are a leading dimension; without rows, or for r2 with one label only, it is undefined."""
    days = [TASK.counted(*noisy(50, seed=seed)[:2]) for seed in range(6)]
    together = TASK.evaluate(name, np.stack(days).reshape(2, 3, 1000, 3))

    assert together.ravel().tolist() == pytest.approx([float(TASK.evaluate(name, day)) for day in days])
    assert math.isnan(TASK.evaluate(name, np.zeros((1000, 3), np.int64)))
    assert math.isnan(TASK.evaluate("r2", TASK.counted([7.0, 7.0], [6.0, 8.0])))


@pytest.mark.parametrize(
    ("column", "labels", "bad", "said"),
    [
        (pa.array([-50.0, 150.0, 150.1, None]), [-50, 150, None, None], [2], [-50, 150, 150.1, None]),
        (pa.array([float("nan"), float("inf"), 1.0]), [None, None, 1], [1], [None, None, 1]),
        (pa.array([3, None]), [3, None], [], [3, None]),
        (pa.array([True, False]), [1, 0], [], [1, 0]),
        (pa.array(["3.5", None]), [None, None], [0], [None, None]),
    ],
    ids=str,
)
def test_numbers_are_read(
    column: pa.Array, labels: list[float | None], bad: list[int], said: list[float | None]
) -> None:
    """A label lies in the range, a score is any finite number; text is never read as a number."""
    found, odd = TASK.labels(column)

    assert labels == [None if np.isnan(label) else label for label in found]
    assert bad == np.flatnonzero(odd).tolist()
    assert said == [None if np.isnan(one) else one for one in TASK.scores(column)]


def test_rows_are_counted_in_four_histograms() -> None:
    """A labelled row by score, label and error; one without a label by its score; scores out of range at the ends."""
    said, labels = np.array([0.0, 0.0, 1e9, -1e9]), np.array([0.0, 50.0, 100.0, np.nan])
    counts = sum(np.bincount(place, minlength=4001)[:4000].reshape(1000, 4) for place in TASK.cells(said, labels))

    assert 4000 == max(place.max() for place in TASK.cells(said, labels))
    assert [250, 999] == np.flatnonzero(counts[:, 0]).tolist()
    assert [2, 1] == counts[[250, 999], 0].tolist()
    assert [250, 500, 750] == np.flatnonzero(counts[:, 1]).tolist()
    assert [0, 900, 999] == np.flatnonzero(counts[:, 2]).tolist()
    assert [0] == np.flatnonzero(counts[:, 3]).tolist()
    assert (4, 3) == (TASK.rows(counts), TASK.rows(counts[:, :-1]))
    assert (4, 3) == (TASK.by_score(counts).sum(), TASK.by_label(counts[:, :-1]).sum())


def test_no_score_is_too_large_to_be_counted() -> None:
    """The largest number there is lies in the last cell, and its error counts as the range, however narrow."""
    task = Regression(0.0, 1e-6)
    counts = task.counted([0.0, 1e-6], [1.7e308, -1.7e308])

    assert [[0, 0], [999, 0]] == np.argwhere(counts[:, :1]).tolist()
    assert -1e-6 == pytest.approx(float(task.evaluate("neg_mean_absolute_error", counts)), rel=0.007)


@pytest.mark.parametrize(("labels", "said"), [([0, 151], [0, 0]), ([0, np.nan], [0, 0]), ([0, 0], [0, np.inf])])
def test_what_is_no_number_cannot_be_judged(labels: list[float], said: list[float]) -> None:
    """An error says how many, and what a label or an answer is."""
    with pytest.raises(DataError, match=r"1 of 2 .* a (number in data\.label_range|finite number)"):
        TASK.counted(labels, said)


@pytest.mark.parametrize("count", [800, 5000])
@pytest.mark.parametrize("metric", OF_MEANS)
def test_the_paired_bootstrap_draws_rows_with_both_errors(metric: str, count: int) -> None:
    """Drawing groups of rows gives the bounds of drawing rows, up to the noise of 1,000 draws."""
    labels, one, other = noisy(count, seed=4)
    difference, low, high = TASK.paired_difference(metric, labels, one, other, confidence=0.95, seed=2)
    rng = np.random.default_rng(99)
    plain = []
    for _ in range(1000):
        rows = rng.integers(count, size=count)
        plain.append(THEIRS[metric](labels[rows], other[rows]) - THEIRS[metric](labels[rows], one[rows]))

    assert low < difference < high
    assert (difference, low, high) == TASK.paired_difference(metric, labels, one, other, confidence=0.95, seed=2)
    assert np.quantile(plain, [0.05, 0.95]) == pytest.approx([low, high], abs=0.25 * np.std(plain))


@pytest.mark.parametrize("metric", OF_MEANS)
def test_bounds_follow_the_skewness_of_errors(metric: str) -> None:
    """Bias-corrected and accelerated by a sixth of the skewness of the errors (of their squares) over the root of n."""
    labels, said, _ = noisy(400, seed=3)
    counts = TASK.counted(labels, said)
    rng, cells = np.random.default_rng(7), np.arange(1000)
    drawn = []
    for column, middles in ((2, REACH * ERRORS), (1, REACH * (cells + 0.5) / 1000)):
        used = np.flatnonzero(counts[:, column])
        draws = resampled(counts[used, column], rng)
        drawn += [draws @ middles[used] / 400, draws @ middles[used] ** 2 / 400]
    power = 1 if metric == "neg_mean_absolute_error" else 2
    errors = np.repeat(ERRORS, counts[:, 2]) ** power
    value = float(TASK.evaluate(metric, counts))
    expected = corrected(OF_MEANS[metric](np.stack(drawn)), value, 0.95, -skew(errors) / np.sqrt(400) / 6)

    assert expected == pytest.approx(TASK.interval(metric, counts, 0.95, seed=7))


def test_skewness_is_that_of_scipy() -> None:
    """Over the root of the number of values; none where all are the same."""
    counts, values = np.array([5, 3, 1, 0]), np.array([1e-3, 2e-3, 9e-3, 4.0])

    assert skewness(counts, values) == pytest.approx(skew(np.repeat(values, counts)) / 3)
    assert 0.0 == skewness(np.array([0, 7]), np.array([1.0, 2.0]))


def test_cells_of_scores_and_labels_are_thousandths() -> None:
    """From the smallest label on."""
    axis = Regression(-50.0, 150.0).score_axis

    assert isinstance(axis, NumericAxis)
    assert ([-50.0, -49.8], 149.8, 1000) == (list(axis.cuts[:2]), axis.cuts[-1], axis.bins)
    assert (-50.0, 150.0) == (axis.low, axis.high)


@pytest.mark.parametrize("side", [0, 1, 2])
def test_every_side_of_a_comparison_is_looked_at(side: int) -> None:
    """Labels and both answers must be numbers."""
    sides = [np.zeros(4), np.zeros(4), np.zeros(4)]
    sides[side][0] = np.nan

    with pytest.raises(DataError, match=r"1 of 4"):
        TASK.paired_difference("r2", *sides, confidence=0.95, seed=2)


def test_pairs_are_surer_than_two_samples() -> None:
    """What is hard for both models cancels out: the bounds are closer than those of independent samples."""
    labels, one, other = noisy(1000, seed=4)
    for metric in OF_MEANS:
        _, low, high = TASK.paired_difference(metric, labels, one, other, confidence=0.95, seed=2)
        apart = [TASK.interval(metric, TASK.counted(labels, side), 0.95, seed=2) for side in (one, other)]
        assert high - low < math.hypot(*(bound[1] - bound[0] for bound in apart))


def test_equal_models_differ_by_nothing() -> None:
    """Surely: every draw has the same errors on both sides. Swapping two models turns the sign."""
    labels, one, other = noisy(500, seed=6)
    for metric in OF_MEANS:
        assert (0, 0, 0) == TASK.paired_difference(metric, labels, one, one, confidence=0.95, seed=2)
        there = TASK.paired_difference(metric, labels, one, other, confidence=0.95, seed=2)[0]
        assert -there == TASK.paired_difference(metric, labels, other, one, confidence=0.95, seed=2)[0]


def test_even_odds_give_the_value_itself() -> None:
    """At confidence 0.5 both bounds are the score; without rows there are none."""
    labels, said, _ = noisy(300, seed=0)
    counts = TASK.counted(labels, said)
    for metric in OF_MEANS:
        value = float(TASK.evaluate(metric, counts))
        assert (value, value) == pytest.approx(TASK.interval(metric, counts, 0.5, seed=1))
        assert all(math.isnan(bound) for bound in TASK.interval(metric, 0 * counts, 0.95, seed=1))
