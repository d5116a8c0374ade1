"""Tallies count every row once and add up in any order and split."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.model import Columns
from core.errors import DataError
from monitoring.axes.axis import CategoricalAxis, fit_numeric
from monitoring.counting import row_counter
from monitoring.counting.column_tally import ColumnTally
from monitoring.counting.counts import Counts
from monitoring.counting.tally import Baseline, DayTally, build_baseline, count, merge

DAY = dt.datetime(2013, 3, 1, tzinfo=dt.UTC)
AS_OF = DAY + dt.timedelta(days=20)
COLUMNS = Columns(id="id", version="version", labelled_at="known")
AXES = {"wind": fit_numeric(np.arange(100.0)), "town": CategoricalAxis(levels=("ANC", "BGR"))}
SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "timestamp": pa.timestamp("us", "UTC"),
        "prediction": pa.float64(),
        "actual": pa.int8(),
        "known": pa.timestamp("us", "UTC"),
        "version": pa.string(),
        "wind": pa.float64(),
        "town": pa.string(),
    }
)

seconds = st.integers(0, 5 * 86_400 - 1)
rows = st.fixed_dictionaries(
    {
        "timestamp": seconds.map(lambda s: DAY + dt.timedelta(seconds=s)),
        "prediction": st.none() | st.floats(-0.2, 1.2),
        "actual": st.sampled_from([None, 0, 1, 2]),
        "known": st.none() | st.integers(-5, 5).map(lambda days: AS_OF + dt.timedelta(days=days)),
        "version": st.sampled_from([None, "1", "2"]),
        "wind": st.none() | st.floats(),
        "town": st.sampled_from([None, "ANC", "BGR", "XXX"]),
    }
)
tables = st.lists(rows, max_size=40).map(lambda found: [{"id": str(i), **row} for i, row in enumerate(found)])


def batch(rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    """Rows as Arrow."""
    return pa.RecordBatch.from_pylist(list(rows), schema=SCHEMA)


def tallied(*batches: pa.RecordBatch, version: str | None = "1", as_of: dt.datetime = AS_OF) -> tuple[DayTally, ...]:
    """The tallies of batches."""
    return count(batches, AXES, COLUMNS, version=version, as_of=as_of)


def row(number: int, hours: float, **values: Any) -> dict[str, Any]:
    """A row so many hours into March."""
    return {"id": str(number), "timestamp": DAY + dt.timedelta(hours=hours), **values}


@settings(max_examples=60, deadline=None)
@given(tables, st.randoms(use_true_random=False), st.integers(1, 5))
def test_tallies_are_the_same_for_any_order_and_batches(table: list[dict[str, Any]], random: Any, size: int) -> None:
    """Out-of-order rows in batches of any size give the tallies of the sorted table."""
    mixed = random.sample(table, len(table))
    parts = [batch(mixed[i : i + size]) for i in range(0, len(mixed), size)]

    assert tallied(batch(table)) == tallied(*parts)


@settings(max_examples=60, deadline=None)
@given(tables, st.lists(st.integers(0, 2), min_size=40, max_size=40), st.permutations(range(3)))
def test_tallies_of_parts_add_up(table: list[dict[str, Any]], part: list[int], order: list[int]) -> None:
    """Any split of a table, merged in any order, gives the tallies of the whole."""
    parts = [tallied(batch([r for r, k in zip(table, part, strict=False) if k == number])) for number in range(3)]

    assert tallied(batch(table)) == merge(day for number in order for day in parts[number])


@settings(max_examples=40, deadline=None)
@given(tables)
def test_every_row_is_counted_once(table: list[dict[str, Any]]) -> None:
    """Cells of a column sum to the rows of the day; scored and unscored rows to those of the version."""
    days = tallied(batch(table))

    assert len(table) == sum(day.rows for day in days)
    for day in days:
        assert {day.rows} == {int(column.counts.array.sum()) for column in day.columns.values()}
    ours = sum(r["version"] == "1" for r in table)
    assert ours == sum(int(day.scores.array.sum()) + day.unscored for day in days)


@settings(max_examples=30, deadline=None)
@given(tables)
def test_a_baseline_survives_its_json(table: list[dict[str, Any]]) -> None:
    """What training stores is what the night reads, for any rows."""
    baseline = build_baseline([batch(table)], ["wind"], ["town"], COLUMNS, AS_OF)

    assert baseline == Baseline.from_json(baseline.to_json())
    assert len(table) == baseline.rows == baseline.total("wind").sum() == baseline.total("town").sum()


def test_a_day_is_a_day_of_utc() -> None:
    """It ends with its last microsecond, also before 1970."""
    last = dt.timedelta(days=1) - dt.timedelta(microseconds=1)
    starts = [dt.datetime(1969, 12, 31, tzinfo=dt.UTC), DAY]
    found = tallied(batch([{"id": "a", "timestamp": start + late} for start in starts for late in (0 * last, last)]))

    assert [(start.date(), 2) for start in starts] == [(day.date, day.rows) for day in found]


def test_numbers_by_hand() -> None:
    """One small day, cell by cell."""
    found = tallied(
        batch(
            [
                row(1, 1, prediction=0.25, actual=1, known=AS_OF, version="1", wind=5.0, town="ANC"),
                row(2, 2, prediction=0.25, actual=0, known=AS_OF, version="1", wind=-5.0, town="XXX"),
                row(2, 3, prediction=0.25, actual=7, known=AS_OF, version="1", wind=float("inf")),
                row(2, 4, prediction=1.5, version="1", wind=float("nan"), town="ANC"),
                row(3, 5, prediction=0.5, actual=1, known=AS_OF, version="2", town="BGR"),
            ]
        )
    )
    (day,) = found
    wind, town = AXES["wind"], AXES["town"]
    by_cell = dict(enumerate(day.columns["wind"].counts.array))

    assert (5, 2, 1, 1) == (day.rows, day.duplicates, day.unscored, day.bad_labels)
    assert [1, 1, 1] == day.scores.array[250].tolist()
    assert 3 == day.scores.array.sum()
    assert (1, 2, 1) == (by_cell[wind.above], by_cell[wind.null], day.columns["wind"].outside)
    assert [2, 1, 1, 1] == day.columns["town"].counts.array.tolist()
    assert town.other == 2


def test_unseen_levels_land_in_other() -> None:
    """A new airport is no null and no known level."""
    baseline = build_baseline([batch([row(1, 1, town="ANC")])], [], ["town"], COLUMNS, AS_OF)
    (day,) = count([batch([row(2, 2, town="EYW")])], baseline.axes, COLUMNS, version=None, as_of=AS_OF)

    assert [0, 1, 0] == day.columns["town"].counts.array.tolist()


def test_duplicates_are_of_one_day() -> None:
    """The same id on another day is another prediction; rows without an id are taken as one."""
    batches = [batch([row(1, 1), row(1, 30)]), batch([row(1, 2), row(2, 3)])]
    nameless = batch([{**row(0, 4), "id": None}, {**row(0, 5), "id": None}])

    assert [1, 0] == [day.duplicates for day in tallied(*batches)]
    assert [2, 0] == [day.duplicates for day in tallied(*batches, nameless)]


def test_an_absent_column_is_absent_from_its_days() -> None:
    """It is not counted as null: that is another fault."""
    bare = batch([row(1, 1), row(2, 30)]).select(["timestamp", "wind"])
    found = tallied(bare, batch([row(3, 1)]))

    assert [["town", "wind"], ["wind"]] == [sorted(day.columns) for day in found]
    assert (2, 1) == (found[0].rows, found[0].columns["town"].counts.array.sum())


def test_the_types_of_a_column_are_remembered() -> None:
    """Text in a numeric column is seen by name, beside the cell of the invalid."""
    odd = pa.RecordBatch.from_pydict({"timestamp": pa.array([DAY], SCHEMA.field("timestamp").type), "wind": ["7"]})
    (day,) = tallied(odd, batch([row(1, 1, wind=7.0)]))

    assert ("double", "string") == day.columns["wind"].types
    assert 1 == day.columns["wind"].counts.array[AXES["wind"].invalid]


def test_of_future_days_only_rows_are_counted() -> None:
    """A feed with wrong clocks may spread rows over thousands of days: their features would fill the memory."""
    far = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
    today, tomorrow, end = tallied(
        batch([{"id": "a", "timestamp": far}, row(1, 1, wind=1.0), row(2, 25, wind=1.0), row(3, 26)]), as_of=DAY
    )

    assert (1, 2, 1) == (today.rows, tomorrow.rows, end.rows)
    assert (2, 0, 0) == (len(today.columns), len(tomorrow.columns), len(end.columns))
    assert 0 == tomorrow.scores.array.sum() + tomorrow.unscored


@pytest.mark.parametrize(
    "times",
    [
        None,
        pa.array([DAY], pa.timestamp("ms", "UTC")),
        pa.array([DAY.replace(tzinfo=None)], pa.timestamp("us")),
        pa.array([None], pa.timestamp("us", "UTC")),
        pa.array(["2013-03-01"]),
    ],
    ids=str,
)
def test_rows_need_a_time(times: pa.Array | None) -> None:
    """Missing, null, without a zone, or no time at all: nobody knows to which night the row belongs."""
    table = {"id": pa.array(["a"])} | ({} if times is None else {"timestamp": times})

    with pytest.raises(DataError, match="The time column 'timestamp' is"):
        tallied(pa.RecordBatch.from_pydict(table))


def test_nothing_gives_no_days() -> None:
    """Neither do batches without rows."""
    assert () == tallied()
    assert () == tallied(batch([]))
    assert () == build_baseline([], ["wind"], ["town"], COLUMNS, AS_OF).days


@pytest.mark.parametrize(
    "values",
    [
        pa.nulls(3, pa.float64()),
        pa.array([5.0] * 3),
        pa.array([True, False, None]),
        pa.array([1, 2, 3], pa.int16()),
        pa.array([Decimal("1.25")] * 3),
        pa.array(["a", "b", None]).dictionary_encode(),
        pa.array([1, 2, None]).dictionary_encode(),
    ],
    ids=lambda values: str(values.type),
)
def test_any_column_makes_a_baseline(values: pa.Array) -> None:
    """All-null, constant, boolean, whole, decimal and dictionary columns are legal, as numbers and as categories."""
    table = pa.RecordBatch.from_pydict({"timestamp": pa.array([DAY] * 3, pa.timestamp("us", "UTC")), "odd": values})
    for baseline in (
        build_baseline([table], ["odd"], [], COLUMNS, AS_OF),
        build_baseline([table], [], ["odd"], COLUMNS, AS_OF),
    ):
        assert 3 == baseline.total("odd").sum()
        assert values.null_count <= baseline.total("odd")[baseline.axes["odd"].null]


def test_other_days_do_not_add_up() -> None:
    """A sum over days would be a window, which is not a day."""
    one, two = tallied(batch([row(1, 1), row(2, 30)]))

    with pytest.raises(ValueError, match="do not add up"):
        one + two


def test_column_tallies_add_up() -> None:
    """Counts and outliers are summed, types are united."""
    one = ColumnTally(counts=Counts([1, 2]), outside=1, types=("double",))
    two = ColumnTally(counts=Counts([0, 5]), outside=2, types=("double", "string"))

    assert ColumnTally(counts=Counts([1, 7]), outside=3, types=("double", "string")) == one + two


SKEWED = fit_numeric(np.exp(3 * np.random.default_rng(0).standard_normal(20_000)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 99)), min_size=1, max_size=40), st.booleans())
def test_many_rows_are_counted_as_few_are(found: list[tuple[int, float]], skewed: bool) -> None:
    """By grid cell first, as where a day has many rows, or by bin at once: the counts of each bin are the same."""
    axis = SKEWED if skewed else AXES["wind"]
    assert ("bits" if skewed else "affine") == axis.form
    inside = [(day, float(np.clip(value, axis.low, axis.high))) for day, value in found]
    rows = batch([row(number, 24.0 * day, wind=value) for number, (day, value) in enumerate(inside)])
    counts = []
    for few in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(row_counter, "FEW", few)
            counts.append(count([rows], {"wind": axis}, COLUMNS, version="1", as_of=AS_OF))

    assert counts[0] == counts[1]
    assert len(inside) == sum(day.columns["wind"].counts.array[: axis.bins].sum() for day in counts[0])
