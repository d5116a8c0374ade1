"""The nightly rule of the performance trigger."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
from scipy import stats

from monitoring.persistence import Look, deviation, judge, lengths, required, student_quantile, verdict

NORMAL = NormalDist()


def test_looks_are_one_two_and_four_windows_long() -> None:
    """A large fall shows in one window, a small one in four."""
    assert (7, 14, 28) == lengths(7)


@pytest.mark.parametrize(
    ("error", "expected"), [(0.01, 1.6449), (0.02, 1.8), (0.025, 2.25), (0.05, 2.5758), (1.0, 2.5758)]
)
def test_a_noisy_look_needs_more_confidence(error: float, expected: float) -> None:
    """9 * error / (2 * max_drop), at least 95% and at most 99.5%."""
    assert expected == pytest.approx(required(error, 0.05, 0.95), abs=1e-4)


def test_evidence_is_a_log_likelihood_ratio() -> None:
    """At the required deviation, a fall of twice max_drop is exp(9) times as likely as no fall."""
    error, drop, reference = 0.022, 0.05, 0.70
    value = reference - drop - required(error, drop, 0.95) * error
    fallen, same = NormalDist(reference - 2 * drop, error), NormalDist(reference, error)

    assert 9 == pytest.approx(math.log(fallen.pdf(value) / same.pdf(value)))


def test_a_drop_of_zero_needs_the_most_confidence() -> None:
    """No error is small compared with a max_drop of 0."""
    assert NORMAL.inv_cdf(0.995) == pytest.approx(required(0.001, 0.0, 0.95))


def test_a_confidence_above_the_cap_is_kept() -> None:
    """A config that asks for 99.9% gets it."""
    assert NORMAL.inv_cdf(0.999) == pytest.approx(required(0.05, 0.05, 0.999))


@pytest.mark.parametrize("freedom", [3.0, 11.0, 55.0])
def test_deviations_have_the_tail_probability_of_t(freedom: float) -> None:
    """A t value is converted to the normal value with the same tail."""
    found = deviation(Look(7, 0.60, 0.02, freedom), 0.65)

    assert stats.t.sf(2.5, freedom) == pytest.approx(1 - NORMAL.cdf(found))
    assert -found == pytest.approx(deviation(Look(7, 0.70, 0.02, freedom), 0.65))


@pytest.mark.parametrize("probability", [0.5, 0.95, 0.995])
def test_quantiles_are_those_of_t(probability: float) -> None:
    """To 1e-8, for few and many degrees of freedom."""
    for freedom in (2, 11, 143):
        assert stats.t.ppf(probability, freedom) == pytest.approx(student_quantile(probability, freedom), abs=1e-8)


@pytest.mark.parametrize("value", [0.55, 0.58, 0.59, 0.60, 0.61, 0.64, 0.70])
@pytest.mark.parametrize("freedom", [11.0, math.inf])
def test_a_look_fires_when_its_upper_bound_is_under_the_limit(value: float, freedom: float) -> None:
    """The bound at the required confidence and the verdict agree."""
    found = judge(Look(7, value, 0.02, freedom), 0.65, 0.05, 0.95)

    assert found.fired == (found.high < 0.65)
    assert found.fired == (found.confidence > found.required)


def test_the_shortest_look_that_fires_is_reported() -> None:
    """Else the shortest look, so that a quiet night shows `window_days`; without looks there is no verdict."""
    week, month = Look(7, 0.63, 0.02), Look(28, 0.60, 0.01)

    fired, quiet = verdict([month, week], 0.65, 0.05, 0.95), verdict([week], 0.65, 0.05, 0.95)
    assert fired is not None
    assert quiet is not None
    assert (28, True) == (fired.look.days, fired.fired)
    assert (7, False) == (quiet.look.days, quiet.fired)
    assert verdict([], 0.65, 0.05, 0.95) is None


def test_a_score_without_error_is_compared_itself() -> None:
    """An error of 0 leaves no doubt: under the limit fires, at the limit does not."""
    assert judge(Look(7, 0.6, 0.0), 0.65, 0.05, 0.95).fired
    assert not judge(Look(7, 0.65, 0.0), 0.65, 0.05, 0.95).fired
