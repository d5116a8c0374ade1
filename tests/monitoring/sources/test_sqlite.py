from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from core.config.model import Data
from core.errors import DataError
from monitoring.sources import sqlite
from monitoring.sources.source import Source, open_source

START = dt.datetime(2013, 3, 4, tzinfo=dt.UTC)
DATA = Data(source="rows.db", table="predictions", numeric=("wind",), categorical=("town",))
NOW = "2013-03-04T10:15:00Z"


def fill(path: Path, rows: Iterable[tuple[Any, ...]], columns: str = "id, timestamp, wind, town") -> Path:
    """A database with one table."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute(f"CREATE TABLE predictions ({columns})")
        database.executemany("INSERT INTO predictions VALUES (?, ?, ?, ?)", rows)
    return path


def opened(path: Path, **other: Any) -> Source:
    """The source at a path, with a config changed in some places."""
    return open_source(path.name, DATA.model_copy(update=other), path.parent, patience=0.01)


def read(source: Source, end: dt.datetime | None = None) -> list[pa.RecordBatch]:
    """All batches from the start on."""
    return list(source.batches(["id", "wind", "town"], START, end))


def test_a_missing_table_is_an_error_that_names_the_tables(tmp_path: Path) -> None:
    """The tables and views that are there are listed; one alone needs no name."""
    path = fill(tmp_path / "rows.db", [("a", NOW, 1.0, "ANC")])
    assert 1 == len(read(opened(path, table=None)))
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE VIEW latest AS SELECT * FROM predictions")

    assert 1 == len(read(opened(path, table="latest")))
    for table, said in (("scores", "rows.db has no table 'scores'."), (None, "rows.db has 2 tables.")):
        with pytest.raises(DataError) as caught:
            opened(path, table=table)
        assert said == caught.value.what
        assert "latest, predictions" in caught.value.why


def test_what_is_no_database_is_an_error(tmp_path: Path) -> None:
    """Other files, damaged ones, folders and empty files are named, with a step to take."""
    (tmp_path / "text.db").write_text("secret" * 1000)
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "empty.db").touch()
    whole = fill(tmp_path / "whole.db", [(f"r{i}", NOW, 1.0, "ANC" * 100) for i in range(200)]).read_bytes()
    (tmp_path / "damaged.db").write_bytes(whole[:5000] + b"\xff" * (len(whole) - 5000))

    for name in ("text.db", "folder.db", "empty.db", "damaged.db"):
        with pytest.raises(DataError, match=name) as caught:
            read(opened(tmp_path / name))
        assert "secret" not in str(caught.value)
        assert caught.value.why
        assert caught.value.fix


def test_a_locked_database_is_an_error_after_the_patience(tmp_path: Path) -> None:
    """A writer that holds the file is waited for, and not for ever."""
    path = fill(tmp_path / "rows.db", [("a", NOW, 1.0, "ANC")])
    source = opened(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DataError, match=r"rows.db is locked: no answer in 0.01 s"):
            read(source)
        with pytest.raises(DataError, match="is locked"):
            opened(path)


def test_reading_never_writes(tmp_path: Path) -> None:
    """The file is opened read-only: it stays as it is, and no other file appears beside it."""
    path = fill(tmp_path / "rows.db", [("a", NOW, 1.0, "ANC")])
    before = path.read_bytes()
    source = opened(path)
    read(source)
    source.latest()

    assert before == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_names_are_quoted(tmp_path: Path) -> None:
    """Columns may be named like keywords or hold blanks, and nothing in a name runs as SQL."""
    path = fill(tmp_path / "rows.db", [("a", NOW, 1.0, 'x"y')], 'id, timestamp, "select from", "a "" quote"')
    (batch,) = opened(path).batches(["select from", 'a " quote', 'x"; DROP TABLE predictions; --'], START, None)

    assert [{"select from": 1.0, 'a " quote': 'x"y'}] == batch.to_pylist()


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_batches_of_any_size_hold_the_same_rows(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many rows are fetched at once changes nothing."""
    monkeypatch.setattr(sqlite, "BATCH", size)
    rows = [(f"r{i}", NOW, "text" if i % 5 == 0 else i, i if i % 3 == 0 else "ANC") for i in range(20)]
    path = fill(tmp_path / "rows.db", rows)
    batches = read(opened(path))

    assert {f"r{i}" for i in range(20)} == {name for batch in batches for name in batch.column("id").to_pylist()}
    texts = [b.column("id").to_pylist() for b in batches if b.column("wind").type == pa.string()]
    assert {"r0", "r5", "r10", "r15"} == {name for names in texts for name in names}


def test_numbers_and_text_keep_apart_where_a_column_mixes_them(tmp_path: Path) -> None:
    """Bytes, huge integers and mixed categories arrive as what they are, and null fits everywhere."""
    rows = [
        ("int", NOW, 1, "ANC"),
        ("huge", NOW, 2**60 + 1, 12),
        ("float", NOW, 0.5, 2.5),
        ("inf", NOW, float("inf"), None),
        ("null", NOW, None, b"BGR"),
        ("bytes", NOW, b"\x00\x01", "ANC"),
    ]
    batches = read(opened(fill(tmp_path / "rows.db", rows)))
    found = {
        row["id"]: (
            str(batch.schema.field("wind").type),
            row["wind"],
            str(batch.schema.field("town").type),
            row["town"],
        )
        for batch in batches
        for row in batch.to_pylist()
    }

    assert {
        "int": ("double", 1.0, "string", "ANC"),
        "huge": ("double", 2.0**60, "double", 12.0),
        "float": ("double", 0.5, "double", 2.5),
        "inf": ("double", float("inf"), "double", None),
        "null": ("double", None, "binary", b"BGR"),
        "bytes": ("binary", b"\x00\x01", "string", "ANC"),
    } == found


def test_columns_of_nulls_have_a_type(tmp_path: Path) -> None:
    """A numeric column stays numeric and a category text on a night without values."""
    (batch,) = read(opened(fill(tmp_path / "rows.db", [("a", NOW, None, None)])))

    assert [pa.string(), pa.float64(), pa.string()] == batch.schema.types


@pytest.mark.parametrize(
    "odd",
    ["n/a", "04.03.2013", "2013/03/04", "20130304T101500Z", "2013-3-4", "", " 2013-03-04", 1362391500, b"2013-03-04"],
    ids=repr,
)
@pytest.mark.parametrize("end", [None, START + dt.timedelta(days=1)], ids=["open", "closed"])
def test_times_in_another_form_are_seen_wherever_they_sort(
    tmp_path: Path, odd: object, end: dt.datetime | None
) -> None:
    """Such a row would lie in no range of ISO dates: it stops the night and is not left out in silence."""
    rows = [("a", NOW, 1.0, "ANC"), ("b", odd, 1.0, "secret"), ("c", "2014-01-31T10:15:00Z", 1.0, "ANC")]
    with pytest.raises(DataError, match="timestamp") as caught:
        read(opened(fill(tmp_path / "rows.db", rows)), end)
    assert "secret" not in str(caught.value)


def test_seconds_are_compared_as_numbers(tmp_path: Path) -> None:
    """Whole and broken seconds count, ten digits or nine; milliseconds are refused."""
    start = int(START.timestamp())
    path = fill(tmp_path / "rows.db", [("a", start - 1, 1.0, ""), ("b", start, 1.0, ""), ("c", start + 0.5, 1.0, "")])
    assert ["b", "c"] == read(opened(path))[0].column("id").to_pylist()
    assert ["b"] == read(opened(path), START + dt.timedelta(seconds=0.5))[0].column("id").to_pylist()
    assert START + dt.timedelta(seconds=0.5) == opened(path).latest()

    (tmp_path / "more").mkdir()
    with pytest.raises(DataError, match="milliseconds"):
        read(opened(fill(tmp_path / "more" / "rows.db", [("a", start * 1000, 1.0, "")])))


def test_times_without_zone_need_the_setting(tmp_path: Path) -> None:
    """Naive text is refused, or UTC where data.timezone says so."""
    path = fill(tmp_path / "rows.db", [("a", "2013-03-04 10:15:00", 1.0, "ANC")])
    with pytest.raises(DataError, match="no time zone"):
        read(opened(path))
    assert 1 == len(read(opened(path, timezone="UTC")))


def test_text_that_is_not_utf8_is_an_error_without_the_text(tmp_path: Path) -> None:
    """The column is named, the value is not."""
    path = fill(tmp_path / "rows.db", [("a", NOW, 1.0, "ANC")])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE predictions SET town = CAST(x'736563726574ff' AS TEXT)")
    with pytest.raises(DataError, match="'town'") as caught:
        read(opened(path))
    assert "secret" not in str(caught.value)
