"""What is logged is what the nights read, once, however often and from wherever it is logged."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet as pq

from core.config.model import Columns, Data
from core.errors import ConfigError, DataError, OutsideError
from monitoring.prediction_log.log import PredictionLog, open_log
from monitoring.sources.source import open_source
from tests import postgres

BEGIN = dt.datetime(2013, 3, 4, 10, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DATA = Data(
    source="rows",
    table="Odd table",
    columns=Columns(id="id", labelled_at="known", version="version"),
    numeric=("wind",),
    categorical=("town",),
)
NAMES = [*DATA.roles, *DATA.features]
Places = Callable[[], tuple[str, Path]]


@pytest.fixture(params=["sqlite", "parquet", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    """New and empty places of one kind: their addresses, and the repository."""
    numbers = iter(range(10**6))

    def new() -> tuple[str, Path]:
        if request.param == "postgresql":
            return postgres.fresh(), tmp_path
        kind = ".db" if request.param == "sqlite" else ""
        return f"rows{next(numbers)}{kind}", tmp_path

    return new


def row(name: object, hour: int = 0, **features: object) -> dict[str, Any]:
    """A row to log."""
    return {"id": name, "timestamp": BEGIN + hour * HOUR, "wind": 1.5, "town": "ANC", **features}


def read(url: str, root: Path) -> list[dict[str, Any]]:
    """The rows as a night reads them, by id."""
    source = open_source(url, DATA, root)
    found = [one for batch in source.batches(NAMES, BEGIN - 99 * HOUR, None) for one in batch.to_pylist()]
    return sorted(({name: one.get(name) for name in NAMES} for one in found), key=lambda one: one["id"])


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=9)
logged = st.lists(
    st.tuples(texts, st.integers(0, 60), st.none() | st.floats(allow_nan=False), st.none() | texts, st.floats(0, 1)),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one[0],
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logged)
def test_rows_come_back_as_they_were_logged(place: Places, rows: list[tuple[Any, ...]]) -> None:
    """Numbers, texts, nulls, times and scores of any kind are read back, also when a batch is logged twice."""
    url, root = place()
    log = open_log(url, DATA, root)
    for _ in range(2):
        log.predictions([row(n, h, wind=w, town=t) for n, h, w, t, _ in rows], [r[-1] for r in rows], 3)

    assert read(url, root) == sorted(
        [
            {"id": n, "timestamp": BEGIN + h * HOUR, "wind": w, "town": t, "prediction": s, "version": "3",
             "actual": None, "known": None}
            for n, h, w, t, s in rows
        ],
        key=lambda one: one["id"],
    )  # fmt: skip


def test_an_id_keeps_its_first_row(place: Places) -> None:
    """A second row with the same id, in the same batch or later, changes nothing; rows beside it are added."""
    url, root = place()
    log = open_log(url, DATA, root)
    log.predictions([row("a"), row("a", wind=9.0)], [0.1, 0.2], 1)
    log.predictions([row("a", wind=8.0), row("b", 1)], [0.3, 0.4], 2)

    assert [("a", 1.5, 0.1, "1"), ("b", 1.5, 0.4, "2")] == [
        (one["id"], one["wind"], one["prediction"], one["version"]) for one in read(url, root)
    ]


def test_labels_come_later_and_can_be_corrected(place: Places) -> None:
    """A label gets its time; the same label again keeps that time; another one replaces both; unknown ids are told."""
    url, root = place()
    log = open_log(url, DATA, root)
    log.predictions([row("a"), row("b", 30)], [0.1, 0.2], 1)
    found = []
    for n, labels in enumerate([{"a": 1}, {"a": 1, "b": 0, "c": 1}, {"a": 0}]):
        unknown = log.labels(labels, BEGIN + n * HOUR)
        found.append((unknown, [(one["actual"], one["known"]) for one in read(url, root)]))

    assert [
        ([], [(1, BEGIN), (None, None)]),
        (["c"], [(1, BEGIN), (0, BEGIN + HOUR)]),
        ([], [(0, BEGIN + 2 * HOUR), (0, BEGIN + HOUR)]),
    ] == found


WRONG: dict[str, tuple[list[dict[str, Any]], list[float], str]] = {
    "no id": ([row("a"), row(None)], [0.1, 0.2], "1 rows have no 'id'"),
    "no time": ([row("a"), {"id": "b"}], [0.1, 0.2], "1 rows have no 'timestamp'"),
    "text for a number": ([row("a"), row("b", wind="strong")], [0.1, 0.2], "'wind' holds a value that is not a double"),
    "another column": ([row("a"), row("b", rain=1)], [0.1, 0.2], "'rain'"),
    "a score too few": ([row("a"), row("b")], [0.1], "2 rows have 1 scores"),
}


@pytest.mark.parametrize(("rows", "scores", "said"), WRONG.values(), ids=WRONG)
def test_a_batch_with_a_bad_row_is_not_logged(
    place: Places, rows: list[dict[str, Any]], scores: list[float], said: str
) -> None:
    """One bad row, and none of its batch is written; the error names the column and no value."""
    url, root = place()
    log = open_log(url, DATA, root)
    log.predictions([row("first")], [0.5], 1)
    with pytest.raises(DataError) as caught:
        log.predictions(rows, scores, 1)

    assert said in caught.value.what
    assert "strong" not in str(caught.value)
    assert ["first"] == [one["id"] for one in read(url, root)]


@pytest.mark.parametrize(
    ("labels", "at"),
    [
        ({"a": 2}, BEGIN),
        ({"a": 2**70}, BEGIN),
        ({"a": 1.0}, BEGIN),
        ({"a": None}, BEGIN),
        ({"a": "1"}, BEGIN),
        ({"a": 1}, BEGIN.replace(tzinfo=None)),
    ],
)
def test_a_bad_label_is_refused(tmp_path: Path, labels: dict[str, Any], at: dt.datetime) -> None:
    """Other labels than 0 and 1, and times without a zone, are errors, and no label is written."""
    log = open_log("rows.db", DATA, tmp_path)
    log.predictions([row("a")], [0.1], 1)
    with pytest.raises(DataError):
        log.labels(labels, at)
    assert [None] == [one["actual"] for one in read("rows.db", tmp_path)]


def test_writers_side_by_side_lose_nothing(place: Places) -> None:
    """Four writers log the same hundred rows and their labels at once: each row and label is there once."""
    url, root = place()
    open_log(url, DATA, root)
    logs: list[PredictionLog] = [open_log(url, DATA, root) for _ in range(4)]

    def write(log: PredictionLog, number: int) -> None:
        for n in range(number, 100 + number, 10):
            log.predictions([row(f"{m % 100:02}") for m in range(n, n + 10)], [0.5] * 10, 1)
        log.labels({f"{n:02}": n % 2 for n in range(100)}, BEGIN)

    threads = [threading.Thread(target=write, args=(log, 25 * number)) for number, log in enumerate(logs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [(f"{n:02}", n % 2) for n in range(100)] == [(one["id"], one["actual"]) for one in read(url, root)]


def test_what_cannot_be_written_says_so(tmp_path: Path) -> None:
    """A warehouse is not written to, and a table with other columns is an outside failure, without a value in it."""
    with pytest.raises(ConfigError, match="snowflake"):
        open_log("snowflake://user:secret@account/base", DATA, tmp_path)
    other = DATA.model_copy(update={"numeric": ("rain",)})
    open_log("rows.db", DATA, tmp_path)
    with pytest.raises(OutsideError):
        open_log("rows.db", other, tmp_path).predictions([{"id": "a", "timestamp": BEGIN, "rain": 1.0}], [0.1], 1)


OTHERS: dict[str, tuple[dict[str, Any], list[Any], list[Any], list[Any]]] = {
    "multiclass": ({"classes": ("no", "yes")}, ["no", "yes"], ["yes", "no"], ["maybe", 1, None, "\ud800"]),
    "regression": ({"label_range": (0.0, 9.0)}, [1.5, -2.0], [3, 0.25], [9.5, "1", float("nan"), 10**400, None]),
}


@pytest.mark.parametrize("task", OTHERS)
def test_other_tasks_are_logged_as_they_are_said(place: Places, task: str) -> None:
    """Names of classes, or numbers, come back as they went in; a label that cannot be one is refused, unwritten."""
    update, said, true, wrong = OTHERS[task]
    data, (url, root) = DATA.model_copy(update=update), place()
    log = open_log(url, data, root)
    log.predictions([row("a"), row("b", 30)], said, 1)
    assert [] == log.labels(dict(zip("ab", true, strict=True)), BEGIN)
    for label in wrong:
        with pytest.raises(DataError):
            log.labels({"a": label}, BEGIN)

    kept = open_source(url, data, root).batches(["prediction", "actual"], BEGIN - HOUR, None)
    rows = [one for batch in kept for one in batch.to_pylist()]
    assert sorted(zip(said, true, strict=True)) == sorted((one["prediction"], one["actual"]) for one in rows)


def test_a_table_of_to_sql_is_told_what_it_lacks(place: Places) -> None:
    """The error names the column or index that is missing and the statement that adds it; with both, it is written."""
    url, root = place()
    kinds = 'id text, timestamp text, wind real, town text, prediction real, actual integer, "known" text'
    if url.startswith("postgres"):
        kinds = kinds.replace("real", "float8").replace("timestamp text, w", "timestamp timestamptz, w")
        kinds = kinds.replace('"known" text', '"known" timestamptz')

    def run(statement: str) -> None:
        if url.startswith("postgres"):
            postgres.execute(url, statement)
        else:
            with closing(sqlite3.connect(root / url)) as database, database:
                database.execute(statement)

    if not url.startswith("postgres") and not url.endswith(".db"):
        return  # a folder of Parquet files has neither indexes nor columns to add
    run(f'CREATE TABLE "Odd table" ({kinds})')
    for what in ("has no column 'version'", "has no unique index on 'id'"):
        with pytest.raises(OutsideError, match=what) as caught:
            open_log(url, DATA, root)
        run(caught.value.fix.removeprefix("Run in the database: ").partition(";")[0])
    log = open_log(url, DATA, root)
    log.predictions([row("a")], [0.1], 1)
    assert [] == log.labels({"a": 1}, BEGIN)
    assert [("a", 1)] == [(kept["id"], kept["actual"]) for kept in read(url, root)]


@pytest.mark.parametrize("name", ["rows.csv", "rows.CSV", "rows.csv.gz", "rows.parquet", "folder"])
def test_what_cannot_be_added_to_is_refused_with_a_way_out(tmp_path: Path, name: str) -> None:
    """A file, or a folder with CSV files, is a source and no log: the error names the command that moves it."""
    place = tmp_path / name / "a.csv" if name == "folder" else tmp_path / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("id,timestamp\n")
    with pytest.raises(ConfigError, match=f"cannot be logged to {name}") as caught:
        open_log(name, DATA, tmp_path)
    assert "mlops import --from" in caught.value.fix


def test_values_are_logged_as_the_sources_spell_them(place: Places) -> None:
    """Native types of JSON and numpy become the number or text that training read from other sources."""
    url, root = place()
    log = open_log(url, DATA, root)
    log.predictions([row(7, wind=True, town=True), row("b", wind=2, town=3.0), row("c", town="False")], [0.1] * 3, 1)
    log.predictions([row("d", wind=np.float32(0.5), town=np.int64(4))], np.array([0.25]), 1)
    assert [] == log.labels({"7": True, "b": np.int64(0)}, BEGIN)

    rows = read(url, root)
    assert ["7", "b", "c", "d"] == [kept["id"] for kept in rows]
    assert [1.0, 2.0, 1.5, 0.5] == [kept["wind"] for kept in rows]
    assert ["1", "3", "False", "4"] == [kept["town"] for kept in rows]
    assert [1, 0, None, None] == [kept["actual"] for kept in rows]


def test_labels_of_numbered_classes_may_be_numbers(tmp_path: Path) -> None:
    """A class "1" is the label 1 of JSON, and 1.0 of a column with nulls."""
    log = open_log("rows.db", DATA.model_copy(update={"classes": ("0", "1", "2")}), tmp_path)
    log.predictions([row(name) for name in "abc"], ["1", "0", "2"], 1)
    assert [] == log.labels({"a": 1, "b": 2.0, "c": "0"}, BEGIN)
    assert ["1", "2", "0"] == [kept["actual"] for kept in read("rows.db", tmp_path)]


def test_rows_of_a_source_are_stored_in_their_one_spelling(tmp_path: Path) -> None:
    """Booleans, NaN, whole floats and numbers of versions are stored as the log writes them."""
    columns = Columns(id="id", time="timestamp", version="version")
    data = Data(source="rows", columns=columns, numeric=("wind",), categorical=("kind",))
    log = open_log("rows", data, tmp_path)
    times = pa.array([BEGIN, BEGIN], pa.timestamp("us", "UTC"))
    values = {"id": pa.array([7.0, 8.0]), "timestamp": times, "kind": pa.array([True, None]).dictionary_encode()}
    more = {"wind": pa.array([1, None]), "actual": pa.array([1.0, float("nan")]), "version": pa.array([3.0, None])}
    for _ in range(2):
        log.history(pa.record_batch({**values, **more}))
    kept = pq.read_table(tmp_path / "rows").drop_columns(["timestamp"]).to_pylist()

    expected = {"id": "7", "wind": 1.0, "kind": "1", "prediction": None, "version": "3", "actual": 1}
    assert [expected, dict.fromkeys(expected) | {"id": "8"}] == sorted(kept, key=lambda row: row["id"])
    with pytest.raises(DataError, match="1 rows have no 'id'"):
        log.history(pa.record_batch({**values, **more, "id": pa.array(["9", None])}))
    with pytest.raises(DataError, match="'actual' holds a value that is not a int64"):
        log.history(pa.record_batch({**values, **more, "actual": pa.array([0.5, 1.0])}))
