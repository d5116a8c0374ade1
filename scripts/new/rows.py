"""Open a table that no model describes yet, whatever its columns are called."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.days import ALWAYS
from core.errors import DataError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from core.config import Columns, Data
    from monitoring.sources import Source

VARIABLE = "${MONITORING_URL}"
IN_REPOSITORY = re.compile(r"(sqlite|duckdb):///[^/?#]+")
ANY = ("classes", "not known yet")
NEVER = dt.datetime(2262, 1, 1, tzinfo=dt.UTC)  # nanoseconds reach no further


class TableRows:
    """The rows at `url`, of which only the columns in `asked` are known: time, label, and more where they were named.

    Args:
        root: the repository.
        url: path or URL; a path is relative to where the command runs.
        table: in a database, or a folder in the folder.
        asked: the names given for roles.
    """

    def __init__(self, root: Path, url: str, table: str | None, asked: Mapping[str, str | None]) -> None:
        self._root, self._url, self._table = root, url if "://" in url else str(Path(url).resolve()), table
        self.shown = Path(url).name if "://" not in url else url.partition("://")[0] + " table"
        self._asked = {role: name for role, name in asked.items() if name}
        try:
            found = self._opened(self._data({"id": asked["time"], "score": "", **self._asked}))
        except DataError as err:
            if "data.columns.time" not in err.what:
                raise
            raise self._lacks([str(asked["time"])], err.why) from err
        self.columns = tuple(found.columns)
        absent = [name for name in self._asked.values() if name not in self.columns]
        if absent:
            raise self._lacks(absent, f"Its columns are: {', '.join(self.columns[:30])}.")
        self.utc = self._naive()

    def _lacks(self, names: list[str], there: str) -> UsageError:
        shown = ", ".join(map(repr, names))
        return UsageError(f"{self.shown} has no column {shown}.", why=there, fix="Name the columns as the table does.")

    def _data(
        self, roles: Mapping[str, Any], numeric: tuple[str, ...] = (), *, utc: bool = False, classes: bool = False
    ) -> Data:
        """A description of the table that is not checked yet: its names may be such that model.toml does not allow."""
        from core.config import Columns, Data

        known = {"labelled_at": None, "version": None, **roles}
        return Data.model_construct(
            source=self._url,
            table=self._table,
            timezone="UTC" if utc else None,
            columns=Columns.model_construct(**known),
            classes=ANY if classes else None,
            numeric=numeric,
            categorical=(),
        )

    def _opened(self, data: Data) -> Source:
        from monitoring.sources import open_source

        return open_source(self._url, data, self._root)

    def _naive(self) -> bool:
        """Whether times have no zone."""
        roles = {"id": self._asked["time"], "score": "", **self._asked}
        times = [name for role, name in roles.items() if role in {"time", "labelled_at"}]
        try:
            next(iter(self._opened(self._data(roles)).batches(times, ALWAYS, None)), None)
        except DataError as err:
            return "zone" in err.what
        return False

    def read(
        self, columns: Columns, names: tuple[str, ...], since: Any = ALWAYS, *, classes: bool = False
    ) -> Iterator[pa.RecordBatch]:
        """Batches with these columns, read as numbers where they are numbers; with `classes`, labels as nights do."""
        texts = {columns.id, columns.time, columns.labelled_at, columns.version}
        texts |= {columns.score, columns.label} if classes else set()
        numeric = tuple(name for name in names if name not in texts)
        source = self._opened(self._data(columns.model_dump(), numeric, utc=self.utc, classes=classes))
        return source.batches(names, since, None)

    def unreadable(self, columns: Columns, names: tuple[str, ...]) -> tuple[str, ...]:
        """The columns of a database that cannot be read: arrays, structs, bytes."""
        return tuple(name for name in names if "://" in self._url and not self._readable(columns, name))

    def _readable(self, columns: Columns, name: str) -> bool:
        try:
            next(self.read(columns, (name,), NEVER), None)
        except DataError:
            return False
        return True

    @property
    def place(self) -> str:
        """What model.toml says: a place in the repository, else a variable: no path of a machine is committed."""
        path = Path(self._url)
        if IN_REPOSITORY.match(self._url) and "@" not in self._url:
            return self._url
        if "://" in self._url or not path.is_relative_to(self._root):
            return VARIABLE
        return path.relative_to(self._root).as_posix()

    @property
    def table(self) -> str | None:
        """The table, where the source has several."""
        return self._table
