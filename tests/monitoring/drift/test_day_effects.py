"""The noise of nights has the numbers that the textbook formulas give."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from monitoring.drift.day_effects import DayToDayVariation, effective_rows, p_value, serial_factor
from monitoring.drift.statistics import ChiSquare, Kolmogorov


def nights(shares: list[float], rows: float | list[float] = 10.0) -> DayToDayVariation:
    """A column with one threshold, and the share of rows below it on each day."""
    return DayToDayVariation(
        np.broadcast_to(np.array(rows, float), (len(shares),)), np.array(shares)[:, None], np.ones(1)
    )


SWINGING = nights([0.2, 0.8] * 4)


def test_design_effect_by_hand() -> None:
    """Variance 8 * 0.09 / 7 between days, 0.25 / 10 expected: 4.114; so rows correlate by 3.114 / 9."""
    assert 4.1142857 == pytest.approx(SWINGING.design_effect)
    assert 0.3460317 == pytest.approx(SWINGING.correlation(1.0))
    assert (4.1142857 * 2 - 1) / 9 == pytest.approx(SWINGING.correlation(2.0))


def test_calm_nights_are_worth_their_rows() -> None:
    """A design effect below 1 is chance: it never makes rows worth more."""
    assert 1.0 == nights([0.5] * 8).design_effect
    assert 0.0 == nights([0.5] * 8).correlation(1.0)
    assert 1.0 == nights([1.0] * 8).design_effect


def test_days_of_unequal_size_have_their_harmonic_mean() -> None:
    """Days of 5 and 20 rows vary as much by chance as days of 8 would."""
    unequal = nights([0.2, 0.8] * 4, [5.0, 20.0] * 4)

    assert 8 * 0.09 / 7 / (0.25 / 8) == pytest.approx(unequal.design_effect)
    assert (unequal.design_effect - 1) / 7 == pytest.approx(unequal.correlation(1.0))


def test_days_of_one_row_tell_no_correlation() -> None:
    """With a row a day nothing can be said about rows of the same day."""
    assert 0.0 == nights([0.0, 1.0] * 4, 1.0).correlation(1.0)


def test_design_effect_of_categories_is_that_of_rao_and_scott() -> None:
    """The mean of the categories' design effects, each weighted by 1 - share."""
    shares = np.array([[0.5, 0.3, 0.2], [0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.5, 0.3, 0.2]])
    mean = shares.mean(axis=0)
    single = shares.var(axis=0, ddof=1) / (mean * (1 - mean) / 50)
    column = DayToDayVariation(np.full(4, 50.0), shares, 1 / mean)

    assert (single * (1 - mean)).sum() / 2 == pytest.approx(column.design_effect)


def test_effective_rows_by_hand() -> None:
    """20 rows in two days, correlated by 1/3: 20 / (1 + 9 / 3). In days of 1 row nothing is lost."""
    assert 5.0 == pytest.approx(effective_rows(np.array([10.0, 10.0]), 1 / 3))
    assert 20.0 == pytest.approx(effective_rows(np.ones(20), 1 / 3))
    assert 30.0**2 / (10 * 4 + 20 * (1 + 19 / 3)) == pytest.approx(effective_rows(np.array([10.0, 20.0]), 1 / 3))


def test_serial_factor_by_hand() -> None:
    """Days in pairs: means of two neighbours vary more than those of two independent days."""
    paired = nights([0.2, 0.2, 0.8, 0.8] * 3)
    # Runs of 2 have means 0.2, 0.5, 0.8, 0.5, ...: squares 0.09 for 6 of the 11 runs.
    found, expected = 0.09 * 6 / 11, 12 * 0.09 / 11 / 2 * (1 - 2 / 12)

    assert found / expected == pytest.approx(serial_factor([paired], 2))
    assert 1.0 < serial_factor([paired], 2)


def test_serial_factor_is_pooled_over_columns() -> None:
    """Each column counts in units of its own sampling variance; columns that swing back do not go below 1 alone."""
    slow, swinging = nights(([0.2] * 4 + [0.8] * 4) * 3), nights([0.2, 0.8] * 12)

    assert 1.0 == serial_factor([swinging], 2)
    assert 1.4 < serial_factor([slow], 2)
    assert 0.75 * serial_factor([slow], 2) == pytest.approx(serial_factor([slow, swinging, slow, slow], 2))


def test_serial_factor_needs_days() -> None:
    """It is 1 for windows of a day, and where the baseline has under three times the days of the window."""
    rising = nights([0.1 * day for day in range(11)])

    assert 1.0 == serial_factor([rising], 1)
    assert 2.0 < serial_factor([rising], 3)
    assert 1.0 == serial_factor([rising], 4)
    assert 1.0 == serial_factor([], 3)


def test_runs_of_the_baseline_by_hand() -> None:
    """Of eight days the first two against the other six, and so on."""
    column = nights([1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    distances, _, sizes = column.runs(2, 0.0, Kolmogorov())

    assert [1.0, 1 / 2 - 1 / 6, *[1 / 3] * 5] == pytest.approx(distances.tolist())
    assert [20 * 60 / 80] * 7 == pytest.approx(sizes.tolist())


def test_runs_are_compared_as_the_window_is() -> None:
    """Distances, surprises and sizes are those of two samples: the run, and all other days."""
    rng = np.random.default_rng(0)
    rows = rng.integers(50, 150, 20).astype(float)
    shares = np.cumsum(rng.dirichlet(np.ones(6), 20), axis=1)[:, :-1]
    distances, surprises, sizes = DayToDayVariation(rows, shares, np.ones(5)).runs(3, 0.1, Kolmogorov())
    inside = np.isin(np.arange(20), [4, 5, 6])
    parts = [(rows[k, None] * shares[k]).sum(axis=0) / rows[k].sum() for k in (inside, ~inside)]
    size = 1 / sum(1 / effective_rows(rows[k], 0.1) for k in (inside, ~inside))

    assert 18 == len(distances)
    assert np.abs(parts[0] - parts[1]).max() == pytest.approx(distances[4])
    assert size == pytest.approx(sizes[4])
    assert Kolmogorov().surprise(parts[0] - parts[1], size) == pytest.approx(surprises[4])


def test_runs_of_categories_are_compared_by_counts() -> None:
    """The same with the chi-square statistic."""
    shares = np.array([[0.5, 0.5], [0.5, 0.5], [0.9, 0.1], [0.5, 0.5], [0.5, 0.5]])
    test = ChiSquare(np.array([0.58, 0.42]))
    distances, surprises, sizes = DayToDayVariation(np.full(5, 10.0), shares, np.ones(2)).runs(1, 0.0, test)

    assert [0.1, 0.1, 0.4, 0.1, 0.1] == pytest.approx(distances.tolist())
    assert test.surprise(np.array([0.4, -0.4]), 8.0) == pytest.approx(surprises[2])
    assert [8.0] * 5 == pytest.approx(sizes.tolist())


@pytest.mark.parametrize("p", [1.0, 0.5, 0.01, 1e-12])
def test_a_p_value_is_read_in_a_t(p: float) -> None:
    """Noise estimated from eight days is itself noisy: the same surprise means less."""
    surprise = -np.log(p)

    assert p == pytest.approx(float(p_value(surprise, None)))
    assert 2 * t.sf(norm.isf(p / 2), 7) == pytest.approx(float(p_value(surprise, 8)))
    assert p <= p_value(surprise, 8)


def test_the_smallest_p_value_is_not_nan() -> None:
    """A surprise beyond all floats still has a p-value."""
    assert 0.0 == p_value(1e9, None)
    assert 1e-20 > p_value(1e9, 60) >= 0


def test_equal_days_teach_nothing_of_their_neighbours() -> None:
    """What rounding leaves of days that are all the same is no variance: the serial factor stays 1."""
    even = DayToDayVariation(np.full(30, 1000.0), np.tile([0.9, 0.1], (30, 1)), np.ones(2))

    assert even.spread < 1e-30
    assert 1.0 == serial_factor([even], 7)


def test_directions_by_hand() -> None:
    """Eigenvalues of the covariance 3 and 1: (3 + 1)^2 / (9 + 1) = 1.6, in the limit of many days."""
    days = 20_000
    away = np.random.default_rng(2).standard_normal((days, 2)) * np.sqrt([3.0, 1.0])
    found = DayToDayVariation(np.ones(days), away, np.ones(2)).directions

    assert 1.6 == pytest.approx(found, rel=0.02)


@pytest.mark.parametrize(("levels", "along"), [(49, 49), (49, 1), (11, 3)])
def test_few_days_do_not_look_like_few_directions(levels: int, along: int) -> None:
    """With 60 days and up to 49 directions the estimate is right to a tenth: what few days add is taken off."""
    rng = np.random.default_rng(6)
    mix = np.linalg.qr(rng.standard_normal((levels, levels)))[0][:along]
    found = [
        DayToDayVariation(np.ones(60), rng.standard_normal((60, along)) @ mix, np.ones(levels)).directions
        for _ in range(50)
    ]

    assert along == pytest.approx(np.mean(found), rel=0.1)


def test_days_that_do_not_move_have_no_directions() -> None:
    """Then nothing limits the degrees of freedom."""
    assert np.inf == nights([0.5] * 8).directions
