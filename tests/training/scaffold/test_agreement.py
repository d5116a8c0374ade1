"""Whether spans agree."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from training.scaffold.agreement import agreement, change_point, cochran_q, proposed_max_drop


def test_q_is_the_weighted_sum_of_squares() -> None:
    """Equal errors of .01 around a mean of .7: 1 + 1 + 0, two degrees of freedom, p = exp(-1)."""
    q, p = cochran_q([0.69, 0.70, 0.71], [0.01] * 3)

    assert (2.0, math.exp(-1)) == pytest.approx((q, p))


def test_p_is_that_of_chi_square() -> None:
    """Unequal errors, by hand with scipy."""
    q, p = cochran_q([0.70, 0.75, 0.62, 0.71], [0.01, 0.02, 0.03, 0.04])

    assert stats.chi2.sf(q, 3) == pytest.approx(p)


def test_errors_from_few_days_make_q_smaller() -> None:
    """Welch's correction for three equal errors with 11 degrees of freedom is 1 + 2/8 * 3 * (2/3)² / 11."""
    plain, _ = cochran_q([0.69, 0.70, 0.71], [0.01] * 3)
    welch, _ = cochran_q([0.69, 0.70, 0.71], [0.01] * 3, 11)

    assert 1 + 2 / 8 * 3 * (2 / 3) ** 2 / 11 == pytest.approx(plain / welch)


def test_the_change_is_found_between_its_spans() -> None:
    """Four spans near .87, two near .74."""
    found = agreement([0.87, 0.86, 0.87, 0.88, 0.74, 0.75], [0.01] * 6)

    assert not found.agree
    assert 4 == found.change
    assert 4 == change_point([0.87, 0.86, 0.87, 0.88, 0.74, 0.75], [0.01] * 6)


def test_spans_that_agree_have_no_change() -> None:
    """Differences of one standard error are chance."""
    assert agreement([0.70, 0.71, 0.70, 0.69, 0.71, 0.70], [0.01] * 6)[2:] == (True, None)


def test_a_change_does_not_widen_the_limit() -> None:
    """3.8 times the median error, at least .05, whatever the scores are."""
    assert 0.05 == proposed_max_drop([0.87, 0.87, 0.74], [0.01] * 3)
    assert 0.076 == pytest.approx(proposed_max_drop([0.87, 0.87, 0.74], [0.02, 0.01, 0.03]))
    assert 0.095 == pytest.approx(proposed_max_drop([0.8, 0.8], [0.02, 0.03]))


def test_one_score_agrees_with_itself() -> None:
    """There is nothing to compare, and nothing to widen."""
    assert (0.0, 1.0) == cochran_q([0.7], [0.01])
    assert (0.0, 1.0) == cochran_q([], [])
    assert 0.05 == proposed_max_drop([], [])


def test_errors_must_be_positive() -> None:
    """A score without error would have an infinite weight."""
    with pytest.raises(ValueError, match="positive"):
        cochran_q([0.7, 0.7], [0.01, 0.0])
    with pytest.raises(ValueError, match="positive"):
        cochran_q([0.7, 0.7], [0.01])
