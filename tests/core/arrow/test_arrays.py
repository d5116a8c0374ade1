"""Arrow arrays become numpy arrays, whatever their type, and without pandas."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.arrow import arrays, spelling

COUNT = """
import datetime as dt, sys
import pyarrow.parquet as pq
from core.config import Columns
from monitoring.counting import build_baseline, count
batches = list(pq.ParquetFile(sys.argv[1]).iter_batches())
columns = Columns(id="id", labelled_at="known", version="version")
as_of = dt.datetime(2013, 1, 3, tzinfo=dt.UTC)
baseline = build_baseline(batches, ["number"], ["word", "odd"], columns, as_of)
days = count(batches, baseline.axes, columns, version="1", as_of=as_of)
assert (4, 1, 2) == (days[0].rows, days[0].duplicates, days[0].scores.array.sum()), days
assert not {"pandas", "scipy"} & set(sys.modules), "loaded"
"""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([1.5, None, float("nan"), float("-inf")]), [1.5, np.nan, np.nan, -np.inf]),
        (pa.array([1, None, -3], pa.int8()), [1, np.nan, -3]),
        (pa.array([2**63], pa.uint64()), [2.0**63]),
        (pa.array([True, False, None]), [1, 0, np.nan]),
        (pa.array([Decimal("1.25"), None]), [1.25, np.nan]),
        (pa.array([1.5], pa.float32()), [1.5]),
        (pa.array(np.array([1.5], np.float16)), [1.5]),
        (pa.array([7, 7, None]).dictionary_encode(), [7, 7, np.nan]),
        (pa.nulls(2), [np.nan, np.nan]),
        (pa.array([], pa.float64()), []),
        (pa.array([0.0, 1.0, None, 3.0])[1:], [1, np.nan, 3]),
        (pa.array([9, 1, None])[1:], [1, np.nan]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_numbers_of_any_type_are_read(values: pa.Array, expected: list[float]) -> None:
    """Integers, booleans and decimals count as numbers; null is NaN; a slice is read from where it begins."""
    numbers, invalid = arrays.numbers(values)

    np.testing.assert_array_equal(expected, numbers)
    assert invalid is None


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["1.5", None]),
        pa.array(["1.5", None]).dictionary_encode(),
        pa.array([dt.date(2013, 1, 1), None]),
        pa.array([[1], None]),
    ],
    ids=lambda value: str(value.type),
)
def test_what_is_no_number_is_invalid(values: pa.Array) -> None:
    """Numbers as text are a fault of the feed: they are not quietly read."""
    numbers, invalid = arrays.numbers(values)

    assert invalid is not None
    assert [True, False] == invalid.tolist()
    assert np.isnan(numbers).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array(["a", None, ""]), ["a", None, ""]),
        (pa.array([1, None]), ["1", None]),
        (pa.array([True, False]), ["1", "0"]),
        (pa.array([1.0, 1.5, float("nan"), None]), ["1", "1.5", None, None]),
        (pa.array(["é", None]).dictionary_encode(), ["é", None]),
        (pa.nulls(1), [None]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_texts_of_any_type_are_read(values: pa.Array, expected: list[str | None]) -> None:
    """Whatever has a text form is a level of that name; null and NaN are none."""
    found = spelling.texts(values)

    assert found is not None
    assert expected == found.to_pylist()


def test_lists_have_no_text() -> None:
    """A type without a text form is not guessed at."""
    assert spelling.texts(pa.array([[1]])) is None


def test_our_own_arrow_arrays_are_those_of_arrow() -> None:
    """Arrays built from their memory equal those that Arrow builds."""
    words = ("", "a", "éß")

    assert pa.array(words, pa.large_string()).equals(arrays.text_array(words))
    assert pa.array([3, 1]).equals(arrays.int_array(np.array([1, 1, 3])[::-2]))


def test_counting_loads_no_pandas(tmp_path: Path) -> None:
    """A night counts Parquet batches without pandas or scipy: they would cost more time than the counting."""
    noon = dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC)
    table = pa.table(
        {
            "timestamp": pa.array([noon] * 4, pa.timestamp("us", "UTC")),
            "known": pa.array([noon] * 4, pa.timestamp("us", "UTC")),
            "id": ["a", "b", "b", None],
            "number": [1.0, None, 3.0, float("nan")],
            "word": ["x", "y", None, "x"],
            "odd": [1.0, None, 3.0, float("nan")],
            "prediction": [0.1, 0.2, None, 0.3],
            "actual": pa.array([0, 1, None, 1], pa.int8()),
            "version": [1, 1, 1, 2],
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    root = Path(__file__).parents[3]

    call = subprocess.run(
        [sys.executable, "-c", COUNT, str(tmp_path / "rows.parquet")], cwd=root, capture_output=True, check=False
    )

    assert b"" == call.stderr
    assert 0 == call.returncode
