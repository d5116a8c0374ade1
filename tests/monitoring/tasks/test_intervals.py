from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.tasks import intervals
from monitoring.tasks.binary import BINARY
from monitoring.tasks.binary_metrics import METRICS, RANKING, evaluate
from monitoring.tasks.intervals import interval, paired_difference, wilson

WITHIN = 1e-12


def scored(rows: int, seed: int, share: float = 0.25) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Labels, and the scores of two models of which the second is a little better."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(rows) < share).astype(np.int64)
    noise = rng.normal(size=rows)
    one = 1 / (1 + np.exp(0.5 - 0.8 * labels - noise))
    other = 1 / (1 + np.exp(0.5 - 1.2 * labels - noise - 0.3 * rng.normal(size=rows)))
    return labels, one, other


@pytest.mark.parametrize(
    ("successes", "rows", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3 (score method without correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_has_the_published_values(successes: int, rows: int, low: float, high: float) -> None:
    """A two-sided 95 % interval is a pair of bounds at 97.5 % each."""
    assert (low, high) == pytest.approx(wilson(successes, rows, 0.975), abs=5e-5)


@given(rows=st.integers(1, 10**6), share=st.floats(0, 1), confidence=st.floats(0.5, 0.999))
@settings(max_examples=200, deadline=None)
def test_wilson_inverts_the_score_test(rows: int, share: float, confidence: float) -> None:
    """At either bound the observed share is exactly z standard errors away, z the quantile of a normal."""
    from scipy.stats import norm

    successes = round(share * rows)
    found = successes / rows
    for bound in wilson(successes, rows, confidence):
        distance = norm.ppf(confidence) * math.sqrt(bound * (1 - bound) / rows)
        assert distance == pytest.approx(abs(found - bound), abs=1e-7)
    low, high = wilson(successes, rows, confidence)
    assert 0 <= low <= found + WITHIN
    assert found - WITHIN <= high <= 1


@pytest.mark.parametrize("metric", METRICS)
def test_even_odds_give_the_value_itself(metric: str) -> None:
    """At confidence 0.5 both bounds are the score: how to say "compare the plain value"."""
    labels, scores, _ = scored(300, seed=0)
    counts = BINARY.counted(labels, scores)
    value = float(evaluate(metric, counts, 0.5))

    assert (value, value) == interval(metric, counts, 0.5, 0.5, seed=1)


@pytest.mark.parametrize("metric", METRICS)
def test_bounds_are_ordered_and_repeatable(metric: str) -> None:
    """More confidence is wider, the value lies between, and the same seed gives the same bounds."""
    labels, scores, _ = scored(400, seed=0)
    counts = BINARY.counted(labels, scores)
    value = float(evaluate(metric, counts, 0.5))
    bounds = [interval(metric, counts, 0.5, confidence, seed=5) for confidence in (0.5, 0.8, 0.95, 0.99)]
    lows, highs = zip(*bounds, strict=True)

    assert sorted(lows, reverse=True) == list(lows)
    assert sorted(highs) == list(highs)
    assert lows[-1] < value < highs[-1]
    assert bounds[2] == interval(metric, counts, 0.5, 0.95, seed=5)


@pytest.mark.parametrize("metric", METRICS)
def test_what_is_undefined_has_no_bounds(metric: str) -> None:
    """No rows: NaN, not an error."""
    assert all(math.isnan(bound) for bound in interval(metric, np.zeros((1000, 2), np.int64), 0.5, 0.95, seed=1))


@pytest.mark.parametrize(("rows", "share"), [(300, 0.25), (1400, 0.25), (400, 0.1)])
@pytest.mark.parametrize("metric", [name for name in METRICS if name not in RANKING])
def test_threshold_bounds_hold_as_often_as_they_say(metric: str, rows: int, share: float) -> None:
    """Each 95 % bound holds in 93 to 97 % of 2,000 seeded samples (two points are four standard errors)."""
    low, high = coverage(metric, rows, share, 2000)

    assert 0.93 <= low <= 0.97
    assert 0.93 <= high <= 0.97


@pytest.mark.parametrize("metric", sorted(RANKING))
def test_ranking_bounds_hold_as_often_as_they_say(metric: str) -> None:
    """Their draws cost more: 92 to 98 % of 500 seeded samples (three points are three standard errors)."""
    low, high = coverage(metric, 300, 0.25, 500)

    assert 0.92 <= low <= 0.98
    assert 0.92 <= high <= 0.98


def coverage(metric: str, rows: int, share: float, samples: int) -> tuple[float, float]:
    """On which share of samples of so many rows the true value is over the lower bound, and under the upper one."""
    labels, scores, _ = scored(200_000, seed=9, share=share)
    true = float(evaluate(metric, BINARY.counted(labels, scores), 0.5))
    chances = BINARY.counted(labels, scores).ravel() / len(labels)
    rng = np.random.default_rng(17)
    bounds = np.array(
        [interval(metric, rng.multinomial(rows, chances).reshape(1000, 2), 0.5, 0.95, seed=3) for _ in range(samples)]
    )
    return float(np.mean(bounds[:, 0] <= true)), float(np.mean(bounds[:, 1] >= true))


@pytest.mark.parametrize(("metric", "rows", "share"), [("balanced_accuracy", 100, 0.1), ("f1", 100, 0.1)])
def test_bounds_hold_with_few_rows_of_a_class(metric: str, rows: int, share: float) -> None:
    """With ten positives or so they may hold more often than they say, and in 90 % at least."""
    assert 0.9 <= min(coverage(metric, rows, share, 500))


def test_few_rows_of_a_class_do_not_look_sure() -> None:
    """Three positives, all missed: balanced accuracy is 0.45, but nobody can be sure that it is under 0.55."""
    counts = BINARY.counted([1] * 3 + [0] * 97, [0.1] * 3 + [0.1] * 87 + [0.9] * 10)
    low, high = interval("balanced_accuracy", counts, 0.5, 0.95, seed=1)

    assert 87 / 97 / 2 == evaluate("balanced_accuracy", counts, 0.5)
    assert low < 0.45
    assert 0.55 < high


def plain_paired(metric: str, labels: NDArray[Any], one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Differences in rows drawn one by one."""
    rng = np.random.default_rng(99)
    result = []
    for _ in range(1000):
        rows = rng.integers(len(labels), size=len(labels))
        sides = [evaluate(metric, BINARY.counted(labels[rows], side[rows]), 0.5) for side in (one, other)]
        result.append(float(sides[1] - sides[0]))
    return np.array(result)


@pytest.mark.parametrize("metric", METRICS)
def test_the_paired_bootstrap_draws_rows_with_both_scores(metric: str) -> None:
    """Drawing joint cells gives the bounds of drawing rows, up to the noise of 1,000 draws."""
    labels, one, other = scored(800, seed=4)
    difference, low, high = paired_difference(metric, labels, one, other, 0.5, 0.95, seed=2)
    plain = plain_paired(metric, labels, one, other)
    expected = np.quantile(plain, [0.05, 0.95])

    exact = [float(evaluate(metric, BINARY.counted(labels, side), 0.5)) for side in (one, other)]
    assert exact[1] - exact[0] == difference
    assert low < difference < high
    assert expected == pytest.approx([low, high], abs=0.25 * plain.std())


@pytest.mark.parametrize("metric", METRICS)
def test_pairs_are_surer_than_two_samples(metric: str) -> None:
    """What is hard for both models cancels out: the bounds are closer than those of independent samples."""
    labels, one, other = scored(1000, seed=4)
    _, low, high = paired_difference(metric, labels, one, other, 0.5, 0.95, seed=2)
    apart = [interval(metric, BINARY.counted(labels, side), 0.5, 0.95, seed=2) for side in (one, other)]

    assert high - low < math.hypot(*(bound[1] - bound[0] for bound in apart))


def test_equal_models_differ_by_nothing() -> None:
    """The difference is 0 and lies inside its bounds; metrics without threshold are sure of it."""
    labels, one, _ = scored(500, seed=6)
    for metric in METRICS:
        difference, low, high = paired_difference(metric, labels, one, one, 0.5, 0.95, seed=2)
        assert 0 == difference
        assert low <= 0 <= high
        assert high - low < 0.05
        assert metric not in RANKING or (0, 0) == (low, high)


def test_swapping_the_models_turns_the_sign() -> None:
    """The difference is the challenger's minus the champion's."""
    labels, one, other = scored(500, seed=6)
    for metric in METRICS:
        there = paired_difference(metric, labels, one, other, 0.5, 0.95, seed=2)[0]
        assert -there == paired_difference(metric, labels, other, one, 0.5, 0.95, seed=2)[0]


def test_one_class_cannot_be_compared() -> None:
    """Where the metric is undefined there is no difference, and no error."""
    _, one, other = scored(50, seed=6)
    for metric in ("balanced_accuracy", "roc_auc"):
        found = paired_difference(metric, np.zeros(50), one, other, 0.5, 0.95, seed=2)
        assert [True] * 3 == [math.isnan(value) for value in found]


def test_many_pairs_are_drawn_in_coarser_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound on pairs the cells are halved, which moves the bounds by less than their own width."""
    labels, one, other = scored(2000, seed=8)
    fine = paired_difference("roc_auc", labels, one, other, 0.5, 0.95, seed=2)
    monkeypatch.setattr(intervals, "MOST_CELLS", 300)
    coarse = paired_difference("roc_auc", labels, one, other, 0.5, 0.95, seed=2)

    assert fine[0] == coarse[0]
    assert fine == pytest.approx(coarse, abs=0.3 * (fine[2] - fine[1]))


@pytest.mark.parametrize("rows", [100, 100_000])
def test_draws_have_as_many_rows_and_the_same_mean(rows: int) -> None:
    """Both ways of drawing keep the number of rows, and are right on average."""
    counts = np.random.default_rng(1).multinomial(rows, np.ones(50) / 50)
    drawn = intervals.resampled(counts, np.random.default_rng(2))

    assert (1000, 50) == drawn.shape
    assert {rows} == set(drawn.sum(1).tolist())
    assert counts == pytest.approx(drawn.mean(0), abs=5 * math.sqrt(rows / 50 / 1000) + 0.05)
    assert counts * (1 - counts / rows) == pytest.approx(drawn.var(0), rel=0.3, abs=0.1)
