"""Rows are held once, and each policy sees them with the scores that its own models gave."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from core.config.model import Columns, Data
from core.days import midnight
from stages.replay.rows import ReplayRows, ServedRows

DATA = Data(source="rows.db", numeric=("x",), columns=Columns(id="id", labelled_at="labelled_at", version="version"))
FIRST, SECOND = dt.date(2013, 3, 1), dt.date(2013, 3, 2)


def batch(*hours: int, text: bool = False) -> pa.RecordBatch:
    """Rows at so many hours after the first midnight, with labels a day later; `x` as number or text."""
    times = [midnight(FIRST) + dt.timedelta(hours=hour) for hour in hours]
    kind = pa.timestamp("us", "UTC")
    return pa.record_batch(
        {
            "id": pa.array([f"row {hour}" for hour in hours]),
            "timestamp": pa.array(times, kind),
            "x": pa.array([str(hour) for hour in hours] if text else [float(hour) for hour in hours]),
            "actual": pa.array([hour % 2 for hour in hours]),
            "labelled_at": pa.array([moment + dt.timedelta(days=1) for moment in times], kind),
        }
    )


@pytest.fixture
def rows() -> ReplayRows:
    """Five rows on two days, in no order, one of them with text where a number belongs."""
    return ReplayRows([batch(30, 2), batch(25, text=True), batch(0, 23)], DATA)


def test_a_day_holds_its_rows_and_no_others(rows: ReplayRows) -> None:
    """Days begin at midnight, whatever the order and the types of the batches."""
    days = [[b.column("id").to_pylist() for b in rows.plain(rows.of_day(day))] for day in (FIRST, SECOND)]

    assert [[["row 0", "row 2", "row 23"]], [["row 30"], ["row 25"]]] == days
    assert (FIRST, SECOND) == (rows.first, rows.last)


def test_words_of_several_dictionaries_are_one_column() -> None:
    """Each file brings its own dictionary: the same word may be number 0 in one and 1 in the next."""
    parts = [
        batch(*hours).append_column("town", pa.array(towns).dictionary_encode())
        for hours, towns in (((2, 5), ["ANC", "BGR"]), ((1, 4), ["BGR", None]))
    ]
    (found,) = (rows := ReplayRows(parts, DATA)).plain(rows.of_day(FIRST))

    assert ["BGR", "ANC", None, "BGR"] == found.column("town").to_pylist()


@pytest.mark.parametrize(("hour", "count"), [(23, 0), (24, 1), (26, 2), (47, 3), (90, 3)])
def test_labels_are_known_from_the_instant_they_arrived(rows: ReplayRows, hour: int, count: int) -> None:
    """How many labels of the first day are known grows as they arrive, each from its own instant on."""
    assert count == rows.labels_known(FIRST, midnight(FIRST) + dt.timedelta(hours=hour))


def test_scores_are_of_the_policy_that_served(rows: ReplayRows) -> None:
    """Two policies serve one day by different fits; neither sees the other's scores, nor any of the other day."""
    ours, theirs = ServedRows(rows), ServedRows(rows)
    ours.serve(FIRST, 1, [np.array([0.1, 0.2, 0.3])])
    theirs.serve(FIRST, 2, [np.array([0.9, np.nan, 0.7])])
    both = rows.pieces(midnight(FIRST), midnight(SECOND + dt.timedelta(days=1)))
    found = [served.batches(both) for served in (ours, theirs)]

    assert [0.1, 0.2, 0.3, None] == found[0][0].column("prediction").to_pylist()
    assert ["1", "1", "1", None] == found[0][0].column("version").to_pylist()
    assert [0.9, None, 0.7, None] == found[1][0].column("prediction").to_pylist()
    assert [None] == found[1][1].column("prediction").to_pylist()
    assert (2, 0) == theirs.history(FIRST, SECOND + dt.timedelta(days=1))
