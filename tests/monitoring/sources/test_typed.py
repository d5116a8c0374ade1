from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.model import Columns, Data
from core.errors import DataError
from monitoring.sources.typed import from_text, from_values, instants, require

DATA = Data(source="rows", columns=Columns(id="id", labelled_at="known"), numeric=("wind",), categorical=("town",))
NAMES = ("id", "wind", "town")

values = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(max_size=3), st.binary(max_size=3)
)


def same(given: Any, found: Any) -> bool:
    """Whether a value arrived: numbers may have become floats."""
    if isinstance(given, int | float):
        return isinstance(found, int | float) and float(given) == float(found)
    return type(given) is type(found) and bool(given == found)


@given(rows=st.lists(st.tuples(values, values), min_size=1, max_size=30))
@settings(max_examples=150, deadline=None)
def test_every_value_arrives_once_as_what_it_is(rows: list[tuple[Any, Any]]) -> None:
    """Whatever a table without types holds, each row is in one batch, and no value changes its kind."""
    batches = list(from_values([(i, *row) for i, row in enumerate(rows)], NAMES, DATA))
    found = {row["id"]: row for batch in batches for row in batch.to_pylist()}

    assert len(rows) == sum(batch.num_rows for batch in batches) == len(found)
    assert all(same(wind, found[i]["wind"]) and same(town, found[i]["town"]) for i, (wind, town) in enumerate(rows))


@given(rows=st.lists(st.tuples(st.floats(allow_nan=False), st.booleans(), st.booleans()), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_text_is_parted_by_what_it_means(rows: list[tuple[float, bool, bool]]) -> None:
    """Of a file's text, numbers become the same floats, and what is no number stays text, also in several columns."""
    batch = pa.record_batch(
        {
            "id": [str(i) for i in range(len(rows))],
            "wind": ["x1" if odd else repr(number) for number, odd, _ in rows],
            "prediction": ["1,5" if odd else repr(number) for number, _, odd in rows],
        }
    )
    found = {row["id"]: row for part in from_text(batch, DATA) for row in part.to_pylist()}

    assert {
        str(i): {"id": str(i), "wind": "x1" if wind else number, "prediction": "1,5" if score else number}
        for i, (number, wind, score) in enumerate(rows)
    } == found


def test_times_of_labels_are_instants_too() -> None:
    """Both time columns are brought to UTC; one that is not there is not invented."""
    batch = pa.record_batch(
        {"timestamp": ["2013-03-04T10:15:00Z"], "known": pa.array([None], pa.string()), "id": ["a"]}
    )
    utc = pa.timestamp("us", "UTC")

    assert [utc, utc, pa.string()] == instants(batch, DATA).schema.types
    assert ["timestamp", "id"] == instants(batch.drop_columns(["known"]), DATA).schema.names


def test_many_columns_are_not_all_listed() -> None:
    """An error stays readable where a table is wide."""
    with pytest.raises(DataError) as caught:
        require([f"c{i:03}" for i in range(500)], DATA, "rows")
    assert 300 > len(caught.value.why)
