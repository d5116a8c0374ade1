from __future__ import annotations

import math
from statistics import NormalDist

import pytest

from monitoring.performance.persistence import required_confidence

NORMAL = NormalDist()


@pytest.mark.parametrize(
    ("error", "expected"), [(0.01, 1.6449), (0.02, 1.8), (0.025, 2.25), (0.05, 2.5758), (1.0, 2.5758)]
)
def test_a_noisy_look_needs_more_confidence(error: float, expected: float) -> None:
    """9 * error / (2 * max_drop) normal standard errors, at least 95% and at most 99.5%."""
    assert expected == pytest.approx(NORMAL.inv_cdf(required_confidence(error, 0.05, 0.95)), abs=1e-4)


def test_evidence_is_a_log_likelihood_ratio() -> None:
    """At the required confidence, a fall of twice max_drop is exp(9) times as likely as no fall."""
    error, drop, reference = 0.022, 0.05, 0.70
    value = reference - drop - NORMAL.inv_cdf(required_confidence(error, drop, 0.95)) * error
    fallen, same = NormalDist(reference - 2 * drop, error), NormalDist(reference, error)

    assert 9 == pytest.approx(math.log(fallen.pdf(value) / same.pdf(value)))


def test_a_drop_of_zero_needs_the_most_confidence() -> None:
    """No error is small compared with a max_drop of 0."""
    assert 0.995 == required_confidence(0.001, 0.0, 0.95)


def test_the_configured_confidence_is_the_least() -> None:
    """A precise look needs exactly the confidence of the config, and 99.9% is kept above the cap."""
    assert 0.95 == required_confidence(0.001, 0.05, 0.95)
    assert 0.999 == required_confidence(0.05, 0.05, 0.999)


def test_even_odds_leave_only_the_evidence() -> None:
    """At 0.5 a score without error is compared itself, and a noisy one still needs evidence."""
    assert 0.5 == required_confidence(0.0, 0.05, 0.5)
    assert NORMAL.cdf(0.9) == pytest.approx(required_confidence(0.01, 0.05, 0.5))
