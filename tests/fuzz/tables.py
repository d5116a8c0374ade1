"""Make monitoring tables: good ones in every form a feed may write, and ones whose columns hold anything at all."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import decimal
import io
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from core.config.settings import parse_config

CONFIG = parse_config(
    """
task = "binary"
registry_name = "m"
[data]
source = "t.parquet"
table = "predictions"
columns = { id = "id", labelled_at = "labelled_at", version = "version" }
numeric = ["x"]
categorical = ["c"]
[triggers.drift]
min_rows = 1
[triggers.performance]
min_labels = 1
""",
    "m",
)
NIGHT = dt.datetime(2013, 3, 15, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
MOMENT = "2013-03-10T00:00:00Z"
ZONES = (None, "UTC", "+05:30", "America/New_York")
UNITS = ("s", "ms", "us", "ns")
INT64 = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(max_size=8) | st.sampled_from(
    ("1", "nan", "2013-03-04", MOMENT, "0000-00-00", "9999-12-31T23:59:59-14:00")
)
LARGE = st.decimals(-(10**30), 10**30, places=5)


def typed(kind: pa.DataType, values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[pa.DataType, Any]]:
    """A type of Arrow, with how its values are made."""
    return st.just((kind, values | st.none()))


# Times, days and spans are made from the whole numbers that stand for them: Python has no name for most of them.
KINDS = st.one_of(
    typed(pa.null(), st.none()),
    typed(pa.bool_(), st.booleans()),
    *(typed(getattr(pa, f"int{n}")(), st.integers(-(2 ** (n - 1)), 2 ** (n - 1) - 1)) for n in (8, 16, 32, 64)),
    *(typed(getattr(pa, f"uint{n}")(), st.integers(0, 2**n - 1)) for n in (8, 64)),
    typed(pa.float16(), st.floats(width=16).map(np.float16)),
    typed(pa.float32(), st.floats(width=32)),
    typed(pa.float64(), st.floats()),
    typed(pa.decimal128(38, 5), LARGE),
    typed(pa.decimal256(76, 10), LARGE),
    typed(pa.string(), TEXTS),
    typed(pa.large_string(), TEXTS),
    typed(pa.string_view(), TEXTS),
    typed(pa.binary(), st.binary(max_size=8)),
    typed(pa.binary(4), st.binary(min_size=4, max_size=4)),
    typed(pa.binary_view(), st.binary(max_size=8)),
    *(typed(pa.timestamp(unit, zone), INT64) for unit in UNITS for zone in ZONES),
    *(typed(pa.duration(unit), INT64) for unit in UNITS),
    typed(pa.date32(), st.integers(-(2**31), 2**31 - 1)),
    typed(pa.time64("ns"), st.integers(0, 86_400 * 10**9 - 1)),
    typed(pa.list_(pa.int64()), st.lists(INT64, max_size=2)),
    typed(pa.struct([("a\n::error::", pa.int64())]), st.just({})),
    typed(pa.map_(pa.string(), pa.int64()), st.just([("a", 1)])),
    typed(pa.uuid(), st.binary(min_size=16, max_size=16)),
)


@st.composite
def columns(draw: st.DrawFn, rows: int) -> pa.Array:
    """A column of any type and any values of it, sometimes as a dictionary."""
    kind, values = draw(KINDS)
    whole = pa.types.is_timestamp(kind) or pa.types.is_duration(kind) or pa.types.is_date(kind)
    stored = pa.int32() if kind == pa.date32() else pa.int64() if whole else getattr(kind, "storage_type", kind)
    found = pa.array(draw(st.lists(values, min_size=rows, max_size=rows)), stored)
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, found)
    found = found.view(kind) if whole else found
    plain = pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_timestamp(kind)
    return found.dictionary_encode() if plain and draw(st.booleans()) else found


def good(rows: int) -> dict[str, pa.Array]:
    """A table of our own form, by column; the rows are seven hours apart."""
    times = pa.array([NIGHT - (7 * number + 1) * HOUR for number in range(rows)], pa.timestamp("us", "UTC"))
    return {
        "id": pa.array([f"i{number}" for number in range(rows)], pa.string()),
        "timestamp": times,
        "prediction": pa.array([number % 10 / 10 for number in range(rows)], pa.float64()),
        "actual": pa.array([number % 2 for number in range(rows)], pa.int64()),
        "labelled_at": times,
        "version": pa.array(["1"] * rows, pa.string()),
        "x": pa.array(range(rows), pa.float64()),
        "c": pa.array(["ab"[number % 2] for number in range(rows)], pa.string()),
    }


@st.composite
def odd_tables(draw: st.DrawFn) -> pa.Table:
    """A table with up to three columns of any type, and perhaps one that is missing, there twice, or foreign."""
    rows = draw(st.integers(0, 6))
    found = good(rows)
    for name in draw(st.lists(st.sampled_from(sorted(found)), max_size=3, unique=True)):
        found[name] = draw(columns(rows))
    names = [*found]
    change, name = draw(st.sampled_from(("none", "twice", "missing", "foreign"))), draw(st.sampled_from(names))
    if change == "missing":
        names.remove(name)
    elif change == "twice":
        names.append(name)
    arrays = [found[one] for one in names]
    if change == "foreign":
        names.append(draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=5)))
        arrays.append(draw(columns(rows)))
    return pa.table(arrays, names=names)


CELLS = st.one_of(
    st.none(),
    INT64,
    st.floats(),
    TEXTS,
    st.binary(max_size=5),
    st.sampled_from((1362900000, 1362900000.5, 2**62, -(2**59), -1e300, "0001-01-01T00:00:00+14:00", "10000-01-01")),
)


@st.composite
def loose_rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows as SQLite keeps them: some columns may hold a value of another type in each row."""
    usual = {
        "id": "a",
        "timestamp": MOMENT,
        "prediction": 0.5,
        "actual": 1,
        "labelled_at": MOMENT,
        "version": "1",
        "x": 1.0,
        "c": "a",
    }
    odd = draw(st.sets(st.sampled_from(sorted(usual)), max_size=3))
    rows = st.fixed_dictionaries({name: CELLS if name in odd else st.just(value) for name, value in usual.items()})
    return draw(st.lists(rows, max_size=5))


def write_sqlite(path: Path, rows: Sequence[Mapping[str, Any]], kinds: Sequence[str]) -> None:
    """Write rows into the table `predictions`, whose columns are declared as `kinds`."""
    names = [*good(0)]
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE predictions ({', '.join(map(' '.join, zip(names, kinds, strict=True)))})")
        places = ", ".join("?" * len(names))
        for row in rows:
            # Lone surrogates and integers beyond 64 bits are none of SQLite's values.
            with contextlib.suppress(UnicodeEncodeError, OverflowError):
                database.execute(f"INSERT INTO predictions VALUES ({places})", [row[name] for name in names])  # noqa: S608


def as_csv(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows as the text of a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([["" if value is None else value for value in row] for row in rows])
    return text.getvalue()


def decimal_of(value: float) -> decimal.Decimal:
    """A float with five digits after the point."""
    return decimal.Decimal(repr(value)).quantize(decimal.Decimal("0.00001"))
