"""Whatever a monitoring table holds, it is counted right, or refused by our own error."""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import parquet as pq

from core.errors import ConfigError, DataError, MlopsError
from monitoring.counting import tally
from monitoring.counting.tally import DayTally, build_baseline
from monitoring.counting.window import build_window
from monitoring.performance.reference import PromotedScore
from monitoring.sources.source import open_source
from monitoring.tasks.binary import BINARY
from monitoring.triggers.decision import decide
from monitoring.triggers.evidence import History
from tests.fuzz.damage import attempt
from tests.fuzz.tables import (
    CONFIG,
    HOUR,
    NIGHT,
    as_csv,
    decimal_of,
    good,
    loose_rows,
    odd_tables,
    write_sqlite,
)
from training.frame import labelled_frame
from training.quality import window_summary

DATA = CONFIG.data
NAMES = [*DATA.features, *DATA.roles]
START = NIGHT - dt.timedelta(days=30)
PAST = History(
    champion=1,
    champion_trained=NIGHT - dt.timedelta(days=9),
    promoted=(PromotedScore(version=1, metric="balanced_accuracy", score=0.7),),
    last_training=None,
    trainings_30_days=0,
    open_proposal=None,
)
BASELINE = build_baseline([pa.record_batch(good(40))], DATA.numeric, DATA.categorical, DATA.columns, NIGHT)


def counted(path: Path) -> tuple[DayTally, ...]:
    """The days of a table as a night counts them."""
    batches = open_source(str(path), DATA, path.parent).batches(NAMES, START, NIGHT)
    return tally.count(batches, BASELINE.axes, DATA.columns, version="1", as_of=NIGHT)


def night(path: Path) -> None:
    """All that a night does with a table: count, sum up, judge; also with rows from the future, and for a training."""
    source = open_source(str(path), DATA, path.parent)
    for end in (NIGHT, None):
        batches = list(source.batches(NAMES, START, end))
        days = tally.count(batches, BASELINE.axes, DATA.columns, version="1", as_of=NIGHT)
        assert sum(batch.num_rows for batch in batches) == sum(day.rows for day in days)
        window = build_window(CONFIG, 1, NIGHT, days, source.columns)
        cells = list(window_summary.cells(window, CONFIG, BASELINE))
        list(window_summary.findings(cells, window, BINARY))
        decide(CONFIG, window, BASELINE, PAST, None)
    attempt(source.latest, DataError)
    rows = list(source.batches(NAMES, START, NIGHT))
    attempt(lambda: labelled_frame(rows, DATA, NIGHT), DataError)
    attempt(lambda: build_baseline(rows, DATA.numeric, DATA.categorical, DATA.columns, NIGHT), DataError)


FAR = pa.table({**good(2), "timestamp": pa.array([2**62, 0], pa.timestamp("us", "UTC"))})  # after the year 9999
LONG_AGO = {**dict.fromkeys(good(0)), "id": "a", "timestamp": -5.5}


@example(FAR, {})
@given(odd_tables(), st.sampled_from([{}, {"write_statistics": False}, {"row_group_size": 2}, {"store_schema": False}]))
def test_a_parquet_file_of_any_types_is_counted_or_refused(table: pa.Table, options: dict[str, Any]) -> None:
    """Any types and values, columns that are missing, foreign or there twice: counts, or our error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        try:
            pq.write_table(table, path, **options)
        except (pa.ArrowException, OverflowError):
            return  # there is no such file
        attempt(lambda: night(path), MlopsError)


@given(st.data())
def test_a_damaged_parquet_file_is_counted_or_refused(data: st.DataObject) -> None:
    """A file that was cut, or of which bytes were changed, is our error where it cannot be read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        pq.write_table(pa.table(good(5)), path)
        whole = bytearray(path.read_bytes())
        for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=3)):
            whole[place] = data.draw(st.integers(0, 255))
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole)) | st.just(len(whole)))])
        attempt(lambda: night(path), MlopsError)


@given(st.data())
def test_a_damaged_csv_file_is_counted_or_refused(data: st.DataObject) -> None:
    """Broken quotes, lines, bytes and numbers in a CSV file are counted as what they are, or refused."""
    rows = list(zip(*(column.to_pylist() for column in good(5).values()), strict=True))
    text = as_csv([*good(0)], rows).encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 30, len(text))))
    odd = st.sampled_from([b'"', b"\n", b",", b"\r", b"\xff", b"\x00", b'""', b"9" * 400, b"inf", b"\xef\xbb\xbf"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(text[:start] + data.draw(odd | st.binary(max_size=4)) + text[end:])
        attempt(lambda: night(path), MlopsError)


@example([LONG_AGO, LONG_AGO | {"timestamp": 2**62}], [""] * 8)
@given(loose_rows(), st.lists(st.sampled_from(["", "TEXT", "REAL", "INTEGER", "BLOB"]), min_size=8, max_size=8))
def test_a_sqlite_table_of_any_values_is_counted_or_refused(rows: list[dict[str, Any]], kinds: list[str]) -> None:
    """SQLite keeps any value in any column: numbers beside text and bytes, dates of any year, integers of 64 bits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        write_sqlite(path, rows, kinds)
        attempt(lambda: night(path), MlopsError)


@given(st.data())
def test_a_damaged_sqlite_file_is_counted_or_refused(data: st.DataObject) -> None:
    """A database of which bytes were changed, or the end is missing, is our error where it cannot be read."""
    row = {name: column[0].as_py() for name, column in good(1).items()}
    row |= {name: str(row[name]) for name in ("timestamp", "labelled_at")}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        write_sqlite(path, [row] * 3, [""] * 8)
        whole = bytearray(path.read_bytes())
        for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
            whole[place] = data.draw(st.integers(0, 255))
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole)) | st.just(len(whole)))])
        attempt(lambda: night(path), MlopsError)


# The same rows in the forms in which feeds write them.
numbers = st.none() | st.just(math.nan) | st.floats(-1000, 1000).map(lambda value: round(value, 3))
rows_of_a_table = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(("a", "b", "c", "1")),
            "timestamp": st.integers(0, 60).map(lambda hours: NIGHT - HOUR - hours * HOUR),
            "prediction": st.none() | st.sampled_from((0.0, 0.25, 0.5, 1.0, 1.5)),
            "actual": st.sampled_from((None, 0, 1)),
            "labelled_at": st.none() | st.integers(-9, 9).map(lambda hours: NIGHT + hours * HOUR),
            "version": st.sampled_from(("1", "2")),
            "x": numbers,
            "c": st.none() | st.sampled_from(("a", "b", "é", "unseen", "☃ [bold]")),
        }
    ),
    min_size=1,
    max_size=12,
)
TIMES: dict[str, Callable[[list[Any]], pa.Array]] = {
    **{f"timestamp {unit}": lambda v, unit=unit: pa.array(v, pa.timestamp(unit, "UTC")) for unit in ("s", "us", "ns")},
    "another zone": lambda v: pa.array(v, pa.timestamp("us", "Asia/Tokyo")),
    "seconds": lambda v: pa.array([None if m is None else int(m.timestamp()) for m in v], pa.int64()),
    "text": lambda v: pa.array([None if m is None else m.isoformat() for m in v], pa.string()),
    "text of another zone": lambda v: pa.array(
        [None if m is None else m.astimezone(dt.timezone(9 * HOUR)).isoformat() for m in v], pa.string_view()
    ),
}
FLOATS: dict[str, Callable[[list[Any]], pa.Array]] = {
    "float64": lambda v: pa.array(v, pa.float64()),
    "dictionary": lambda v: pa.array(v, pa.float64()).dictionary_encode(),
    "decimal": lambda v: pa.array(
        [None if x is None or math.isnan(x) else decimal_of(x) for x in v], pa.decimal128(20, 5)
    ),
}
WORDS: dict[str, Callable[[list[Any]], pa.Array]] = {
    "string": lambda v: pa.array(v, pa.string()),
    "dictionary": lambda v: pa.array(v, pa.string()).dictionary_encode(),
    "large": lambda v: pa.array(v, pa.large_string()),
    "view": lambda v: pa.array(v, pa.string_view()),
}
LABELS: dict[str, Callable[[list[Any]], pa.Array]] = {
    "int64": lambda v: pa.array(v, pa.int64()),
    "int8": lambda v: pa.array(v, pa.int8()),
    "bool": lambda v: pa.array([None if x is None else bool(x) for x in v], pa.bool_()),
    "float": lambda v: pa.array(v, pa.float32()),
}
FORMS = {"timestamp": TIMES, "labelled_at": TIMES, "x": FLOATS, "prediction": FLOATS, "actual": LABELS}


@given(rows_of_a_table, st.data())
def test_a_parquet_table_in_any_form_is_counted_right(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    """Units, zones, text, dictionaries, decimals, booleans and views of the same rows give the counts of the rows."""
    columns = {}
    for name in rows[0]:
        form = data.draw(st.sampled_from(sorted(FORMS.get(name, WORDS))), label=name)
        columns[name] = FORMS.get(name, WORDS)[form]([row[name] for row in rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        pq.write_table(pa.table(columns), path)
        days = counted(path)

    assert _counts(days) == _expected(rows)


@pytest.mark.parametrize("kind", ["csv", "sqlite"])
@given(rows=rows_of_a_table)
def test_a_table_of_text_is_counted_right(kind: str, rows: list[dict[str, Any]]) -> None:
    """The same rows in a CSV file and in a SQLite table give the counts of the rows."""
    for row in rows:
        row["x"] = None if row["x"] is None or math.isnan(row["x"]) else row["x"]
    moments = ("timestamp", "labelled_at")
    told = [row | {name: row[name] and row[name].isoformat() for name in moments} for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        if kind == "csv":
            path = Path(folder) / "t.csv"
            path.write_text(as_csv([*good(0)], [[row[name] for name in good(0)] for row in told]), encoding="utf-8")
        else:
            path = Path(folder) / "t.db"
            write_sqlite(path, told, [""] * 8)
        days = counted(path)

    assert _counts(days) == _expected(rows)


def _expected(rows: list[dict[str, Any]]) -> dict[dt.date, Counter[str]]:
    """What is to be counted of rows, day by day, in plain Python."""
    found: dict[dt.date, Counter[str]] = {}
    seen = set()
    for row in rows:
        day = row["timestamp"].date()
        mine = found.setdefault(day, Counter())
        known = row["labelled_at"] is not None and row["labelled_at"] <= NIGHT and row["actual"] is not None
        scored = row["prediction"] is not None and row["prediction"] <= 1
        number = row["x"] is not None and not math.isnan(row["x"])
        mine["rows"] += 1
        mine["duplicates"] += (day, row["id"]) in seen
        mine["x null"] += not number
        mine["x outside"] += number and not 0 <= row["x"] <= 39  # what `good(40)` has
        mine["c null"] += row["c"] is None
        mine["c other"] += row["c"] not in {"a", "b", None}
        if row["version"] == "1":
            mine["unscored"] += not scored
            if scored:
                mine[f"label {row['actual'] if known else 2}"] += 1
        seen.add((day, row["id"]))
    return {day: +mine for day, mine in found.items()}


def _counts(days: tuple[DayTally, ...]) -> dict[dt.date, Counter[str]]:
    """The same of tallies."""
    x, c = (BASELINE.axes[name] for name in ("x", "c"))
    return {
        day.date: +Counter(
            {
                "rows": day.rows,
                "duplicates": day.duplicates,
                "x null": int(day.columns["x"].counts.array[x.null]),
                "x outside": day.columns["x"].outside,
                "c null": int(day.columns["c"].counts.array[c.null]),
                "c other": int(day.columns["c"].counts.array[c.other]),  # type: ignore[union-attr]
                "unscored": day.unscored,
                **{f"label {label}": int(day.scores.array[:, label].sum()) for label in range(3)},
            }
        )
        for day in days
    }


def test_a_column_that_is_there_twice_is_refused_by_name(tmp_path: Path) -> None:
    """Of two columns of one name nobody knows which is meant: an error that names it, and not the first of them."""
    table = pa.table([*good(3).values(), good(3)["x"]], names=[*good(3), "x"])
    pq.write_table(table, tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text(as_csv([*good(0), "x"], []))

    for name in ("t.parquet", "t.csv"):
        with pytest.raises(DataError, match="several columns named 'x'"):
            open_source(name, DATA, tmp_path)
    with pytest.raises(ConfigError):
        open_source("t.txt\0", DATA, tmp_path)
