"""Stores of logged rows by id: SQLite, PostgreSQL and a folder of Parquet files. Each write is atomic."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout
from pyarrow import parquet as pq

from core.config import Columns
from core.errors import OutsideError
from monitoring.sources import not_written, patient

PATIENCE = 20.0  # seconds to wait for another writer
NO_COLUMN = re.compile(
    r'has no column named (.+)$|no such column: "?([^"]+)|column "([^"]+)" (?:of relation .*)?does not exist'
)
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
        """Add the rows whose id is new."""
        with self._writing() as database:
            database.executemany(self._sql.insert, zip(*map(_plain, rows.columns), strict=True))

    def label(self, labels: Mapping[str, object], at: dt.datetime) -> list[str]:
        """Write labels. Return the ids that no row has."""
        with self._writing() as database:
            return self._sql.unknown(database.execute, labels, _text(at))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=PATIENCE)) as database, database:
                database.execute("BEGIN IMMEDIATE")
                yield database
        except sqlite3.Error as err:
            raise self._sql.explained(self._path.name, err) from None


class PostgresLedger:
    """A table of a PostgreSQL database."""

    def __init__(self, url: str, table: str, fields: pa.Schema, columns: Columns) -> None:
        self._url, self._columns = url, columns
        self._sql = _Statements(table, fields, columns, "TIMESTAMPTZ", "$")
        with self._writing() as cursor:
            for statement in self._sql.create:
                cursor.execute(statement)

    def add(self, rows: pa.Table) -> None:
        """Add the rows whose id is new."""
        with self._writing() as cursor:
            cursor.executemany(self._sql.insert, rows)

    def label(self, labels: Mapping[str, object], at: dt.datetime) -> list[str]:
        """Write labels. Return the ids that no row has."""
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
            raise self._sql.explained("PostgreSQL", err) from None


class _Statements:
    """The SQL of a table; `mark` is written before the number of a parameter."""

    def __init__(self, table: str, fields: pa.Schema, columns: Columns, time: str, mark: str) -> None:
        name = ".".join(map(_quoted, table.split("."))) if mark == "$" else _quoted(table)
        marks = [f"{mark}{number}" for number in range(1, len(fields) + 1)]
        kinds = {
            field.name: (KINDS.get(str(field.type), time) + ("" if field.nullable else " NOT NULL")) for field in fields
        }
        id_ = str(columns.id)  # `schema` requires one
        kinds[id_] += " PRIMARY KEY"
        listed = ", ".join(f"{_quoted(column)} {kind}" for column, kind in kinds.items())
        index = f"{table.rpartition('.')[2]}_by"
        key, label = _quoted(id_), _quoted(columns.label)
        into, conflict = ", ".join(map(_quoted, fields.names)), f"ON CONFLICT ({key}) DO NOTHING"
        self.insert = f"INSERT INTO {name} ({into}) VALUES ({', '.join(marks)}) {conflict}"  # noqa: S608 - quoted
        nulls = ", ".join(["NULL"] * len(fields))
        probe = f"EXPLAIN INSERT INTO {name} ({into}) VALUES ({nulls}) {conflict}"  # noqa: S608 - quoted
        if mark == "$":  # ADBC copies what a statement returns, and PostgreSQL copies no EXPLAIN
            probe = f"DO $probe$ BEGIN EXECUTE $explain${probe}$explain$; END $probe$"
        self.create = (
            f"CREATE TABLE IF NOT EXISTS {name} ({listed})",
            # Finds out what an existing table lacks. It inserts nothing.
            probe,
            f"CREATE INDEX IF NOT EXISTS {_quoted(f'{index}_time')} ON {name} ({_quoted(columns.time)})",
        )
        self._table, self._kinds, self._id = name, kinds, id_
        self._by_id = f"CREATE UNIQUE INDEX {_quoted(f'{index}_id')} ON {name} ({key})"
        when = ""
        self._timed = columns.labelled_at is not None
        if columns.labelled_at is not None:
            at = _quoted(columns.labelled_at)
            when = f", {at} = CASE WHEN {label} = {marks[0]} THEN {at} ELSE {marks[2]} END"
        self.update = f"UPDATE {name} SET {label} = {marks[0]}{when} WHERE {key} = {marks[1]} RETURNING 1"  # noqa: S608 - quoted

    def explained(self, place: str, err: Exception) -> OutsideError:
        """Return the error for a statement that failed: what the table lacks, and how to add it."""
        if getattr(err, "sqlstate", None) == "42P10" or "ON CONFLICT clause does not match" in str(err):
            return OutsideError(
                f"The table {self._table} in {place} has no unique index on {self._id!r}.",
                why="The log finds rows by their id. A table written by pandas to_sql has no such index.",
                fix=f"Run in the database: {self._by_id}; it fails if an id occurs twice: remove these rows first.",
            )
        column = NO_COLUMN.search(str(err))
        name = next(filter(None, column.groups())) if column else ""
        if name in self._kinds:
            kind = self._kinds[name].removesuffix(" PRIMARY KEY").removesuffix(" NOT NULL")
            return OutsideError(
                f"The table {self._table} in {place} has no column {name!r}.",
                why="model.toml names it under [data], and the log writes it.",
                fix=f"Run in the database: ALTER TABLE {self._table} ADD COLUMN {_quoted(name)} {kind}; "
                "or change the name in model.toml.",
            )
        return not_written(place, err)

    def unknown(self, execute: Callable[..., Any], labels: Mapping[str, object], at: object) -> list[str]:
        """Write labels, one after the other. Return the ids that no row has."""
        times = (at,) if self._timed else ()
        return [name for name, label in labels.items() if not execute(self.update, (label, name, *times)).fetchall()]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(column: pa.ChunkedArray) -> list[Any]:
    """Return the values as SQLite takes them."""
    return [_text(value) if isinstance(value, dt.datetime) else value for value in column.to_pylist()]


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


class FileLedger:
    """A folder of Parquet files, one for each day of each batch. Labels are written by replacing whole files."""

    def __init__(self, folder: Path, fields: pa.Schema, columns: Columns) -> None:
        self._folder, self._fields, self._columns = folder, fields, columns
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, rows: pa.Table) -> None:
        """Add the rows whose id is new."""
        rows = _first_of_each(rows, str(self._columns.id))
        days = pc.cast(rows[self._columns.time], pa.date32())
        with self._exclusive():
            for day in pc.unique(days):
                new = rows.filter(pc.equal(days, day))
                for file in self._folder.glob(f"{day}-*.parquet"):
                    ids = pq.read_table(file, columns=[self._columns.id])[self._columns.id]
                    new = new.filter(pc.invert(pc.is_in(new[self._columns.id], value_set=ids.combine_chunks())))
                if new.num_rows:
                    name = hashlib.sha256("\n".join(new[self._columns.id].to_pylist()).encode()).hexdigest()[:16]
                    self._write(self._folder / f"{day}-{name}.parquet", new)

    def label(self, labels: Mapping[str, object], at: dt.datetime) -> list[str]:
        """Write labels, to the newest files first. Return the ids that no row has."""
        left = dict(labels)
        with self._exclusive():
            for file in sorted(self._folder.glob("*.parquet"), reverse=True):
                ids = pq.read_table(file, columns=[self._columns.id])[self._columns.id].to_pylist() if left else []
                new = [left.pop(name, None) for name in ids]
                if any(label is not None for label in new):
                    self._write(file, self._labelled(pq.read_table(file, schema=self._fields), new, at))
        return list(left)

    def _labelled(self, rows: pa.Table, labels: Sequence[object], at: dt.datetime) -> pa.Table:
        """Return the rows with new labels; None keeps the label of a row."""
        place, before = self._fields.get_field_index(self._columns.label), rows[self._columns.label]
        new = pa.chunked_array([pa.array(labels, before.type)])
        changed = pc.fill_null(
            pc.if_else(pc.is_null(before), pc.is_valid(new), pc.not_equal(before, new)), fill_value=False
        )
        rows = rows.set_column(place, self._fields[place], pc.coalesce(new, before))
        if self._columns.labelled_at:
            place = self._fields.get_field_index(self._columns.labelled_at)
            when = pc.if_else(changed, pa.scalar(at, self._fields[place].type), rows[place])
            rows = rows.set_column(place, self._fields[place], when)
        return rows

    @staticmethod
    def _write(file: Path, rows: pa.Table) -> None:
        unfinished = file.with_name(f".{file.name}")  # readers skip names that start with a dot
        pq.write_table(rows, unfinished)
        unfinished.replace(file)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Allow one writer at a time; readers see each file before or after its replacement."""
        try:
            with FileLock(self._folder / ".lock", timeout=PATIENCE):
                yield
        except (OSError, Timeout) as err:
            raise not_written(self._folder.name, err) from None


def _first_of_each(rows: pa.Table, name: str) -> pa.Table:
    """Return the rows without repetitions of an id."""
    place = {key: number for number, key in reversed(list(enumerate(rows[name].to_pylist())))}
    return rows.take(sorted(place.values()))
