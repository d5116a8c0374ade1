"""Days that were counted once stand for themselves as long as their rows do, and only the others are read again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from core.config.model import Data
from monitoring.counting.known_days import KnownDays, reuse_counted_days, stretches
from monitoring.counting.tally import DayTally, count
from tests.monitoring.counting.test_tally import AS_OF, AXES, COLUMNS, DAY, batch, tables

DATA = Data(source="rows.db", columns=COLUMNS, numeric=("wind",), categorical=("town",))
TODAY = (DAY + dt.timedelta(days=5)).date()
Rows = Sequence[dict[str, Any]]


def counted(rows: Rows, *, features: bool = True, as_of: dt.datetime = AS_OF) -> tuple[DayTally, ...]:
    """The tallies of rows, or what can be said of them without their features."""
    batches: list[pa.RecordBatch] = [batch(rows)]
    if not features:
        batches = [one.drop_columns(["wind", "town", "id"]) for one in batches]
    return count(batches, AXES if features else {}, COLUMNS, version="1", as_of=as_of)


def read(rows: Rows, asked: list[tuple[dt.date, dt.date]], first: dt.date, end: dt.date) -> tuple[DayTally, ...]:
    """The days of a stretch with their features; the stretch is noted."""
    asked.append((first, end))
    return counted([row for row in rows if first <= row["timestamp"].date() < end])


@given(tables, tables, st.lists(st.sampled_from([None, 0, 1]), min_size=40, max_size=40))
def test_it_is_as_if_all_had_been_counted_tonight(before: Rows, later: Rows, labels: list[int | None]) -> None:
    """Whatever rows and labels came since, tallies brought up are those of counting every day anew."""
    known = {day.date: day for day in counted(before)}
    relabelled = [{**row, "actual": label, "known": DAY} for row, label in zip(before, labels, strict=False)]
    now = [*relabelled, *({**row, "id": f"new {row['id']}"} for row in later)]

    found = reuse_counted_days(known, counted(now, features=False), TODAY, lambda *days: read(now, [], *days))

    assert counted(now) == found


def test_a_day_with_the_same_rows_is_not_read_again() -> None:
    """Three days are known and a fourth is new: only that one is read, though labels moved on the others."""
    rows = [
        {"id": str(n), "timestamp": DAY + dt.timedelta(days=n), "wind": 1.0 * n, "town": "ANC", "version": "1"}
        for n in range(4)
    ]
    known = {day.date: day for day in counted(rows[:3])}
    labelled = [{**row, "prediction": 0.5, "actual": 1, "known": DAY} for row in rows]
    asked: list[tuple[dt.date, dt.date]] = []

    found = reuse_counted_days(
        known, counted(labelled, features=False), TODAY, lambda *days: read(labelled, asked, *days)
    )

    fourth = DAY.date() + dt.timedelta(days=3)
    assert [(fourth, fourth + dt.timedelta(days=1))] == asked
    assert [1, 1, 1, 1] == [int(day.scores.array[500, 1]) for day in found]


def test_a_day_that_got_another_row_is_read_again() -> None:
    """One row more makes all that is known of a day worthless."""
    rows = [{"id": str(n), "timestamp": DAY, "wind": 1.0 * n, "town": "ANC"} for n in range(3)]
    known = {day.date: day for day in counted(rows[:2])}

    found = reuse_counted_days(known, counted(rows, features=False), TODAY, lambda *days: read(rows, [], *days))

    assert counted(rows) == found


def test_days_are_known_only_for_what_was_asked() -> None:
    """Another feature in the config, and nothing that was counted before is taken."""
    kept = KnownDays.of(DATA, counted([{"id": "1", "timestamp": DAY, "wind": 1.0}]))

    assert 1 == len(kept.by_date(DATA))
    assert {} == kept.by_date(DATA.model_copy(update={"numeric": ()}))
    assert kept == KnownDays.from_json(kept.to_json())


@given(st.sets(st.dates(dt.date(2013, 1, 1), dt.date(2013, 1, 31))))
def test_stretches_hold_each_day_once(days: set[dt.date]) -> None:
    """The runs of days hold just the days given, and no two of them touch."""
    found = list(stretches(days))
    one = dt.timedelta(days=1)

    assert sorted(days) == [first + n * one for first, end in found for n in range((end - first).days)]
    assert all(end < following for (_, end), (following, _) in pairwise(found))
