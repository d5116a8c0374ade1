"""Grids keep the order of numbers, and no cell holds more of the baseline than it may."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.axes import grid

Sampler = Callable[[np.random.Generator, int], np.ndarray]
COLUMNS: dict[str, tuple[Sampler, grid.Form]] = {
    "normal": (lambda rng, n: rng.standard_normal(n), "affine"),
    "far from zero": (lambda rng, n: 1e6 + rng.standard_normal(n), "affine"),
    "two decimals": (lambda rng, n: np.round(rng.gamma(2, 50, n), 2), "affine"),
    "few whole numbers": (lambda rng, n: rng.poisson(3, n).astype(float), "affine"),
    "outliers": (lambda rng, n: np.where(rng.random(n) < 1e-4, 1e9, rng.standard_normal(n)), "affine"),
    "sentinel": (lambda rng, n: np.where(rng.random(n) < 0.95, -999.0, rng.standard_normal(n)), "affine"),
    "Cauchy": (lambda rng, n: rng.standard_cauchy(n), "bits"),
    "lognormal": (lambda rng, n: np.exp(3 * rng.standard_normal(n)), "bits"),
    "mirrored lognormal": (lambda rng, n: 1e4 - np.exp(3 * rng.standard_normal(n)), "bits"),
    "two scales": (lambda rng, n: np.where(rng.random(n) < 0.5, 1e-6, 1e6) * rng.standard_normal(n), "edges"),
    "two peaks": (lambda rng, n: np.where(rng.random(n) < 0.5, 0, 1e9) + rng.standard_normal(n), "edges"),
}
anything = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=50)


def fitted(values: np.ndarray) -> grid.Grid:
    """The grid for a column of these values."""
    return grid.fit(*np.unique(values, return_counts=True))


def bins(found: grid.Grid, numbers: np.ndarray) -> np.ndarray:
    """The bin of each number."""
    cells = grid.cells(found, numbers)
    return cells if found.form == "edges" else np.searchsorted(found.cuts, cells, side="right") - 1


@pytest.mark.parametrize("name", COLUMNS)
def test_the_cheapest_grid_that_is_fine_enough_is_taken(name: str) -> None:
    """Heavy tails need the bits of a float, far peaks need edges, all else gets equal cells."""
    sample, form = COLUMNS[name]

    assert form == fitted(sample(np.random.default_rng(1), 50_000)).form


@pytest.mark.parametrize("name", COLUMNS)
def test_no_bin_is_too_full(name: str) -> None:
    """A bin holds at most a thousandth of the baseline besides its heaviest value; there are at most 2,001 bins."""
    values = COLUMNS[name][0](np.random.default_rng(2), 50_000)
    found = fitted(values)
    distinct, counts = np.unique(values, return_counts=True)
    place = bins(found, distinct)
    mass = np.bincount(place, counts)
    heaviest = np.zeros(len(mass))
    np.maximum.at(heaviest, place, counts)

    assert 50 >= (mass - heaviest).max()
    assert 2001 >= len(found.cuts)
    assert mass[heaviest <= 50].max() <= 50


@pytest.mark.parametrize("name", COLUMNS)
def test_a_bin_begins_where_its_numbers_do(name: str) -> None:
    """`starts` turns cells back into numbers: each number lies between the start of its bin and that of the next."""
    values = COLUMNS[name][0](np.random.default_rng(3), 20_000)
    found = fitted(values)
    starts = np.append(grid.starts(found), np.inf)
    place = bins(found, values)
    slack = 1e-6 * (1 + np.abs(values))
    inner = place > 0

    assert (starts[place] <= values + slack)[inner].all()
    assert (values <= starts[place + 1] + slack).all()


@settings(max_examples=100, deadline=None)
@given(anything, anything)
def test_bins_never_fall_when_numbers_grow(baseline: list[float], others: list[float]) -> None:
    """Any number has a bin, also beyond the baseline, and the order is kept: the distance cannot be overstated."""
    found = fitted(np.array(baseline))
    place = bins(found, np.sort([*baseline, *others]))

    assert (np.diff(place) >= 0).all()
    assert ((place >= 0) & (place < len(found.cuts))).all()


@settings(max_examples=60, deadline=None)
@given(anything, st.sampled_from(["affine", "bits"]), st.floats(-1e30, 1e30), st.floats(1e-30, 1e30))
def test_grids_never_fall_when_numbers_grow(others: list[float], form: grid.Form, origin: float, scale: float) -> None:
    """The same for any constants, whether or not they were fitted to these numbers."""
    made = grid.Grid(form, origin, scale if form == "affine" else float(int(np.log2(scale))))
    cells = grid.cells(made, np.sort(others))

    assert (np.diff(cells) >= 0).all()
    assert ((cells >= 0) & (cells < grid.CELLS)).all()


def test_zero_has_no_sign() -> None:
    """-0.0 equals 0.0, so both lie in one cell."""
    for form in ("affine", "bits"):
        zero, negative = grid.cells(grid.Grid(form, 0.0, 1.0), np.array([0.0, -0.0]))
        assert zero == negative


@pytest.mark.parametrize("value", [0.0, 5.0, -1e308, np.finfo(float).max, 5e-324])
def test_a_constant_has_a_bin_of_its_own(value: float) -> None:
    """Whatever else comes later lies below or above it."""
    found = fitted(np.full(100, value))
    below, same, above = bins(found, np.array([np.nextafter(value, -np.inf), value, min(value + 1, 1.7e308)]))

    assert below < same
    assert value == max(value, 1.7e308) or value + 1 == value or same < above
