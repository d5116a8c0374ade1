from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from core.config.model import Columns, Data
from core.errors import ConfigError, DataError, OutsideError
from monitoring.axes.axis import fit_numeric
from monitoring.counting.tally import DayTally, count
from monitoring.sources.source import Source, open_source
from tests import postgres

UTC = dt.UTC
START = dt.datetime(2013, 3, 4, tzinfo=UTC)
DAY = dt.timedelta(days=1)
DATA = Data(source="rows", table="predictions", numeric=("wind",), categorical=("town",))
NAMES = ["id", "timestamp", "prediction", "actual", "wind", "town"]
TABLE = "id text, timestamp timestamptz, prediction float8, actual int, wind float8, town text"


def filled(kinds: str = TABLE, *rows: tuple[Any, ...]) -> str:
    """The URL of a database with a table of these columns and rows."""
    url = postgres.fresh()
    postgres.execute(url, f"CREATE TABLE predictions ({kinds})", *(postgres.insert("predictions", row) for row in rows))
    return url


def opened(url: str, root: Path = Path(), **other: Any) -> Source:
    """The source at a URL, with a config changed in some places."""
    return open_source(url, DATA.model_copy(update=other), root, patience=0.01)


def read(source: Source, start: dt.datetime = START, end: dt.datetime | None = None) -> list[dict[str, Any]]:
    """The rows of a range."""
    return [row for batch in source.batches(NAMES, start, end) for row in batch.to_pylist()]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("numeric", "12.5", 12.5),
        ("numeric(9, 2)", "-0.25", -0.25),
        ("numeric", "NaN", math.nan),
        ("smallint", 3, 3),
        ("bigint", 2**40, 2**40),
        ("real", 0.5, 0.5),
        ("boolean", True, True),
        ("positive", "2.5", 2.5),
        ("float8", "Infinity", math.inf),
        ("float8", None, None),
        ("text", "strong", "strong"),
    ],
)
def test_numbers_arrive_as_numbers(kind: str, value: object, expected: object) -> None:
    """Whatever PostgreSQL calls it, also by a domain; text in a numeric column stays text, and is seen as such."""
    url = postgres.fresh()
    postgres.execute(
        url,
        "CREATE DOMAIN positive AS numeric(9, 3) CHECK (VALUE > 0)",
        f"CREATE TABLE predictions (id int, timestamp timestamptz, wind {kind})",
        postgres.insert("predictions", (1, START, value)),
    )
    (found,) = read(opened(url))

    assert repr(expected) == repr(found["wind"])


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", 'x"y', 'x"y'),
        ("varchar(9)", "ANC", "ANC"),
        ("mood", "glad", "glad"),
        ("uuid", "b71eb324-0516-4eb4-b1e7-dafb678173ae", "b71eb324-0516-4eb4-b1e7-dafb678173ae"),
        ("numeric(4, 1)", "2.0", "2.0"),
        ("integer", 7, 7),
        ("text", None, None),
    ],
)
def test_categories_and_ids_arrive_as_they_are(kind: str, value: object, expected: object) -> None:
    """Text, enums, uuids and numbers alike, as a feature and as the id."""
    url = postgres.fresh()
    postgres.execute(
        url,
        "CREATE TYPE mood AS ENUM ('glad', 'sad')",
        f"CREATE TABLE predictions (id {kind}, timestamp timestamptz, town {kind})",
        postgres.insert("predictions", (value, START, value)),
    )
    (found,) = read(opened(url))

    assert (expected, expected) == (found["id"], found["town"])


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("timestamptz", ["2013-03-03 23:59:59Z", "2013-03-04 00:00:00Z", "2013-03-05 05:00:00+05:30"]),
        ("timestamp", ["2013-03-03 23:59:59", "2013-03-04 00:00:00", "2013-03-04 23:30:00"]),
        ("date", ["2013-03-03", "2013-03-04", "2013-03-04"]),
        ("bigint", [1362355199, 1362355200, 1362439800]),
        ("float8", [1362355199.5, 1362355200, 1362439800]),
        ("numeric", ["1362355199.999", 1362355200, 1362439800]),
        ("text", ["2013-03-03T23:59:59Z", "2013-03-04 05:00:00+05:00", "2013-03-04T23:30:00Z"]),
    ],
)
def test_times_of_any_kind_are_instants(kind: str, values: list[Any]) -> None:
    """The rows of a day are those of its instants, whatever the column's type and the server's own time zone."""
    url = filled(f"id text, timestamp {kind}", *((f"r{n}", value) for n, value in enumerate(values)))
    postgres.execute(url, "ALTER ROLE postgres SET timezone = 'Asia/Tokyo'")
    try:
        source = opened(url, timezone="UTC")
        assert ["r1", "r2"] == [found["id"] for found in read(source, START, START + DAY)]
        last = START if kind == "date" else START + DAY - dt.timedelta(minutes=30)
        assert last == source.latest()
    finally:
        postgres.execute(url, "ALTER ROLE postgres RESET timezone")


@pytest.mark.parametrize(("kind", "value"), [("timestamp", "2013-03-04 10:15"), ("text", "2013-03-04 10:15")])
def test_times_without_zone_need_the_setting(kind: str, value: str) -> None:
    """Without data.timezone nobody knows which day is meant."""
    url = filled(f"id text, timestamp {kind}", ("a", value))

    with pytest.raises(DataError, match="no time zone"):
        read(opened(url))
    assert 1 == len(read(opened(url, timezone="UTC")))


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        ("text", "04.03.2013"),
        ("text", "2013/03/04"),
        ("text", ""),
        ("text", "20130304T101500Z"),
        ("bigint", 1362391500000),
    ],
)
def test_times_in_another_form_are_seen_wherever_they_sort(kind: str, odd: object) -> None:
    """Such a row would lie in no range: it stops the night and is not left out in silence."""
    good = "2013-03-04T10:15:00Z" if kind == "text" else 1362391500
    url = filled(f"id text, timestamp {kind}", ("a", good), ("b", odd))

    with pytest.raises(DataError, match="1 value in column 'timestamp' cannot be read as a time"):
        read(opened(url), START, START + DAY)


def test_infinite_times_are_no_traceback() -> None:
    """A row at 'infinity' is one of the future; as the newest time it is refused."""
    source = opened(filled("id text, timestamp timestamptz", ("a", START), ("b", "infinity"), ("c", "-infinity")))

    assert ["a"] == [found["id"] for found in read(source, START, START + DAY)]
    with pytest.raises(DataError, match="cannot be read as a time"):
        source.latest()


@pytest.mark.parametrize("kind", ["jsonb", "json", "bytea", "integer[]", "interval", "xid"])
def test_values_with_parts_are_refused_where_they_are_asked_for(kind: str) -> None:
    """The error names the column and its type; a column that nobody asks for may be of any type."""
    url = filled(f"id text, timestamp timestamptz, town {kind}", ("a", START, None))
    source = opened(url)

    assert 1 == sum(batch.num_rows for batch in source.batches(["id"], START, None))
    name = {"integer[]": "_int4"}.get(kind, kind)
    with pytest.raises(DataError, match=f"Column 'town' is {name}, which is not a number, text or time"):
        read(source)


def test_a_column_that_is_no_time_is_refused() -> None:
    """Another column was meant as time."""
    url = filled("id text, timestamp boolean", ("a", True))
    with pytest.raises(DataError, match="'timestamp' of type bool does not hold times"):
        read(opened(url))


def test_types_are_named_as_the_database_has_them() -> None:
    """Whoever reads a message can find the type in the table's definition."""
    url = filled("id uuid, timestamp timestamptz, wind numeric(4, 1), town jsonb")

    assert {"id": "uuid", "timestamp": "timestamptz", "wind": "numeric", "town": "jsonb"} == opened(url).columns


def test_tables_of_any_schema_are_found_and_missing_ones_named() -> None:
    """SCHEMA.TABLE works, views too; the error lists what there is; no table named is a mistake in the config."""
    url = filled(TABLE, ("a", START, 0.5, 1, 2.0, "ANC"))
    postgres.execute(
        url, "CREATE SCHEMA lake", "CREATE VIEW lake.latest AS SELECT * FROM predictions", 'CREATE TABLE "Scores" ()'
    )

    assert 1 == len(read(opened(url, table="lake.latest")))
    for table in ("scores", "latest", "sea.latest"):
        with pytest.raises(DataError) as caught:
            opened(url, table=table)
        assert f"has no table {table!r}" in caught.value.what
        assert "lake.latest, public.Scores, public.predictions" in caught.value.why
    with pytest.raises(ConfigError, match=r"data\.table is missing"):
        opened(url, table=None)


def test_names_are_quoted() -> None:
    """Columns may be named like keywords or hold blanks, and nothing in a name runs as SQL."""
    url = filled('id text, timestamp timestamptz, "select from" float8, "a "" quote" text', ("a", START, 1.0, "x"))
    wanted = ["select from", 'a " quote', 'x"; DROP TABLE predictions; --']
    (batch,) = opened(url).batches(wanted, START, None)

    assert [{"select from": 1.0, 'a " quote': "x"}] == batch.to_pylist()


def test_rows_and_columns_out_of_range_are_not_sent() -> None:
    """The database filters: a value that no float can hold fails the night only where it is asked for."""
    url = filled("id text, timestamp timestamptz, wind numeric", ("a", START, 1), ("b", START + DAY, "1" + "0" * 400))
    source = opened(url)

    assert ["a"] == [found["id"] for found in read(source, START, START + DAY)]
    assert ["a", "b"] == [name for b in source.batches(["id"], START, None) for name in b.column("id").to_pylist()]
    with pytest.raises(DataError, match="beyond the range of a 64-bit float"):
        read(source)


def test_an_index_on_the_time_is_used() -> None:
    """The bounds have the column's own type and are known to the planner, so a night reads a night."""
    url = postgres.fresh()
    postgres.execute(
        url,
        "CREATE TABLE predictions AS SELECT 'r' || n AS id, n * interval '1 minute' + timestamptz '2013-01-01Z' "
        "AS timestamp FROM generate_series(1, 200000) AS n",
        "CREATE INDEX by_time ON predictions (timestamp)",
        "VACUUM ANALYZE predictions",
    )
    touched = "SELECT idx_tup_fetch, seq_tup_read FROM pg_stat_user_tables"
    before = postgres.rows(url, touched)[0]

    assert 1440 == len(read(opened(url), START, START + DAY))
    after = postgres.rows(url, touched)[0]
    assert (1440, 0) == (after[0] - before[0], after[1] - before[1])


def test_labels_that_arrive_while_a_night_is_read_do_not_tear_it() -> None:
    """All batches are of the state when reading began, though rows change and go away in between."""
    url = postgres.fresh()
    postgres.execute(
        url,
        "CREATE TABLE predictions AS SELECT repeat('x', 100) || n AS id, timestamptz '2013-03-04Z' AS timestamp, "
        "0.5 AS prediction, NULL::int AS actual, 1.0 AS wind, 'ANC' AS town FROM generate_series(1, 250000) AS n",
    )
    batches = opened(url).batches(NAMES, START, None)
    found = [next(batches)]
    postgres.execute(url, "UPDATE predictions SET actual = 1", "DELETE FROM predictions WHERE id LIKE '%7'")
    found += list(batches)

    assert len(found) > 1
    assert 250_000 == sum(batch.num_rows for batch in found)
    assert 250_000 == sum(batch.column("actual").null_count for batch in found)


def test_counts_are_those_of_one_state() -> None:
    """A night is counted as if nothing had changed, though labels, rows and values change after its first batch."""
    url = postgres.fresh()
    postgres.execute(
        url,
        "CREATE TABLE predictions AS SELECT repeat('x', 100) || n AS id, timestamptz '2013-03-04Z' AS timestamp, "
        "0.5 AS prediction, CASE WHEN n % 3 = 0 THEN n % 2 END AS actual, n::float8 AS wind, 'ANC' AS town "
        "FROM generate_series(1, 250000) AS n",
    )
    source, axes = opened(url), {"wind": fit_numeric(np.arange(1.0, 250_001.0))}

    def changed_after_the_first(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield next(batches)
        postgres.execute(
            url,
            "UPDATE predictions SET actual = 1, wind = 0",
            "DELETE FROM predictions WHERE id LIKE '%7'",
            "INSERT INTO predictions SELECT 'new' || id, timestamp, prediction, actual, wind, town FROM predictions",
        )
        yield from batches

    def counted(batches: Iterator[pa.RecordBatch]) -> tuple[DayTally, ...]:
        return count(batches, axes, DATA.columns, version=None, as_of=START + 9 * DAY)

    before = counted(source.batches(NAMES, START, None))

    assert before == counted(changed_after_the_first(source.batches(NAMES, START, None)))
    assert before != counted(source.batches(NAMES, START, None))


def test_reading_is_one_read_only_snapshot() -> None:
    """The transaction is repeatable read and refuses to write, whatever a view would do; another one is free to."""
    url = filled(TABLE, ("a", START, 0.5, 1, 2.0, "ANC"))
    state = "current_setting('transaction_isolation') || ', read only ' || current_setting('transaction_read_only')"
    postgres.execute(
        url,
        f"CREATE VIEW state AS SELECT id, timestamp, {state} AS town FROM predictions",  # noqa: S608 - of a test
        "CREATE FUNCTION tick() RETURNS text LANGUAGE sql AS 'DELETE FROM predictions RETURNING id'",
        "CREATE VIEW evil AS SELECT id, timestamp, tick() AS town FROM predictions",
    )

    assert ["repeatable read, read only on"] == [found["town"] for found in read(opened(url, table="state"))]
    with pytest.raises(DataError, match="cannot be read"):
        read(opened(url, table="evil"))
    assert 1 == len(read(opened(url)))


def test_a_table_that_may_not_be_read_is_named() -> None:
    """The role lacks a right, which its owner can give."""
    url = filled(TABLE)
    postgres.execute(url, "DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN")
    postgres.execute(url, f"ALTER ROLE guest PASSWORD '{postgres.PASSWORD}'")
    guest = url.replace("user=postgres", f"user=guest&password={postgres.QUOTED}")

    with pytest.raises(DataError, match="This user may not read"):
        opened(guest)


def test_a_statement_that_takes_too_long_is_stopped() -> None:
    """By the limit that the URL, the role or the server sets; there is one where none of them does."""
    url = filled(TABLE, ("a", START, 0.5, 1, 2.0, "ANC"))
    postgres.execute(
        url,
        "CREATE VIEW slow AS SELECT *, pg_sleep(5) IS NULL AS later FROM predictions",
        "CREATE VIEW limits AS SELECT id, timestamp, current_setting('statement_timeout') AS town FROM predictions",
    )
    short = f"{url}&options=-c%20statement_timeout%3D50"

    with pytest.raises(OutsideError, match=r"predictions|slow") as caught:
        list(opened(short, table="slow").batches(["later"], START, None))
    assert "longer than a statement may take" in caught.value.what
    assert ["30min", "50ms"] == [read(opened(place, table="limits"))[0]["town"] for place in (url, short)]


def test_decimals_and_dictionaries_of_other_drivers_are_read(tmp_path: Path) -> None:
    """The same path serves every driver: DuckDB has decimals, enums and uuids of Arrow's own kinds."""
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(tmp_path / "rows.duckdb")) as database:
        database.execute(
            "CREATE TABLE predictions (id uuid, timestamp timestamptz, wind decimal(9, 3), town enum('ANC'))"
        )
        database.execute("INSERT INTO predictions SELECT uuid(), ?, 1.5, 'ANC' FROM range(5000)", [START])
    source = opened("duckdb:///rows.duckdb", tmp_path)
    batches = list(source.batches(["wind", "town"], START, START + DAY))

    assert 5000 == sum(batch.num_rows for batch in batches)
    assert pa.decimal128(9, 3) == batches[0].schema.field("wind").type
    assert {"ANC"} == {name for batch in batches for name in batch.column("town").to_pylist()}
    for url, table in (("duckdb:///rows.duckdb", "scores"), ("duckdb:///none.duckdb", "predictions")):
        with pytest.raises(DataError, match=r"has no table 'scores'|There is no none.duckdb"):
            opened(url, tmp_path, table=table)
    assert not (tmp_path / "none.duckdb").exists()


def test_columns_mean_the_same_with_other_roles() -> None:
    """A numeric column is a number as score and label, and labelled_at an instant."""
    kinds = "id numeric, timestamp timestamptz, prediction numeric, actual numeric, known timestamptz"
    url = filled(kinds, (10**20, START, "0.25", 1, START + DAY))
    source = opened(url, columns=Columns(id="id", labelled_at="known"))
    (batch,) = source.batches(["id", "prediction", "actual", "known"], START, None)

    assert [{"id": str(10**20), "prediction": 0.25, "actual": 1.0, "known": START + DAY}] == batch.to_pylist()
