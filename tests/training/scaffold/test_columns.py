"""Columns of a sample: what tells rows apart."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from core.config.model import Columns
from monitoring.tasks import BINARY
from training.scaffold.columns import find_id, require_id
from training.scaffold.sample import Sample

TIMES = [dt.datetime(2024, 3, 4, tzinfo=dt.UTC) + number * dt.timedelta(minutes=1) for number in range(200)]


def sample(*ids: pa.Array) -> Sample:
    """Batches with these ids, and labels; the first batch lacks the column `late`."""
    batches = []
    for number, values in enumerate(ids):
        columns = {
            "row_id": values,
            "timestamp": pa.array(TIMES[: len(values)], pa.timestamp("us", "UTC")),
            "actual": pa.array([row % 2 for row in range(len(values))]),
        }
        if number:
            columns["late"] = pa.array([1.5] * len(values))
        batches.append(pa.record_batch(columns))
    return Sample.of(batches, Columns(id="row_id"), BINARY)


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64(), pa.string()])
def test_ids_of_64_bits_are_compared_exactly(kind: pa.DataType) -> None:
    """Ids that are one as floats are different ids, in several batches too."""
    ids = pa.array([2**60 + number for number in range(200)])
    rows = sample(ids.slice(0, 90).cast(kind), ids.slice(90).cast(kind))

    require_id(rows.column("row_id"))
    assert "row_id" == find_id(rows, ["row_id"])


def test_a_column_that_later_files_add_is_missing_before() -> None:
    """It is a column of the sample all the same."""
    ids = pa.array(range(200))
    column = sample(ids.slice(0, 50), ids.slice(50)).column("late")

    assert (150, 1) == (column.known, column.different)
