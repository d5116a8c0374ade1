"""Rows that are counted apart, and then put together, are as if they had been counted together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from core.config.model import Data
from core.errors import DataError
from monitoring.counting.tally import count
from monitoring.sources import spark_worker
from tests.monitoring.counting.test_tally import AS_OF, AXES, COLUMNS, DAY, SCHEMA, batch, row

DATA = Data(source="rows", columns=COLUMNS, numeric=("wind",), categorical=("town",))
NAMES = tuple(SCHEMA.names)
SPAN = spark_worker.Span(DATA, NAMES, DAY + dt.timedelta(hours=30), DAY + dt.timedelta(days=4))


def by_position(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows as they come from a cluster: columns are named by their position."""
    return rows.rename_columns([f"c{number}" for number in range(rows.num_columns)])


def spread(work: spark_worker.Work, parts: Iterable[Sequence[dict[str, Any]]]) -> list[spark_worker.Group]:
    """What a cluster makes of partitions: each is worked on, then all results of a key are merged."""
    found = pa.concat_tables([spark_worker.run(work, [by_position(batch(part))]) for part in parts])
    keys = sorted(set(found["key"].to_pylist()))
    groups = [spark_worker.merge(found.filter(pa.compute.equal(found["key"], key))) for key in keys]
    return [(group["key"][0].as_py(), group["value"][0].as_py()) for group in groups]


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_partitions_add_up(parts: int) -> None:
    """Whatever the partitions: same days, same cells, and the same ids twice on a day, also across partitions."""
    rng = np.random.default_rng(parts)
    rows = [
        row(
            int(rng.integers(60)),
            float(rng.uniform(20, 110)),
            wind=rng.choice([None, 3.5, 400.0, float(rng.uniform(0, 100))]),
            town=rng.choice([None, "ANC", "BGR", "XXX"]),
            prediction=rng.choice([None, 1.5, float(rng.random())]),
            actual=rng.choice([None, 0, 1, 2]),
            known=AS_OF + dt.timedelta(days=int(rng.integers(-2, 3))),
            version=rng.choice([None, "1", "2"]),
        )
        for _ in range(200)
    ]
    work = spark_worker.Count(SPAN, AXES, "1", AS_OF)

    here = count([SPAN.of(by_position(batch(rows)))], AXES, COLUMNS, version="1", as_of=AS_OF)

    assert 3 == len(here)
    assert all(day.duplicates for day in here)
    assert here == spark_worker.counted(spread(work, [rows[start::parts] for start in range(parts)]))


def test_the_newest_time_of_all_partitions_counts() -> None:
    """It is the largest of theirs; None where no partition has rows."""
    span = spark_worker.Span(DATA, NAMES, DAY, None)
    work = spark_worker.Newest(span)

    assert DAY + dt.timedelta(hours=9) == spark_worker.newest(spread(work, [[row(0, 2)], [], [row(1, 9), row(2, 5)]]))
    assert spark_worker.newest(spread(work, [[], []])) is None


@pytest.mark.parametrize("work", [spark_worker.Count(SPAN, AXES, None, AS_OF), spark_worker.Newest(SPAN)])
def test_what_a_partition_refuses_is_raised_in_the_end(work: spark_worker.Work) -> None:
    """The error keeps its three parts on the way; results of other partitions do not hide it."""
    found = spread(work, [[row(0, 40)], [row(1, 40, timestamp=None)]])

    with pytest.raises(DataError, match="1 row without a time in column 'timestamp'") as caught:
        spark_worker.counted(found)

    assert "the day of a row is unknown" in caught.value.why
    assert "Fill in 'timestamp'" in caught.value.fix
