"""An axis gives every value of any type a cell, and the binned distance stays within a thousandth of the exact one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from core.errors import RecordError
from core.records import Record
from monitoring.axes.axis import Axis, CategoricalAxis, NumericAxis, fit_categorical, fit_numeric

Sampler = Callable[[np.random.Generator, int, float], np.ndarray]
INF, NAN = float("inf"), float("nan")

# Each draws n values; the last argument shifts what is not a single heavy value.
COLUMNS: dict[str, Sampler] = {
    "normal": lambda rng, n, s: rng.standard_normal(n) + s,
    "far from zero": lambda rng, n, s: 1e6 + rng.standard_normal(n) + s,
    "lognormal": lambda rng, n, s: np.exp(rng.standard_normal(n) + s),
    "two decimals": lambda rng, n, s: np.round(rng.gamma(2, 50, n) + 70 * s, 2),
    "few whole numbers": lambda rng, n, s: rng.poisson(3 + s, n).astype(float),
    "many whole numbers": lambda rng, n, s: rng.poisson(400 + 20 * s, n).astype(float),
    "mostly zero": lambda rng, n, s: np.where(rng.random(n) < 0.6, 0.0, rng.exponential(1 + s, n)),
    "Cauchy": lambda rng, n, s: rng.standard_cauchy(n) + s,
    "heavy tail": lambda rng, n, s: np.exp(3 * (rng.standard_normal(n) + s)),
    "mirrored heavy tail": lambda rng, n, s: 1e4 - np.exp(3 * (rng.standard_normal(n) + s)),
    "outliers": lambda rng, n, s: np.where(rng.random(n) < 1e-3, 1e9, rng.standard_normal(n) + s),
    "sentinel": lambda rng, n, s: np.where(rng.random(n) < 0.95, -999.0, rng.standard_normal(n) + s),
    "two scales": lambda rng, n, s: np.where(rng.random(n) < 0.5, 1e-6, 1e6) * (rng.standard_normal(n) + s),
    "two peaks": lambda rng, n, s: np.where(rng.random(n) < 0.5, 0, 1e9) + rng.standard_normal(n) + s,
    "constant": lambda rng, n, s: np.where(rng.random(n) < s, 6.0, 5.0),
    "infinite": lambda rng, n, s: np.where(rng.random(n) < 0.1, INF, np.where(rng.random(n) < 0.1 + s, -INF, 1.0)),
}


class Holder(Record):
    """A record with an axis."""

    axis: Axis


def distance(axis: NumericAxis, baseline: np.ndarray, window: np.ndarray) -> float:
    """The largest difference of the two distribution functions at the ends of the cells."""
    order = [axis.below, *range(axis.bins), axis.above]
    upto = []
    for values in (baseline, window):
        cells, _ = axis.cells(pa.array(values))
        upto.append(np.cumsum(np.bincount(cells, minlength=axis.size)[order]) / len(values))
    return float(np.abs(upto[0] - upto[1]).max())


def exact(baseline: np.ndarray, window: np.ndarray) -> float:
    """The distance of scipy."""
    return float(ks_2samp(baseline, window, method="asymp").statistic)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(COLUMNS)),
    st.integers(0, 2**32 - 1),
    st.integers(2000, 8000),
    st.integers(1, 3000),
    st.sampled_from([0, 0.05, 0.25, 1.0]),
)
def test_the_binned_distance_is_the_exact_one_within_a_thousandth(
    name: str, seed: int, n: int, m: int, shift: float
) -> None:
    """Never above scipy's, never more than 0.001 below, whatever the shape of the column."""
    rng = np.random.default_rng(seed)
    baseline, window = COLUMNS[name](rng, n, 0.0), COLUMNS[name](rng, m, shift)
    found, true = distance(fit_numeric(baseline), baseline, window), exact(baseline, window)

    assert true - 0.001 <= found + 1e-12
    assert found <= true + 1e-12


floats = st.floats(allow_nan=False)


@settings(max_examples=150, deadline=None)
@given(st.lists(floats, max_size=200), st.lists(floats, min_size=1, max_size=200))
def test_with_edges_it_is_so_for_any_data(baseline: list[float], window: list[float]) -> None:
    """Numbers that no grid tells apart force edges: then heavy values may even move to their nearest neighbours."""
    old, new = np.array([*baseline, 5e-324, 1e-323, 1.5e-323]), np.array(window)
    axis = fit_numeric(old)
    found, true = distance(axis, old, new), exact(old, new)

    assert "edges" == axis.form
    assert true - 0.001 <= found + 1e-12
    assert found <= true + 1e-12


@settings(max_examples=100, deadline=None)
@given(st.lists(floats, min_size=2, max_size=100), st.lists(floats, min_size=1, max_size=100))
def test_the_binned_distance_is_never_overstated(baseline: list[float], window: list[float]) -> None:
    """For any two samples at all."""
    old, new = np.array(baseline), np.array(window)

    assert distance(fit_numeric(old), old, new) <= exact(old, new) + 1e-12


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([0.0, 1.0, 2.0, 3.0, None, NAN, -INF, INF]), [0, 1, 1, 2, "null", "null", "below", "above"]),
        (pa.array([0, 1, None]), [0, 1, "null"]),
        (pa.array([True, None]), [1, "null"]),
        (pa.array(["1", None]), ["invalid", "null"]),
        (pa.array(["1", None]).dictionary_encode(), ["invalid", "null"]),
        (pa.nulls(1), ["null"]),
        (pa.array([], pa.float32()), []),
    ],
    ids=str,
)
def test_every_value_of_a_numeric_column_has_a_cell(values: pa.Array, expected: list[int | str]) -> None:
    """NaN counts as null; infinities and what is no number have cells of their own."""
    axis = NumericAxis(form="edges", origin=0.0, scale=1.0, cuts=(-9.0, 1.0, 3.0), low=0.0, high=4.0)
    cells, _ = axis.cells(values)

    assert [getattr(axis, cell) if isinstance(cell, str) else cell for cell in expected] == cells.tolist()


def test_only_finite_values_are_outside() -> None:
    """What lies beyond the baseline's smallest and largest value is out of range; the infinite is counted apart."""
    axis = fit_numeric(np.array([1.0, 5.0]))
    _, outside = axis.cells(pa.array([0.9, 1.0, 5.0, 5.1, None, INF]))

    assert [True, False, False, True, False, False] == outside.tolist()


@pytest.mark.parametrize("values", [[], [NAN], [INF, -INF, NAN]], ids=str)
def test_without_finite_values_nothing_is_outside(values: list[float]) -> None:
    """An all-null column is legal; what arrives later has a bin and is no outlier."""
    axis = fit_numeric(np.array(values))
    cells, outside = axis.cells(pa.array([-1e300, 0.0, None]))

    assert [0, 0, axis.null] == cells.tolist()
    assert not outside.any()
    assert 1 == len(axis.labels())


@pytest.mark.parametrize("name", COLUMNS)
def test_bins_have_edges_middles_and_labels(name: str) -> None:
    """For pictures and made-up rows: all within the range of the baseline, ascending."""
    axis = fit_numeric(COLUMNS[name](np.random.default_rng(0), 5000, 0.1))
    edges, middles = axis.edges(), axis.middles()

    assert (axis.bins + 1, axis.bins, axis.bins) == (len(edges), len(middles), len(axis.labels()))
    assert (np.diff(edges) >= 0).all()
    assert ((axis.low <= middles) & (middles <= axis.high)).all()


def test_labels_have_no_more_digits_than_the_grid() -> None:
    """Whole numbers are named as such, although their cells begin a little below them."""
    axis = fit_numeric(np.repeat(np.arange(1201.0), 20))
    names = axis.names([0, 600, axis.bins])

    assert "affine" == axis.form
    assert ("0 to 600", "600 to 1200") == names


LEVELS = CategoricalAxis(levels=("1", "a", "true"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array(["a", "b", None, ""]), [1, "other", "null", "other"]),
        (pa.array(["a", None]).dictionary_encode(), [1, "null"]),
        (pa.array(["a"], pa.large_string()), [1]),
        (pa.array([1, 2, None]), [0, "other", "null"]),
        (pa.array([1.0, NAN, None]), [0, "null", "null"]),
        (pa.array([True, False]), [0, "other"]),
        (pa.array([[1], None]), ["other", "null"]),
        (pa.nulls(1), ["null"]),
        (pa.array(["a", "b", "a"])[1:], ["other", 1]),
        (
            pa.DictionaryArray.from_arrays(pa.array([2, 0, None, 1]), pa.array(["a", "b", None])),
            ["null", 1, "null", "other"],
        ),
        (pa.array(["b", "a", None, "a"]).dictionary_encode()[1:], [1, "null", 1]),
        (pa.nulls(2, pa.dictionary(pa.int8(), pa.string())), ["null", "null"]),
    ],
    ids=str,
)
def test_every_value_of_a_categorical_column_has_a_cell(values: pa.Array, expected: list[int | str]) -> None:
    """Numbers and booleans count by their text, true as 1; what the baseline never had is `other`."""
    cells, outside = LEVELS.cells(values)

    assert [getattr(LEVELS, cell) if isinstance(cell, str) else cell for cell in expected] == cells.tolist()
    assert not outside.any()


def test_levels_are_the_most_frequent_of_the_baseline() -> None:
    """A thousand at most; of equally frequent ones those first by name; sorted; without null."""
    words = [f"{i:04}" for i in range(1200)] * 2
    axis = fit_categorical(pa.array([*words, "9999", "9999", "9999", None]))

    assert (*(f"{i:04}" for i in range(999)), "9999") == axis.levels


@pytest.mark.parametrize("values", [pa.array([], pa.string()), pa.nulls(3), pa.array([[1]])], ids=str)
def test_a_column_may_have_no_levels(values: pa.Array) -> None:
    """Empty, all-null and unreadable columns are legal."""
    assert () == fit_categorical(values).levels


@pytest.mark.parametrize("name", COLUMNS)
def test_axes_survive_json(name: str) -> None:
    """The axis stored with the model counts as the fitted one does."""
    values = COLUMNS[name](np.random.default_rng(0), 3000, 0.0)
    held = Holder(axis=fit_numeric(values))
    back = Holder.from_json(held.to_json()).axis

    assert held.axis == back
    assert held.axis.cells(pa.array(values))[0].tolist() == back.cells(pa.array(values))[0].tolist()


@pytest.mark.parametrize("cuts", ["[]", "[0, 2, 2]", "[1, 2]", "[0, 65536]"])
def test_a_damaged_axis_is_refused(cuts: str) -> None:
    """Cuts that do not ascend on the grid would count rows into wrong bins."""
    text = Holder(axis=NumericAxis(form="affine", origin=0.0, scale=1.0, cuts=(0.0, 7.0), low=0.0, high=1.0)).to_json()
    damaged = "".join(text.split()).replace("[0.0,7.0]", cuts).replace("Holder/1", "Holder/1")

    with pytest.raises(RecordError, match="does not fit Holder"):
        Holder.from_json(damaged)
