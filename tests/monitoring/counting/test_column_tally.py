"""Days survive their JSON as they are, and days that older releases wrote are read as ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.model import Data
from core.errors import RecordError
from core.records import Record
from monitoring.counting.column_tally import ColumnTally
from monitoring.counting.counts import Counts
from monitoring.counting.known_days import KnownDays
from monitoring.counting.tally import Baseline, Days
from tests.monitoring.counting.test_tally import AXES, COLUMNS, row, tables, tallied
from tests.monitoring.counting.test_tally import batch as made

OLD = Path(__file__).parents[2] / "data" / "days_1.json"
DATA = Data(source="rows.db", columns=COLUMNS, numeric=("wind",), categorical=("town",))
ROWS = [
    row(0, 1, wind=3.0, town="ANC", prediction=0.2, actual=1, version="1"),
    row(0, 2, wind=None, town="XXX", prediction=0.9, actual=0, version="1"),
    row(1, 50, wind=400.0, town=None, prediction=None, actual=None, version="1"),
]


class Holder(Record):
    """A record with days."""

    days: Days


def parts(*columns: dict[str, list[int]]) -> Holder:
    """Days whose columns have these counts."""
    (bare,) = tallied(made([row(0, 1)]))
    tallies = [
        {
            name: ColumnTally(counts=Counts(counts), outside=len(counts), types=("double",))
            for name, counts in one.items()
        }
        for one in columns
    ]
    return Holder(days=tuple(bare.model_copy(update={"columns": one}) for one in tallies))


counts = st.lists(st.sampled_from([0, 1, 255, 256, 2**16, 2**32, 2**62]), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), counts, max_size=3), max_size=4))
def test_days_survive_json(columns: list[dict[str, list[int]]]) -> None:
    """Whatever columns the days have, and also where a column has more cells on some days than on others."""
    holder = parts(*columns)

    assert holder == Holder.from_json(holder.to_json())


def test_a_column_is_one_array() -> None:
    """A column of all days is unpacked once and not once a day; one with other cells on a day stays in its days."""
    body = json.loads(parts({"a": [1], "b": [1]}, {"a": [2], "b": [1, 2]}).to_json())

    assert {"a"} == set(body["days"]["columns"])
    assert [2, 1] == body["days"]["columns"]["a"]["counts"]["shape"]
    assert [{"b"}, {"b"}] == [set(day["columns"]) for day in body["days"]["days"]]


@settings(max_examples=30, deadline=None)
@given(tables)
def test_what_was_counted_survives_json(table: list[dict[str, Any]]) -> None:
    """A baseline written and read again has every count of every day."""
    baseline = Baseline(axes=dict(AXES), days=tallied(made(table)))

    assert baseline == Baseline.from_json(baseline.to_json())


def test_days_of_older_releases_are_read() -> None:
    """The baselines and kept days of versions that are registered already say what they said when they were written."""
    days, old = tallied(made(ROWS)), json.loads(OLD.read_text(encoding="utf-8"))

    assert days == Baseline.from_json(json.dumps(old["baseline"])).days
    assert days == KnownDays.from_json(json.dumps(old["known"])).days


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"days": [0, 2]}, id="a day that is not there"),
        pytest.param({"days": [-1, 0]}, id="a day before the first"),
        pytest.param({"days": [0, 0]}, id="a day twice"),
        pytest.param({"days": [0]}, id="a row too many"),
        pytest.param({"types": [[]]}, id="types of too few days"),
        pytest.param({"counts": {"shape": [], "bytes": 1, "zlib": "eJxjBAAAAgAC"}}, id="no rows"),
        pytest.param({"more": 1}, id="unknown"),
    ],
)
def test_columns_that_do_not_fit_their_days_are_refused(change: dict[str, Any]) -> None:
    """Damaged days are no record; nothing is left out or counted for another day."""
    body = json.loads(parts({"a": [1]}, {"a": [2]}).to_json())
    body["days"]["columns"]["a"].update(change)

    with pytest.raises(RecordError, match="does not fit Holder"):
        Holder.from_json(json.dumps(body))
