"""Reach a table of a database: filtered and cast by it, read in one state, an Arrow batch at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa

from core.config import Data
from core.errors import ConfigError, MlopsError
from monitoring import refusals, sql, times, typed
from monitoring.adbc import Database, RefusedError, connected
from monitoring.drivers import Driver, shown

KNOWN = (
    "SELECT table_schema, table_name FROM information_schema.tables "
    "WHERE lower(table_schema) NOT IN ('information_schema', 'pg_catalog') ORDER BY 1, 2"
)
MISSING = {"42P01", "3F000", "NOT_FOUND"}


class Warehouse:
    """A table or view of the database at `url`. Each reading is a connection and a read-only transaction of its own.

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
        """How messages name it."""
        return self._shown

    @property
    def columns(self) -> dict[str, str]:
        """The type of each column, as the database or its driver calls it."""
        return {name: sql.type_name(field) for name, field in self._fields.items()}

    def batches(self, columns: Sequence[str], start: dt.datetime, end: dt.datetime | None) -> Iterator[pa.RecordBatch]:
        """Rows with start <= time < end; see `source.Source`. All are of one state of the table."""
        names = [name for name in columns if name in self._fields]
        time = self._data.columns.time
        fields = [self._fields[name] for name in dict.fromkeys([time, *names])]
        wanted = sql.time_range(self._fields[time], start, end, self._driver)
        query = sql.select(fields, self._table, wanted.where, self._data, self._driver)
        try:
            with self._connected() as database:
                self._refuse_odd_times(database)
                with database.ask(query, wanted.row()) as rows:
                    for batch in rows:
                        inside = times.select(typed.instants(batch, self._data), time, start, end)
                        if inside.num_rows:
                            yield inside.select(names)
        except RefusedError as err:
            raise err.explained(self._shown) from None

    def latest(self) -> dt.datetime | None:
        """The newest time."""
        name = self._data.columns.time
        field = self._fields[name]
        what = sql.value(field, self._data, self._driver) + (self._driver.bytewise if sql.is_text(field) else "")
        try:
            with self._connected() as database:
                newest = times.to_utc(self._one(database, f"max({what})"), name, self._data.timezone)
        except RefusedError as err:
            raise err.explained(self._shown) from None
        (moment,) = times.moments(newest, name)  # PostgreSQL has later years than Python, and 'infinity'
        if moment is None or not sql.is_text(field):
            return moment
        # Text sorts by what is written, not by what it means in UTC: all rows of the last days are looked at.
        return times.newest(self.batches([name], max(moment, times.FIRST + times.DAY) - times.DAY, None), name)

    def _refuse_odd_times(self, database: Database) -> None:
        """Rows without a time, or with one that no range finds, are counted and not left out in silence."""
        field = self._fields[self._data.columns.time]
        nulls = self._one(database, "count(*)", f"{sql.quoted(field.name, self._driver)} IS NULL")[0].as_py()
        if nulls:
            raise times.no_time(field.name, nulls)
        odd = sql.odd_times(field, self._driver)
        if odd and (count := self._one(database, "count(*)", odd)[0].as_py()):
            raise times.unreadable(field.name, count)

    def _one(self, database: Database, what: str, where: str = "1 = 1") -> pa.Array:
        table = sql.table_name(self._table, self._driver)
        with database.ask(f"SELECT {what} FROM {table} WHERE {where}") as rows:  # noqa: S608 - names are quoted
            return next(iter(rows)).column(0)

    def _schema(self) -> pa.Schema:
        """The columns of the table.

        Raises:
            DataError: there is no such table.
        """
        table = sql.table_name(self._table, self._driver)
        try:
            with self._connected() as database, database.ask(f"SELECT * FROM {table} WHERE 1 = 0") as rows:  # noqa: S608 - quoted
                return rows.schema
        except RefusedError as err:
            known = self._known()
            told = err.state in MISSING or (known and self._table.lower() not in self._names(known))
            raise self._no_table(known) if told else err.explained(self._shown) from None

    def _no_table(self, known: list[str]) -> MlopsError:
        return refusals.no_table(self._place, self._table, known)

    @staticmethod
    def _names(known: list[str]) -> set[str]:
        """Tables by their name alone and by schema and name, in small letters."""
        return {name.lower() for full in known for name in (full, full.partition(".")[2])}

    def _known(self) -> list[str]:
        """The tables that this user sees, with their schema; none where the database does not tell."""
        try:
            with self._connected() as database, database.ask(KNOWN) as rows:
                return [".".join(row.values()) for row in rows.read_all().to_pylist()]
        except RefusedError:
            return []

    def _connected(self) -> AbstractContextManager[Database]:
        return connected(self._url, self._driver, self._root, self._patience)
