"""One value has one spelling: the same logical table gives the same counts and training rows from every source."""

from __future__ import annotations

import csv
import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from core.config.model import Columns, Data
from monitoring.axes.axis import Axis, CategoricalAxis, fit_categorical
from monitoring.counting.tally import DayTally, count
from monitoring.prediction_log import open_log
from monitoring.sources.source import open_source
from monitoring.tasks import task_for_data
from tests import postgres
from training.digest import data_digest
from training.frame import labelled_frame

UTC = dt.UTC
START = dt.datetime(2024, 3, 4, tzinfo=UTC)
DATA = Data(
    source="rows",
    table="rows",
    columns=Columns(id="id", version="version"),
    numeric=("wind", "wet_before"),
    categorical=("wet", "code", "town"),
)
CLASSES = DATA.model_copy(update={"classes": ("1", "2", "3")})
NAMES = ("id", "timestamp", "wind", "wet_before", "wet", "code", "town", "prediction", "version", "actual")
AXES: dict[str, Axis] = {
    "wet": CategoricalAxis(levels=("0", "1")),
    "code": CategoricalAxis(levels=("1", "2", "3")),
    "town": CategoricalAxis(levels=("ANC", "BGR")),
}
INSERT = "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
Row = dict[str, Any]
Maker = Callable[[Path, list[Row], Data], str]


def table(*, classes: bool) -> list[Row]:
    """Rows with 64-bit ids, booleans, codes, and nulls in every column that may have some."""
    return [
        {
            "id": 2**60 + number,
            "timestamp": START + number * dt.timedelta(minutes=10),
            "wind": None if number % 5 == 0 else number / 8,
            "wet_before": number % 4 == 0,
            "wet": None if number % 9 == 0 else number % 2 == 0,
            "code": None if number % 7 == 0 else number % 3 + 1,
            "town": None if number % 11 == 0 else ("ANC", "BGR")[number % 2],
            "prediction": number % 3 + 1 if classes else number / 64,
            "version": None if number < 10 else number % 2 + 1,
            "actual": None if number % 6 == 0 else number % 3 + 1 if classes else number % 3 == 0,
        }
        for number in range(60)
    ]


def pandas_csv(root: Path, rows: list[Row], data: Data) -> str:
    """A CSV file as pandas writes it: True and False, and 1.0 in columns with nulls."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(rows).astype({"code": float, "version": float})
    if data.classes:
        frame = frame.astype({"actual": float})
    assert "1.0" in frame.to_csv()
    frame.to_csv(root / "rows.csv", index=False)
    return "rows.csv"


def excel_csv(root: Path, rows: list[Row], data: Data) -> str:
    """A CSV file of a European office program: UTF-16, semicolons, decimal commas, CR LF, TRUE and FALSE."""
    del data

    def text(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).upper()
        return "" if value is None else str(value).replace(".", ",") if isinstance(value, float) else str(value)

    with (root / "rows.CSV").open("w", encoding="utf-16", newline="") as file:
        writer = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL)
        writer.writerow(NAMES)
        writer.writerows([[text(row[name]) for name in NAMES] for row in rows])
    return "rows.CSV"


def parquet_file(root: Path, rows: list[Row], data: Data) -> str:
    """A Parquet file with booleans, floats for codes with nulls, and versions as decimals."""
    columns = {name: [row[name] for row in rows] for name in NAMES}
    columns["version"] = [number and Decimal(number) for number in columns["version"]]
    types = {"code": pa.float32(), "version": pa.decimal128(9, 2), "prediction": pa.float64()}
    if data.classes:
        types |= {"actual": pa.float64()}
    arrays = {name: pa.array(values, types.get(name)) for name, values in columns.items()}
    parquet.write_table(pa.table(arrays), root / "rows.pq")
    return "rows.pq"


def sqlite_table(root: Path, rows: list[Row], data: Data) -> str:
    """A SQLite table as to_sql writes it: booleans are 0 and 1; versions are text, in several spellings."""
    del data
    with closing(sqlite3.connect(root / "rows.db")) as database, database:
        database.execute(f"CREATE TABLE rows ({', '.join(NAMES)})")
        for number, row in enumerate(rows):
            version = row["version"] and f"{['', ' ', '0'][number % 3]}{row['version']}{['', '.0'][number // 2 % 2]}"
            values = {**row, "version": version, "timestamp": row["timestamp"].isoformat()}
            database.execute(INSERT, [values[name] for name in NAMES])
    return "rows.db"


def postgres_table(root: Path, rows: list[Row], data: Data) -> str:
    """A table with bigint, boolean, smallint and numeric columns."""
    del root
    url = postgres.fresh()
    outcome = "smallint" if data.classes else "boolean"
    kinds = (
        "id bigint, timestamp timestamptz, wind float8, wet_before boolean, wet boolean, code smallint, town text, "
        f"prediction {'numeric' if data.classes else 'float8'}, version numeric(9, 2), actual {outcome}"
    )
    postgres.execute(url, f"CREATE TABLE rows ({kinds})")
    postgres.execute(url, *(postgres.insert("rows", list(row.values())) for row in rows))
    return url


def service(root: Path, rows: list[Row], data: Data) -> str:
    """What a service logs of JSON: native types, labels later."""
    log = open_log("log.db", data, root)
    for row in rows:
        # Features come as JSON has them; the version is the registered one, so rows without one cannot be logged.
        features = {name: row[name] for name in ("id", "timestamp", *data.features)}
        log.predictions([features], [row["prediction"]], row["version"] or 99)
    assert [] == log.labels({str(row["id"]): row["actual"] for row in rows if row["actual"] is not None}, START)
    return "log.db"


MAKERS: list[Maker] = [pandas_csv, excel_csv, parquet_file, sqlite_table, postgres_table, service]


def counted(root: Path, url: str, data: Data) -> tuple[list[DayTally], str]:
    """The tallies but for the names of types, and the digest of the training rows."""
    source = open_source(url, data, root)
    batches = list(source.batches(NAMES, START, None))
    days = count(batches, AXES, data.columns, version="1", as_of=START + dt.timedelta(days=2), task=task_for_data(data))
    plain = [{name: part.model_copy(update={"types": ()}) for name, part in day.columns.items()} for day in days]
    frame = labelled_frame(batches, data, START + dt.timedelta(days=2))
    return [day.model_copy(update={"columns": part}) for day, part in zip(days, plain, strict=True)], data_digest(frame)


@pytest.mark.parametrize("data", [DATA, CLASSES], ids=["binary", "multiclass"])
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_table_means_the_same_in_every_source(make: Maker, data: Data, tmp_path: Path) -> None:
    """Numbers, booleans, categories, versions and ids of every source give the same counts and the same digest."""
    rows = table(classes=data.classes is not None)
    days, digest = counted(tmp_path, make(tmp_path, rows, data), data)
    expected, expected_digest = counted(tmp_path, parquet_file(tmp_path, rows, data), data)

    assert (expected, expected_digest) == (days, digest)
    assert 60 == sum(day.rows for day in days)
    assert 0 == sum(day.duplicates + day.bad_labels for day in days)
    assert 25 == sum(int(day.scores.array.sum()) for day in days)  # the rows of version 1
    for name in AXES:
        assert 0 == sum(day.columns[name].counts.array[AXES[name].size - 2] for day in days), name  # no other value


@pytest.mark.parametrize(
    ("values", "spelling"),
    [
        (pa.array([1, None]), "1"),
        (pa.array([1.0, None]), "1"),
        (pa.array([True, None]), "1"),
        (pa.array([Decimal("1.00"), None]), "1"),
        (pa.array(["1.0", None]), "1"),
        (pa.array(["True", None]), "1"),
        (pa.array(["FALSE", None]), "0"),
        (pa.array([-0.0, None]), "0"),
        (pa.array([2.0**60, None]), str(2**60)),
        (pa.array([0.5, float("nan")]), "0.5"),
        (pa.array(["01.0", None]), "01"),
        (pa.array(["1.10", None]), "1.10"),
        (pa.array(["v1.0", None]), "v1.0"),
        (pa.array(["tRUE", None]), "tRUE"),
    ],
)
def test_equal_values_are_one_category(values: pa.Array, spelling: str) -> None:
    """A number or boolean is one category however it is stored; other text stays as it is written."""
    assert (spelling,) == fit_categorical(values).levels
    assert [0, 2] == CategoricalAxis(levels=(spelling,)).cells(values)[0].tolist()


def test_baselines_of_earlier_releases_keep_their_categories() -> None:
    """A level that was recorded as "true" or "1.0" still counts the values that are spelled "1" now."""
    for level in ("true", "True", "1.0"):
        assert [0, 0, 1] == CategoricalAxis(levels=(level,)).cells(pa.array(["true", "1", "2"]))[0].tolist()
