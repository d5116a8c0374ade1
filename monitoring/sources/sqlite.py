"""SQLite as a source: read-only, filtered by time in SQL, a few thousand rows at a time."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.arrow import times
from core.config import Data
from core.days import DAY
from core.errors import DataError
from monitoring.sources import typed

BATCH = 16_384  # rows that exist as Python objects at once
Rows = list[tuple[Any, ...]]


class SqliteSource:
    """A table or view of a SQLite file. `shown` is its name in messages, `patience` the seconds to wait for a lock."""

    def __init__(self, path: Path, data: Data, shown: str, patience: float) -> None:
        self._path, self._data, self._shown, self._patience = path, data, shown, patience
        with self._reading() as database:
            self._table = self._find_table(database)
            columns = database.execute(
                "SELECT name, type, hidden FROM pragma_table_xinfo(?)", (self._table,)
            ).fetchall()
        # 1 marks the columns of virtual tables that SELECT * leaves out.
        self._columns = {name: kind for name, kind, hidden in columns if hidden != 1}
        self._shown = f"{self._table} in {shown}"
        self._time = _quoted(data.columns.time)

    @property
    def shown(self) -> str:
        """Return the name of the table in messages."""
        return self._shown

    @property
    def columns(self) -> dict[str, str]:
        """Return the declared type of each column."""
        return self._columns

    def batches(self, columns: Sequence[str], start: dt.datetime, end: dt.datetime | None) -> Iterator[pa.RecordBatch]:
        """Yield the rows with start <= time < end; see `source.Source`."""
        names = [name for name in columns if name in self._columns]
        time = self._data.columns.time
        read = [time, *(name for name in names if name != time)]
        with self._reading() as database:
            database.execute("BEGIN")  # the checks and the rows see one state of the table
            bounds = self._bounds(database, start, end)
            if bounds is None:
                return
            low, high = bounds
            where = f"{self._time} >= ?" + (f" AND {self._time} < ?" if high is not None else "")
            query = f"SELECT {', '.join(map(_quoted, read))} FROM {_quoted(self._table)} WHERE {where}"  # noqa: S608 - quoted
            cursor = database.execute(query, (low,) if high is None else (low, high))
            while rows := cursor.fetchmany(BATCH):
                for batch in typed.from_values(rows, read, self._data):
                    inside = times.select(typed.instants(batch, self._data), time, start, end)
                    if inside.num_rows:
                        yield inside.select(names)

    def latest(self) -> dt.datetime | None:
        """Return the newest time."""
        with self._reading() as database:
            newest = self._one(database, f"max({self._time})")
        if newest is None:
            return None
        name = self._data.columns.time
        # Text sorts by its characters, not by the instant in UTC, so all rows of the last days are read.
        (moment,) = times.moments(times.to_utc(pa.array([newest]), name, self._data.timezone), name)
        if moment is None:
            raise times.no_time(name, 1)
        start = max(moment, times.FIRST + DAY) - DAY
        return times.newest(self.batches([name], start, None), name)

    def _bounds(
        self, database: sqlite3.Connection, start: dt.datetime, end: dt.datetime | None
    ) -> tuple[Any, Any] | None:
        """Return the values of the time column between which the rows are; None if the table is empty.

        Also checks the smallest and largest value of the table, which no range of valid times would include.
        """
        name = self._data.columns.time
        if nulls := self._one(database, "count(*)", f"{self._time} IS NULL"):
            raise times.no_time(name, nulls)
        ends = [self._one(database, f"{function}({self._time})") for function in ("min", "max")]
        if ends[0] is None:
            return None
        if len({isinstance(value, str) for value in ends}) > 1 or any(isinstance(value, bytes) for value in ends):
            raise DataError(
                f"Column {name!r} of {self._shown} mixes numbers and text, or holds bytes.",
                why="The feed changed how it writes times. Numbers and text cannot be sorted together.",
                fix="Rewrite the column in one form: ISO 8601 text, or whole seconds since 1970.",
            )
        first, last = times.moments(times.to_utc(typed.uniform(ends), name, self._data.timezone), name)
        if first is None or last is None:
            raise times.no_time(name, self._one(database, "count(*)", f"trim({self._time}) = ''"))
        if not isinstance(ends[0], str):
            return start.timestamp(), None if end is None else end.timestamp()
        low, high = times.text_range(start, end)
        if high is not None:
            self._refuse_other_text(database, max(start, first).year, min(end or last, last).year)
        return low, high

    def _refuse_other_text(self, database: sqlite3.Connection, first: int, last: int) -> None:
        """Refuse text such as 2013/03/04 or 20130304, which sorts outside of every range of ISO dates."""
        for year in range(first, last + 1):
            where = f"{self._time} >= '{year:04}-2' AND {self._time} < '{year + 1:04}-'"
            if unreadable := self._one(database, "count(*)", where):
                raise times.unreadable(self._data.columns.time, unreadable)

    def _one(self, database: sqlite3.Connection, what: str, where: str = "TRUE") -> Any:
        return database.execute(f"SELECT {what} FROM {_quoted(self._table)} WHERE {where}").fetchone()[0]  # noqa: S608 - quoted

    def _find_table(self, database: sqlite3.Connection) -> str:
        query = (
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
        )
        tables = sorted(str(name) for (name,) in database.execute(query))
        wanted = self._data.table
        if wanted is not None and wanted in tables:
            return wanted
        if wanted is None and len(tables) == 1:
            return tables[0]
        raise DataError(
            f"{self._shown} has no table {wanted!r}." if wanted else f"{self._shown} has {len(tables)} tables.",
            why=f"Its tables are: {', '.join(tables) or 'none'}.",
            fix="Name the right one as table under [data] in model.toml.",
        )

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a read-only connection. Errors of SQLite become errors without values of rows."""
        uri = f"{self._path.resolve().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=self._patience, isolation_level=None)) as database:
                yield database
        except sqlite3.Error as err:
            raise self._explained(err) from None

    def _explained(self, err: sqlite3.Error) -> DataError:
        name = getattr(err, "sqlite_errorname", "") or type(err).__name__
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return DataError(
                f"{self._shown} is locked: no answer in {self._patience:g} s.",
                why="Another program is writing to it, or was stopped while writing.",
                fix="Wait until it has ended, then run this again.",
            )
        if column := re.search(r"decode to UTF-8 column '([^']*)'", str(err)):
            return DataError(
                f"Column {column[1]!r} of {self._shown} holds text that is not UTF-8.",
                fix="Fix the feed: text in SQLite must be UTF-8.",
            )
        if name == "SQLITE_NOTADB":
            return DataError(
                f"{self._shown} is not a SQLite database.",
                why="It is another kind of file, is encrypted, or was copied during a write.",
                fix="Check data.source in model.toml, or the variable MONITORING_URL.",
            )
        return DataError(
            f"{self._shown} cannot be read ({name}).",
            why="The file is damaged, this user may not read it, or its -wal or -journal file is missing.",
            fix="Open it with the sqlite3 program and run PRAGMA integrity_check.",
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
