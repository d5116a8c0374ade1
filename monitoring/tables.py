"""Keep logged rows in a table of SQLite or PostgreSQL, by id, so that no row is there twice or half."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.config import Columns
from monitoring.drivers import patient
from monitoring.refusals import not_written

PATIENCE = 20.0  # seconds to wait for another writer
KINDS = {"string": "TEXT", "double": "DOUBLE PRECISION", "int64": "BIGINT"}


class SqliteLedger:
    """A table of an SQLite file. Times are ISO text in UTC."""

    def __init__(self, path: Path, table: str, fields: pa.Schema, columns: Columns) -> None:
        self._path, self._columns = path, columns
        self._sql = _Statements(table, fields, columns, "TEXT", "?")
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._writing() as database:
            for statement in self._sql.create:
                database.execute(statement)

    def add(self, rows: pa.Table) -> None:
        """Add the rows whose id is not there yet."""
        with self._writing() as database:
            database.executemany(self._sql.insert, zip(*map(_plain, rows.columns), strict=True))

    def label(self, labels: Mapping[str, object], at: dt.datetime) -> list[str]:
        """Write labels; the ids that no row has."""
        with self._writing() as database:
            return self._sql.unknown(database.execute, labels, _text(at))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=PATIENCE)) as database, database:
                database.execute("BEGIN IMMEDIATE")
                yield database
        except sqlite3.Error as err:
            raise not_written(self._path.name, err) from None


class PostgresLedger:
    """A table of a PostgreSQL database."""

    def __init__(self, url: str, table: str, fields: pa.Schema, columns: Columns) -> None:
        self._url, self._columns = url, columns
        self._sql = _Statements(table, fields, columns, "TIMESTAMPTZ", "$")
        with self._writing() as cursor:
            for statement in self._sql.create:
                cursor.execute(statement)

    def add(self, rows: pa.Table) -> None:
        """Add the rows whose id is not there yet."""
        with self._writing() as cursor:
            cursor.executemany(self._sql.insert, rows)

    def label(self, labels: Mapping[str, object], at: dt.datetime) -> list[str]:
        """Write labels; the ids that no row has."""
        with self._writing() as cursor:
            return self._sql.unknown(cursor.execute, labels, at)

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        from adbc_driver_postgresql import dbapi

        try:
            with dbapi.connect(patient(self._url)) as connection:
                with connection.cursor() as cursor:
                    yield cursor
                connection.commit()
        except dbapi.Error as err:
            raise not_written("PostgreSQL", err) from None


class _Statements:
    """The SQL of a table; `mark` stands before the number of a parameter."""

    def __init__(self, table: str, fields: pa.Schema, columns: Columns, time: str, mark: str) -> None:
        name = ".".join(map(_quoted, table.split("."))) if mark == "$" else _quoted(table)
        marks = [f"{mark}{number}" for number in range(1, len(fields) + 1)]
        kinds = {
            field.name: (KINDS.get(str(field.type), time) + ("" if field.nullable else " NOT NULL")) for field in fields
        }
        kinds[columns.id] += " PRIMARY KEY"
        listed = ", ".join(f"{_quoted(column)} {kind}" for column, kind in kinds.items())
        index = _quoted(f"{table.rpartition('.')[2]}_by_time")
        self.create = (
            f"CREATE TABLE IF NOT EXISTS {name} ({listed})",
            f"CREATE INDEX IF NOT EXISTS {index} ON {name} ({_quoted(columns.time)})",
        )
        key, label = _quoted(columns.id), _quoted(columns.label)
        into = ", ".join(map(_quoted, fields.names))
        self.insert = f"INSERT INTO {name} ({into}) VALUES ({', '.join(marks)}) ON CONFLICT ({key}) DO NOTHING"  # noqa: S608 - quoted
        when = ""
        self._timed = columns.labelled_at is not None
        if columns.labelled_at is not None:
            at = _quoted(columns.labelled_at)
            when = f", {at} = CASE WHEN {label} = {marks[0]} THEN {at} ELSE {marks[2]} END"
        self.update = f"UPDATE {name} SET {label} = {marks[0]}{when} WHERE {key} = {marks[1]} RETURNING 1"  # noqa: S608 - quoted

    def unknown(self, execute: Callable[..., Any], labels: Mapping[str, object], at: object) -> list[str]:
        """Write labels, one after the other; the ids that no row has."""
        more = (at,) if self._timed else ()
        return [name for name, label in labels.items() if not execute(self.update, (label, name, *more)).fetchall()]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(column: pa.ChunkedArray) -> list[Any]:
    """Values as SQLite takes them."""
    return [_text(value) if isinstance(value, dt.datetime) else value for value in column.to_pylist()]


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
