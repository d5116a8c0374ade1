"""Distances and p-values have the numbers that hand and scipy give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency, kstwobign

from monitoring.distances import ChiSquare, Kolmogorov, pool_rare, stability_index


def test_the_distance_of_two_distribution_functions() -> None:
    """The largest difference, whichever way; of several pairs at once."""
    differences = np.array([[0.1, -0.3, 0.2], [0.0, 0.0, 0.05]])

    assert [0.3, 0.05] == Kolmogorov().distance(differences).tolist()


def test_the_distance_of_two_shares() -> None:
    """Total variation: 0 for equal shares, 1 for foreign ones."""
    assert 0.25 == ChiSquare(np.array([0.5, 0.25, 0.25])).distance(np.array([0.25, -0.25, 0.0]))
    assert 1.0 == ChiSquare(np.array([0.5, 0.5])).distance(np.array([1.0, -1.0]))


@pytest.mark.parametrize(("distance", "size"), [(0.02, 5000.0), (0.1, 400.0), (0.3, 50.0), (0.04, 700.0)])
def test_the_p_value_of_a_distance(distance: float, size: float) -> None:
    """The law of Kolmogorov at Stephens' argument."""
    root = np.sqrt(size)
    p_value = np.exp(-Kolmogorov().surprise(np.array([distance]), size))

    assert kstwobign.sf((root + 0.12 + 0.11 / root) * distance) == pytest.approx(p_value, rel=1e-9)


def test_surprise_grows_without_end() -> None:
    """Where p-values underflow, the further one still surprises more, and there is no jump on the way."""
    distances = np.linspace(0, 1, 2001)
    kolmogorov = Kolmogorov().surprise(distances[:, None], 1000.0)
    square = ChiSquare(np.array([0.2, 0.3, 0.5])).surprise(distances[:, None] * np.array([0.1, -0.3, 0.2]), 1e5)

    for surprise in (kolmogorov, square):
        assert 700 < surprise[-1]
        assert 0 == pytest.approx(surprise[0])
        assert (np.diff(surprise) >= 0).all()
        assert 0.02 > (np.diff(surprise[1:]) / surprise[-1]).max()


@pytest.mark.parametrize("categories", [2, 10, 500])
def test_there_is_no_jump_where_p_values_underflow(categories: int) -> None:
    """The approximation beyond all floats goes on where the exact p-value ends."""
    test = ChiSquare(np.full(categories, 1 / categories))
    away = np.resize([1.0, -1.0], categories) / categories
    surprise = test.surprise(away, np.arange(500.0, 4000.0))
    steps = np.diff(surprise)

    assert surprise[0] < -np.log(1e-280) < surprise[-1]
    assert (np.diff(steps) <= 0.06 * steps.max()).all()
    assert (steps > 0).all()


@pytest.mark.parametrize("table", [[[50, 30, 20], [40, 40, 40]], [[500, 500], [30, 70]]], ids=str)
def test_the_p_value_of_counts(table: list[list[int]]) -> None:
    """Chi-square of homogeneity, as scipy has it."""
    old, new = (np.array(row, float) for row in table)
    size = old.sum() * new.sum() / (old.sum() + new.sum())
    test = ChiSquare((old + new) / (old + new).sum())
    p_value = np.exp(-test.surprise(new / new.sum() - old / old.sum(), size))

    assert chi2_contingency(table, correction=False).pvalue == pytest.approx(p_value, rel=1e-9)


def test_one_category_surprises_nobody() -> None:
    """A constant column cannot differ, and no degrees of freedom are left."""
    assert 0.0 == ChiSquare(np.array([1.0, 0.0])).surprise(np.array([0.0, 0.0]), 100.0)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param([100, 100, 2, 1], [100, 100, 1, 2], [0, 1, 1, 1], id="three rare rows are not, together"),
        pytest.param([100, 50, 30, 9, 8], [100, 50, 30, 1, 2], [0, 1, 2, 3, 3], id="ten rare rows are enough together"),
        pytest.param([10, 10], [10, 10], [0, 1], id="five expected are enough"),
        pytest.param([9, 9], [9, 9], [0, 1], id="all rare"),
        pytest.param([0, 50], [0, 50], [1, 0], id="a level that nobody has costs nothing"),
    ],
)
def test_rare_categories_are_pooled(before: list[int], after: list[int], expected: list[int]) -> None:
    """Under five expected rows in the smaller sample the chi-square approximation fails."""
    group = pool_rare(np.array(before, float), np.array(after, float))

    assert expected == group.tolist()


counts = st.lists(st.integers(0, 50), min_size=1, max_size=20)


@given(counts)
def test_pooled_groups_are_large_enough(before: list[int]) -> None:
    """Every group expects five rows in both samples, unless all together do not; numbers have no gaps."""
    old = np.array([*before, 1], float)
    new = np.array([*before[::-1], 1], float)
    group = pool_rare(old, new)
    sums = np.bincount(group, old + new) / 2

    assert list(range(len(sums))) == sorted(set(group.tolist()))
    assert len(sums) <= 1 or (sums[sums > 0] >= 5).all()


def test_stability_index_by_hand() -> None:
    """(0.6 - 0.5) ln(0.6 / 0.5) + (0.4 - 0.5) ln(0.4 / 0.5); an empty group counts as 0.0001."""
    half = np.array([0.5, 0.5])

    assert 0.0405465 == pytest.approx(stability_index(half, np.array([0.6, 0.4])), abs=1e-7)
    assert 0.0 == stability_index(half, half)
    assert 0.9999 * np.log(1e4) == pytest.approx(stability_index(np.array([1.0, 0.0]), np.array([1.0, 1.0])))


def test_few_directions_have_fewer_degrees_of_freedom() -> None:
    """Satterthwaite: the statistic times f / (k - 1), read in a chi-square with f degrees of freedom, here 2 of 4."""
    expected, differences = np.full(5, 0.2), np.array([0.05, -0.05, 0.02, -0.02, 0.0])
    statistic = 400 * (differences**2 / 0.2).sum()

    full, few = (np.exp(-ChiSquare(expected, f).surprise(differences, 400.0)) for f in (np.inf, 2.0))
    assert chi2.sf(statistic, 4) == pytest.approx(full)
    assert chi2.sf(statistic / 2, 2) == pytest.approx(few)
    assert chi2.sf(statistic / 4, 1) == pytest.approx(np.exp(-ChiSquare(expected, 0.3).surprise(differences, 400.0)))
