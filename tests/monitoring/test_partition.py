"""Rows that are counted apart, and then put together, are as if they had been counted together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config import Data
from core.errors import DataError
from monitoring import partition
from monitoring.tally import count
from tests.monitoring.test_tally import AS_OF, AXES, COLUMNS, DAY, SCHEMA, batch, row, tables

DATA = Data(source="rows", columns=COLUMNS, numeric=("wind",), categorical=("town",))
NAMES = tuple(SCHEMA.names)
SPAN = partition.Span(DATA, NAMES, DAY + dt.timedelta(hours=30), DAY + dt.timedelta(days=4))


def by_position(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows as they come from a cluster: columns are named by their position."""
    return rows.rename_columns([f"c{number}" for number in range(rows.num_columns)])


def spread(work: partition.Work, parts: Iterable[Sequence[dict[str, Any]]]) -> list[partition.Group]:
    """What a cluster makes of partitions: each is worked on, then all results of a key are merged."""
    found = pa.concat_tables([partition.run(work, [by_position(batch(part))]) for part in parts])
    keys = sorted(set(found["key"].to_pylist()))
    groups = [partition.merge(found.filter(pa.compute.equal(found["key"], key))) for key in keys]
    return [(group["key"][0].as_py(), group["value"][0].as_py()) for group in groups]


@settings(max_examples=40, deadline=None)
@given(tables, st.integers(1, 4), st.integers(1, 20))
def test_partitions_add_up(table: list[dict[str, Any]], parts: int, ids: int) -> None:
    """Whatever the partitions: same days, same cells, and the same ids twice on a day, also across partitions."""
    rows = [{**found, "id": f"{number % ids}"} for number, found in enumerate(table)]
    work = partition.Count(SPAN, AXES, "1", AS_OF)

    here = count([SPAN.of(by_position(batch(rows)))], AXES, COLUMNS, version="1", as_of=AS_OF)

    assert here == partition.counted(spread(work, [rows[start::parts] for start in range(parts)]))


def test_the_newest_time_of_all_partitions_counts() -> None:
    """It is the largest of theirs; None where no partition has rows."""
    span = partition.Span(DATA, NAMES, DAY, None)
    work = partition.Newest(span)

    assert DAY + dt.timedelta(hours=9) == partition.newest(spread(work, [[row(0, 2)], [], [row(1, 9), row(2, 5)]]))
    assert partition.newest(spread(work, [[], []])) is None


@pytest.mark.parametrize("work", [partition.Count(SPAN, AXES, None, AS_OF), partition.Newest(SPAN)])
def test_what_a_partition_refuses_is_raised_in_the_end(work: partition.Work) -> None:
    """The error keeps its three parts on the way; results of other partitions do not hide it."""
    found = spread(work, [[row(0, 40)], [row(1, 40, timestamp=None)]])

    with pytest.raises(DataError, match="1 row without a time in column 'timestamp'") as caught:
        partition.counted(found)

    assert "Nobody knows to which day" in caught.value.why
    assert "Fill in 'timestamp'" in caught.value.fix
