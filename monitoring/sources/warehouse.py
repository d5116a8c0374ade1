"""A table of a database as a source: filtered and cast by the database, read in one state, in Arrow batches."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from core.arrow import arrays, times
from core.config import Data
from core.days import DAY
from core.errors import ConfigError, DataError
from monitoring.sources import errors, typed
from monitoring.sources.adbc import Database, Driver, RefusedError, connected, shown

TABLES = (
    "SELECT table_schema, table_name FROM information_schema.tables "
    "WHERE lower(table_schema) NOT IN ('information_schema', 'pg_catalog') ORDER BY 1, 2"
)
NO_SUCH_TABLE = {"42P01", "3F000", "NOT_FOUND"}


class Warehouse:
    """A table or view of the database at `url`. Each read is a connection and a read-only transaction of its own.

    `patience` is how long to keep trying to connect, in seconds.
    """

    def __init__(self, url: str, driver: Driver, data: Data, root: Path, patience: float) -> None:
        self._url, self._driver, self._data, self._root, self._patience = url, driver, data, root, patience
        self._place = shown(url)
        if data.table is None:
            raise ConfigError(
                f"data.table is missing: {self._place} may hold many tables.",
                fix='Add table = "NAME" (or "SCHEMA.NAME") under [data] in model.toml.',
            )
        self._table = data.table
        self._shown = f"{data.table} in {self._place}"
        self._fields = {field.name: field for field in self._schema()}

    @property
    def shown(self) -> str:
        """Return the name of the table in messages."""
        return self._shown

    @property
    def columns(self) -> dict[str, str]:
        """Return the type of each column, as the database or its driver names it."""
        return {name: type_name(field) for name, field in self._fields.items()}

    def batches(self, columns: Sequence[str], start: dt.datetime, end: dt.datetime | None) -> Iterator[pa.RecordBatch]:
        """Yield the rows with start <= time < end, all of one state of the table; see `source.Source`."""
        names = [name for name in columns if name in self._fields]
        time = self._data.columns.time
        fields = [self._fields[name] for name in dict.fromkeys([time, *names])]
        wanted = time_range(self._fields[time], start, end, self._driver)
        query = select(fields, self._table, wanted.where, self._data, self._driver)
        try:
            with self._connected() as database:
                self._refuse_times(database)
                with database.ask(query, wanted.row()) as rows:
                    for batch in rows:
                        inside = times.select(typed.instants(batch, self._data), time, start, end)
                        if inside.num_rows:
                            yield inside.select(names)
        except RefusedError as err:
            raise err.explained(self._shown) from None

    def latest(self) -> dt.datetime | None:
        """Return the newest time."""
        name = self._data.columns.time
        field = self._fields[name]
        what = value(field, self._data, self._driver) + (self._driver.bytewise if is_text(field) else "")
        try:
            with self._connected() as database:
                newest = times.to_utc(self._one(database, f"max({what})"), name, self._data.timezone)
        except RefusedError as err:
            raise err.explained(self._shown) from None
        (moment,) = times.moments(newest, name)  # PostgreSQL has later years than Python, and 'infinity'
        if moment is None or not is_text(field):
            return moment
        # Text sorts by its characters, not by the instant in UTC, so all rows of the last days are read.
        return times.newest(self.batches([name], max(moment, times.FIRST + DAY) - DAY, None), name)

    def _refuse_times(self, database: Database) -> None:
        """Refuse rows without a time, or with a time that no range finds; the query would silently leave them out."""
        field = self._fields[self._data.columns.time]
        nulls = self._one(database, "count(*)", f"{quoted(field.name, self._driver)} IS NULL")[0].as_py()
        if nulls:
            raise times.no_time(field.name, nulls)
        where = unexpected_times(field, self._driver)
        if where and (count := self._one(database, "count(*)", where)[0].as_py()):
            raise times.unreadable(field.name, count)

    def _one(self, database: Database, what: str, where: str = "1 = 1") -> pa.Array:
        table = table_name(self._table, self._driver)
        with database.ask(f"SELECT {what} FROM {table} WHERE {where}") as rows:  # noqa: S608 - names are quoted
            return next(iter(rows)).column(0)

    def _schema(self) -> pa.Schema:
        """Return the columns of the table.

        Raises:
            DataError: the table does not exist.
        """
        table = table_name(self._table, self._driver)
        try:
            with self._connected() as database, database.ask(f"SELECT * FROM {table} WHERE 1 = 0") as rows:  # noqa: S608 - quoted
                return rows.schema
        except RefusedError as err:
            tables = self._tables()
            missing = err.state in NO_SUCH_TABLE or (tables and self._table.lower() not in self._names(tables))
            if missing:
                raise errors.no_table(self._place, self._table, tables) from None
            raise err.explained(self._shown) from None

    @staticmethod
    def _names(tables: list[str]) -> set[str]:
        """Return the tables by name alone and by schema and name, in lowercase."""
        return {name.lower() for full in tables for name in (full, full.partition(".")[2])}

    def _tables(self) -> list[str]:
        """Return the tables that this user sees, with their schema; none if the database does not list them."""
        try:
            with self._connected() as database, database.ask(TABLES) as rows:
                return [".".join(row.values()) for row in rows.read_all().to_pylist()]
        except RefusedError:
            return []

    def _connected(self) -> AbstractContextManager[Database]:
        return connected(self._url, self._driver, self._root, self._patience)


Bound = dt.datetime | int | float | str
DATE = "____-__-__%"  # the start of text that sorts like an ISO date


@dataclass(frozen=True)
class Range:
    """A condition on the time column, and the values of its parameters, all of the Arrow type `kind`."""

    where: str
    bounds: tuple[Bound, ...]
    kind: pa.DataType

    def row(self) -> pa.RecordBatch:
        """Return the parameters as the row that ADBC binds."""
        arrays_ = [pa.array([bound], self.kind) for bound in self.bounds]
        return pa.record_batch(arrays_, names=[f"p{number}" for number in range(len(arrays_))])


def quoted(name: str, driver: Driver) -> str:
    """Return the quoted name of a column."""
    return f"{driver.quote}{name.replace(driver.quote, driver.quote * 2)}{driver.quote}"


def table_name(name: str, driver: Driver) -> str:
    """Return the quoted name of a table, with its schema if the name has a dot."""
    return ".".join(quoted(part, driver) for part in name.split("."))


def type_name(field: pa.Field) -> str:
    """Return the type of a column as the database names it, else as Arrow does."""
    name = (field.metadata or {}).get(b"POSTGRESQL:type")
    return name.decode() if name else str(field.type)


def value(field: pa.Field, data: Data, driver: Driver) -> str:
    """Return what to select for a column: numbers, text and times unchanged, numerics as float64, uuids as text.

    Raises:
        DataError: the column has another type.
    """
    name, kind = quoted(field.name, driver), field.type
    if _is_numeric(kind):
        # The driver returns numerics as text, and text is never read as a number.
        numbers = {*data.numeric, *(role for role in _numbers(data) if role)}
        return f"CAST({name} AS {'DOUBLE PRECISION' if field.name in numbers else driver.text})"
    if getattr(kind, "extension_name", "") == "arrow.uuid":
        return f"CAST({name} AS {driver.text})"
    types = pa.types
    plain = types.is_timestamp, types.is_date, types.is_string, types.is_large_string, types.is_dictionary
    if arrays.is_number(kind) or any(check(kind) for check in plain):
        return name
    raise DataError(
        f"Column {field.name!r} is {type_name(field)}, which is not a number, text or time.",
        why="Arrays, structs and bytes cannot be counted.",
        fix="Write the part that you need into its own column, perhaps by a view, and name that column in model.toml.",
    )


def _numbers(data: Data) -> tuple[str | None, ...]:
    columns = data.columns
    return columns.score, columns.label, columns.time, columns.labelled_at


def _is_numeric(kind: pa.DataType) -> bool:
    """Return whether the type is PostgreSQL's numeric, for which Arrow has no type."""
    return getattr(kind, "extension_name", "") == "arrow.opaque" and kind.type_name == "numeric"


def select(fields: Collection[pa.Field], table: str, where: str, data: Data, driver: Driver) -> str:
    """Return the statement that selects these columns of the rows that match."""
    listed = ", ".join(f"{value(field, data, driver)} AS {quoted(field.name, driver)}" for field in fields)
    return f"SELECT {listed} FROM {table_name(table, driver)} WHERE {where}"  # noqa: S608 - all names are quoted


def time_range(field: pa.Field, start: dt.datetime, end: dt.datetime | None, driver: Driver) -> Range:
    """Return the condition for the rows with start <= time < end (for text, with a day more on either side).

    Raises:
        DataError: the column has a type that cannot hold times.
    """
    ends: Sequence[dt.datetime] = [start] if end is None else [start, end]
    types, kind = pa.types, field.type
    name = quoted(field.name, driver)
    bounds: list[Bound]
    if is_text(field):
        name += driver.bytewise
        low, high = times.text_range(start, end)
        bounds = [low] if high is None else [low, high]
        return Range(_between(name, len(bounds), driver, driver.text), tuple(bounds), pa.string())
    if types.is_integer(kind):
        # Bounds of the column's own type, so that an index can be used.
        bounds = [math.ceil(moment.timestamp()) for moment in ends]
        return Range(_between(name, len(bounds), driver, "BIGINT"), tuple(bounds), pa.int64())
    if types.is_floating(kind) or types.is_decimal(kind) or _is_numeric(kind):
        bounds = [moment.timestamp() for moment in ends]
        exact = "NUMERIC" if _is_numeric(kind) else "DOUBLE PRECISION"
        return Range(_between(name, len(bounds), driver, exact), tuple(bounds), pa.float64())
    times.to_utc(pa.array([], kind), field.name, None)  # refuses types that are not times
    if getattr(kind, "tz", None):
        return Range(_between(name, len(ends), driver, "TIMESTAMPTZ"), tuple(ends), times.INSTANT)
    bounds = [moment.astimezone(dt.UTC).replace(tzinfo=None) for moment in ends]
    return Range(_between(name, len(bounds), driver, "TIMESTAMP"), tuple(bounds), pa.timestamp("us"))


def unexpected_times(field: pa.Field, driver: Driver) -> str | None:
    """Return a condition for values that no range of times finds: text in another form, milliseconds."""
    name = quoted(field.name, driver)
    if is_text(field):
        return f"{name} NOT LIKE '{DATE}'"
    if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
        return None
    return f"{name} > {times.LAST_SECOND}"


def is_text(field: pa.Field) -> bool:
    """Return whether a column holds text."""
    return bool(pa.types.is_string(field.type) or pa.types.is_large_string(field.type))


def _between(name: str, bounds: int, driver: Driver, kind: str) -> str:
    places = [f"CAST(current_setting('mlops.p{n}') AS {kind})" if driver.settings else "?" for n in range(bounds)]
    return " AND ".join(f"{name} {sign} {place}" for sign, place in zip((">=", "<"), places, strict=False))
