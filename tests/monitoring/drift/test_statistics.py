from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency, false_discovery_control, kstwobign

from core.config.triggers import DriftTrigger
from monitoring.drift.statistics import (
    CORRECTIONS,
    ChiSquare,
    Kolmogorov,
    benjamini_hochberg,
    bonferroni,
    holm,
    none,
    pool_rare,
    stability_index,
)

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=40).map(np.array)


def test_holm_by_hand() -> None:
    """Four tests: the smallest times 4, the next times 3, and so on; never falling, never above 1."""
    assert [0.04, 0.06, 0.06, 0.9] == pytest.approx(holm(np.array([0.01, 0.02, 0.03, 0.9])).tolist())
    assert [0.9, 0.06, 0.04, 0.06] == pytest.approx(holm(np.array([0.9, 0.03, 0.01, 0.02])).tolist())
    assert [1.0, 1.0] == holm(np.array([0.7, 0.8])).tolist()


def test_bonferroni_by_hand() -> None:
    """Each times the number of tests, never above 1, in the order given."""
    assert [1.0, 0.12, 0.04, 0.08] == pytest.approx(bonferroni(np.array([0.9, 0.03, 0.01, 0.02])).tolist())


def test_benjamini_and_hochberg_by_hand() -> None:
    """From the largest down: times 4/4, 4/3, 4/2, 4/1; never more than the one before."""
    assert [0.9, 0.04, 0.04, 0.04] == pytest.approx(benjamini_hochberg(np.array([0.9, 0.03, 0.01, 0.02])).tolist())
    found = benjamini_hochberg(
        np.array([0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324])
    )
    assert [0.001, 0.002, 19 / 3000, 0.02375, 0.0402, 0.0425714, 0.0425714, 0.043, 0.051, 0.324] == pytest.approx(
        found.tolist(), rel=1e-5
    )


@given(P_VALUES)
@settings(max_examples=200, deadline=None)
def test_benjamini_and_hochberg_is_scipys(p_values: np.ndarray) -> None:
    """For any p-values."""
    assert false_discovery_control(p_values, method="bh") == pytest.approx(benjamini_hochberg(p_values))


@given(P_VALUES)
@settings(max_examples=200, deadline=None)
def test_the_corrections_are_ordered(p_values: np.ndarray) -> None:
    """None finds at least what Benjamini and Hochberg find, they what Holm finds, he what Bonferroni finds."""
    found = [rule(p_values) for rule in (none, benjamini_hochberg, holm, bonferroni)]

    assert all((less <= more + 1e-12).all() for less, more in itertools.pairwise(found))
    # The smallest p-value is treated alike: for "does any column drift" Holm and Bonferroni are one rule.
    assert bonferroni(p_values).min() == pytest.approx(holm(p_values).min())


def test_every_correction_of_the_config_is_there() -> None:
    """What model.toml may name can be computed, and nothing else can be named."""
    annotation = DriftTrigger.model_fields["correction"].annotation

    assert set(CORRECTIONS) == set(annotation.__args__)  # type: ignore[union-attr]


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
