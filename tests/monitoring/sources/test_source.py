from __future__ import annotations

import csv
import datetime as dt
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from core.config.model import Columns, Data
from core.errors import ConfigError, DataError
from monitoring.axes.axis import Axis, CategoricalAxis, fit_numeric
from monitoring.counting.tally import DayTally, count
from monitoring.sources.source import open_source
from tests import postgres

UTC = dt.UTC
DAY = dt.timedelta(days=1)
START = dt.datetime(2013, 3, 4, tzinfo=UTC)
DATA = Data(
    source="rows",
    table="predictions",
    columns=Columns(id="id", labelled_at="known"),
    numeric=("wind",),
    categorical=("town",),
)
NAMES = ("id", "timestamp", "prediction", "actual", "known", "wind", "town")
INSERT = "INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?)"
Row = dict[str, Any]
Maker = Callable[[Path, list[Row]], str]


def row(number: int, moment: dt.datetime, **other: Any) -> Row:
    """A prediction that was made at `moment` and is not labelled yet."""
    values = {"id": f"r{number}", "timestamp": moment, "prediction": 0.25, "actual": None, "known": None}
    return {**values, "wind": number + 0.5, "town": "ANC", **other}


def sqlite_text(root: Path, rows: list[Row], *, separator: str = "T", index: bool = True) -> str:
    """A SQLite table with times as ISO text."""
    path = root / "rows.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("DROP TABLE IF EXISTS predictions")
        kinds = "id TEXT, timestamp TEXT, prediction REAL, actual INTEGER, known TEXT, wind REAL, town TEXT"
        database.execute(f"CREATE TABLE predictions ({kinds})")
        if index:
            database.execute("CREATE INDEX by_time ON predictions (timestamp)")
        written = [
            [value.isoformat(separator) if isinstance(value, dt.datetime) else value for value in found.values()]
            for found in rows
        ]
        database.executemany(INSERT, written)
    return path.name


def sqlite_seconds(root: Path, rows: list[Row]) -> str:
    """A SQLite table with times as seconds since 1970."""
    path = root / "rows.sqlite3"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TABLE IF EXISTS predictions")
        database.execute(f"CREATE TABLE predictions ({', '.join(NAMES)})")
        written = [
            [int(value.timestamp()) if isinstance(value, dt.datetime) else value for value in found.values()]
            for found in rows
        ]
        database.executemany(INSERT, written)
    return f"sqlite:///{path.name}"


def parquet_folder(root: Path, rows: list[Row]) -> str:
    """A folder with a Parquet file for every three rows, in row groups of two."""
    folder = root / "rows"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("timestamp", pa.timestamp("ns", "America/New_York")),
            ("prediction", pa.float64()),
            ("actual", pa.int8()),
            ("known", pa.timestamp("us", "UTC")),
            ("wind", pa.float64()),
            ("town", pa.dictionary(pa.int32(), pa.string())),
        ]
    )
    for start in range(0, max(1, len(rows)), 3):
        table = pa.Table.from_pylist(rows[start : start + 3], schema=schema)
        parquet.write_table(table, folder / f"{start:05}.parquet", row_group_size=2)
    return folder.name


def csv_file(root: Path, rows: list[Row]) -> str:
    """One CSV file."""
    path = root / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, NAMES)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def postgres_table(root: Path, rows: list[Row]) -> str:
    """A table with an index in a database of its own, times as timestamptz."""
    del root
    url = postgres.fresh()
    kinds = "id text, timestamp timestamptz, prediction float8, actual smallint, known timestamptz, wind numeric"
    postgres.execute(url, f"CREATE TABLE predictions ({kinds}, town text)", "CREATE INDEX ON predictions (timestamp)")
    postgres.execute(url, *(postgres.insert("predictions", list(found.values())) for found in rows))
    return url


def postgres_text(root: Path, rows: list[Row]) -> str:
    """The same with times as text."""
    url = postgres_table(root, rows)
    for name in ("timestamp", "known"):
        text = f"""to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
        postgres.execute(url, f"ALTER TABLE predictions ALTER {name} TYPE text USING {text}")
    return url


def duckdb_file(root: Path, rows: list[Row]) -> str:
    """A DuckDB file: another driver on the same path as all that are not PostgreSQL's."""
    duckdb = pytest.importorskip("duckdb")
    path = root / "rows.duckdb"
    path.unlink(missing_ok=True)
    kinds = "id text, timestamp timestamptz, prediction double, actual tinyint, known timestamptz, wind double"
    with duckdb.connect(str(path)) as database:
        database.execute(f"CREATE TABLE predictions ({kinds}, town text)")
        for found in rows:
            database.execute(INSERT, list(found.values()))
    return f"duckdb:///{path.name}"


MAKERS: list[Maker] = [
    sqlite_text,
    sqlite_seconds,
    parquet_folder,
    csv_file,
    postgres_table,
    postgres_text,
    duckdb_file,
]
makers = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)


def read(root: Path, url: str, start: dt.datetime, end: dt.datetime | None, data: Data = DATA) -> list[Row]:
    """The rows of a range."""
    return [found for batch in open_source(url, data, root).batches(NAMES, start, end) for found in batch.to_pylist()]


@makers
def test_a_range_holds_its_start_and_not_its_end(make: Maker, tmp_path: Path) -> None:
    """Rows with start <= time < end come back with their values, times in UTC, whatever their order in the source."""
    moments = [START + hours * dt.timedelta(hours=1) for hours in (30, 24, -1, 0, 23)]
    rows = [row(i, moment, known=moment + 2 * DAY, actual=i % 2) for i, moment in enumerate(moments)]
    url = make(tmp_path, rows)

    assert [rows[3], rows[4]] == sorted(read(tmp_path, url, START, START + DAY), key=lambda r: r["timestamp"])
    assert 4 == len(read(tmp_path, url, START, None))
    assert [] == read(tmp_path, url, START + 9 * DAY, START + 10 * DAY)


@makers
def test_types_are_those_of_the_contract(make: Maker, tmp_path: Path) -> None:
    """Times are timestamp("us", "UTC"), columns come in the order asked for, absent ones are left out."""
    url = make(tmp_path, [row(0, START)])
    source = open_source(url, DATA, tmp_path)
    (batch,) = source.batches(["wind", "gust", "known", "timestamp", "id"], START, None)

    assert ["wind", "known", "timestamp", "id"] == batch.schema.names
    assert [pa.float64(), *[pa.timestamp("us", "UTC")] * 2, pa.string()] == batch.schema.types
    assert set(NAMES) == set(source.columns)
    (batch,) = source.batches(["wind"], START, None)
    assert ["wind"] == batch.schema.names


@makers
def test_the_newest_row_is_the_newest_instant(make: Maker, tmp_path: Path) -> None:
    """`latest` goes by instants, not by what sorts last; no rows, no newest time, and no batches."""
    early = dt.datetime(2013, 3, 5, 7, tzinfo=dt.timezone(dt.timedelta(hours=14)))
    rows = [row(0, START), row(1, START + DAY / 2 + DAY / 4), row(2, early)]

    assert START + DAY * 0.75 == open_source(make(tmp_path, rows), DATA, tmp_path).latest()
    url = make(tmp_path, [])
    assert open_source(url, DATA, tmp_path).latest() is None
    assert [] == read(tmp_path, url, START, None)


@makers
def test_all_sources_are_counted_alike(make: Maker, tmp_path: Path) -> None:
    """The tallies of a window do not depend on where its rows lie, but for the names of their types."""
    rng = np.random.default_rng(5)
    rows = [
        row(
            i,
            START + int(rng.integers(5 * 24)) * DAY / 24,
            prediction=None if i % 7 == 0 else float(rng.random()),
            actual=None if i % 3 == 0 else int(rng.integers(2)),
            known=None if i % 3 == 0 else START + int(rng.integers(9)) * DAY,
            wind=None if i % 5 == 0 else float(rng.normal()),
            town=None if i % 11 == 0 else str(rng.choice(["ANC", "BGR", "new"])),
        )
        for i in range(60)
    ]
    axes: dict[str, Axis] = {
        "wind": fit_numeric(np.linspace(-2, 2, 100)),
        "town": CategoricalAxis(levels=("ANC", "BGR")),
    }

    def counted(batches: Iterable[pa.RecordBatch]) -> list[DayTally]:
        days = count(batches, axes, DATA.columns, version=None, as_of=START + 6 * DAY)
        plain = [{name: part.model_copy(update={"types": ()}) for name, part in day.columns.items()} for day in days]
        return [day.model_copy(update={"columns": part}) for day, part in zip(days, plain, strict=True)]

    instant = pa.timestamp("us", "UTC")
    held = pa.RecordBatch.from_pylist(rows)
    held = held.set_column(1, "timestamp", held.column(1).cast(instant)).set_column(
        4, "known", held.column(4).cast(instant)
    )
    expected = counted([held])

    assert 5 == len(expected)
    assert 0 < expected[0].scores.array[:, 1].sum() < 20
    assert expected == counted(open_source(make(tmp_path, rows), DATA, tmp_path).batches(NAMES, START, None))


@makers
def test_a_row_without_time_stops_the_night(make: Maker, tmp_path: Path) -> None:
    """Nobody knows to which day it belongs, so it is not left out in silence."""
    url = make(tmp_path, [row(0, START), row(1, START, timestamp=None), row(2, START + DAY)])

    with pytest.raises(DataError, match="1 row without a time in column 'timestamp'"):
        read(tmp_path, url, START, START + DAY)


@makers
def test_a_missing_time_or_id_column_is_named(make: Maker, tmp_path: Path) -> None:
    """The error says which role has no column, which columns there are, and what to change."""
    url = make(tmp_path, [row(0, START)])
    for role in ("time", "id"):
        data = DATA.model_copy(update={"columns": Columns(**{"id": "id", role: "missing"})})
        with pytest.raises(DataError) as caught:
            open_source(url, data, tmp_path)
        assert f"no column 'missing', which is data.columns.{role}" in caught.value.what
        assert "actual, id, known, prediction, timestamp, town, wind" in caught.value.why
        assert "model.toml" in caught.value.fix


@pytest.mark.parametrize("make", [sqlite_text, sqlite_seconds, csv_file], ids=lambda make: make.__name__)
def test_text_in_a_numeric_column_arrives_as_text_and_alone(make: Maker, tmp_path: Path) -> None:
    """One value of the wrong kind is seen as such, and does not take the numbers around it with it."""
    url = make(tmp_path, [row(0, START), row(1, START, wind="strong", prediction="high"), row(2, START, wind=None)])
    batches = list(open_source(url, DATA, tmp_path).batches(["id", "wind"], START, None))

    assert {("double", 0.5, "r0"), ("double", None, "r2"), ("string", "strong", "r1")} == {
        (str(batch.schema.field("wind").type), found["wind"], found["id"])
        for batch in batches
        for found in batch.to_pylist()
    }


@pytest.mark.parametrize("separator", ["T", " "])
@pytest.mark.parametrize("index", [True, False])
@given(
    hours=st.lists(st.tuples(st.integers(-80, 120), st.integers(-14, 14)), max_size=20),
    start=st.integers(-30, 50),
    length=st.integers(0, 60),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_offsets_and_separators_never_move_a_row(
    tmp_path: Path, separator: str, index: bool, hours: list[tuple[int, int]], start: int, length: int
) -> None:
    """The rows of a range are the same as when instants are compared, however the times are written."""
    hour = dt.timedelta(hours=1)
    rows = [row(i, (START + at * hour).astimezone(dt.timezone(offset * hour))) for i, (at, offset) in enumerate(hours)]
    begin, end = START + start * hour, START + (start + length) * hour
    url = sqlite_text(tmp_path, rows, separator=separator, index=index)

    expected = [found["id"] for found in rows if begin <= found["timestamp"] < end]
    assert expected == sorted((r["id"] for r in read(tmp_path, url, begin, end)), key=lambda name: int(name[1:]))


def test_a_missing_source_is_named_without_the_path_of_this_machine(tmp_path: Path) -> None:
    """The message holds the path relative to the repository, and where it is configured."""
    with pytest.raises(DataError) as caught:
        open_source("local/monitoring.db", DATA, tmp_path)

    assert "There is no local/monitoring.db." == caught.value.what
    assert str(tmp_path) not in str(caught.value)
    assert "MONITORING_URL" in caught.value.fix
    assert 3 == caught.value.exit_code


@pytest.mark.parametrize("url", ["mysql://me:hidden@host/base", "sqlite://me:hidden@host/base", "rows.txt"])
def test_other_kinds_of_source_are_refused_without_showing_a_password(tmp_path: Path, url: str) -> None:
    """What cannot be read is a mistake in the config, and the address may be secret."""
    (tmp_path / "rows.txt").write_text("id\n")
    with pytest.raises(ConfigError) as caught:
        open_source(url, DATA, tmp_path)
    assert "hidden" not in str(caught.value)


def test_paths_and_urls_name_the_same_file(tmp_path: Path) -> None:
    """A path relative to the repository, an absolute one, and URLs of either kind."""
    odd = tmp_path / "a folder?#%"
    odd.mkdir()
    sqlite_text(odd, [row(0, START)])
    for url in (
        "a folder?#%/rows.db",
        str(odd / "rows.db"),
        "sqlite:///a folder?#%/rows.db",
        f"sqlite:///{odd}/rows.db",
        f"file://{odd}/rows.db",
    ):
        assert 1 == len(read(tmp_path, url, START, None))
