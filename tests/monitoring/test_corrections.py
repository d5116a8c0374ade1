from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from core.config import DriftTrigger
from monitoring.corrections import CORRECTIONS, benjamini_hochberg, bonferroni, holm, none

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
