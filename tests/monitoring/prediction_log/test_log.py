"""What is logged is what the nights read, once, however often and from wherever it is logged."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
