"""The rows of a table that no model describes yet, whatever its columns are called."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
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
ANY = ("classes", "not known yet")  # any two classes: labels are then read as text
NEVER = dt.datetime(2262, 1, 1, tzinfo=dt.UTC)  # the end of nanoseconds


class TableRows:
    """The rows at `url`. Only the roles of the columns in `given` are known: time, label, and others that were named.

    Args:
        root: the repository.
        url: path or URL; a path is relative to the current folder.
        table: in a database, or a folder in the folder.
        given: the names given for roles. An accented letter may be composed or not: the table's spelling is used.

    Raises:
        UsageError: a named column does not exist.
    """

    def __init__(self, root: Path, url: str, table: str | None, given: Mapping[str, str | None]) -> None:
        self._root, self._url, self._table = root, url if "://" in url else str(Path(url).resolve()), table
        self.shown = Path(url).name if "://" not in url else url.partition("://")[0] + " table"
        self._given = {role: name for role, name in given.items() if name}
        self.columns = self._open_by_time()
        self.given = {role: self.spelled(name) if name else None for role, name in given.items()}
        self._given = {role: name for role, name in self.given.items() if name}
        absent = [name for name in self._given.values() if name not in self.columns]
        if absent:
            raise self._lacks(absent, f"Its columns are: {', '.join(self.columns[:30])}.")
        self.utc = self._naive()

    def _open_by_time(self) -> tuple[str, ...]:
        """Return the columns of the source, which can only be opened with the spelling of the time column."""
        time, problem = self._given["time"], None
        for name in dict.fromkeys((time, *(unicodedata.normalize(form, time) for form in ("NFC", "NFD")))):
            try:
                return tuple(self._opened(self._data({"score": "", "time": name})).columns)
            except DataError as err:
                if "data.columns.time" not in err.what:
                    raise
                problem = problem or self._lacks([time], err.why)
        raise problem or self._lacks([time], "")

    def spelled(self, name: str) -> str:
        """Return a name in the spelling of the table, whose accented letters may be composed or not."""
        composed = unicodedata.normalize("NFC", name)
        return next((column for column in self.columns if unicodedata.normalize("NFC", column) == composed), name)

    def _lacks(self, names: list[str], there: str) -> UsageError:
        shown = ", ".join(map(repr, names))
        return UsageError(f"{self.shown} has no column {shown}.", why=there, fix="Name the columns as the table does.")

    def _data(
        self, roles: Mapping[str, Any], numeric: tuple[str, ...] = (), *, utc: bool = False, classes: bool = False
    ) -> Data:
        """Return a description of the table without any check: its names may not be valid in model.toml."""
        from core.config import Columns, Data

        names = {"id": None, "labelled_at": None, "version": None, **roles}
        return Data.model_construct(
            source=self._url,
            table=self._table,
            timezone="UTC" if utc else None,
            columns=Columns.model_construct(**names),
            classes=ANY if classes else None,
            numeric=numeric,
            categorical=(),
        )

    def _opened(self, data: Data) -> Source:
        from monitoring.sources import open_source

        return open_source(self._url, data, self._root)

    def _naive(self) -> bool:
        """Return whether times have no zone."""
        roles = {"score": "", **self._given}
        times = [name for role, name in roles.items() if role in {"time", "labelled_at"}]
        try:
            next(iter(self._opened(self._data(roles)).batches(times, ALWAYS, None)), None)
        except DataError as err:
            return "zone" in err.what
        return False

    def read(
        self, columns: Columns, names: tuple[str, ...], since: Any = ALWAYS, *, classes: bool = False
    ) -> Iterator[pa.RecordBatch]:
        """Return batches of these columns, numbers as numbers; with `classes`, labels as the nightly run reads them."""
        texts = {columns.id, columns.time, columns.labelled_at, columns.version}
        texts |= {columns.score, columns.label} if classes else set()
        numeric = tuple(name for name in names if name not in texts)
        source = self._opened(self._data(columns.model_dump(), numeric, utc=self.utc, classes=classes))
        return source.batches(names, since, None)

    def unreadable(self, columns: Columns, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns of a database that cannot be read (arrays, structs, bytes), found by halves."""
        if not names or "://" not in self._url or self._readable(columns, names):
            return ()
        half = len(names) // 2
        return self.unreadable(columns, names[:half]) + self.unreadable(columns, names[half:]) if half else names

    def _readable(self, columns: Columns, names: tuple[str, ...]) -> bool:
        try:
            next(self.read(columns, names, NEVER), None)
        except DataError:
            return False
        return True

    @property
    def place(self) -> str:
        """The source for model.toml: a path in the repository, else a variable: no machine's path is committed."""
        path = Path(self._url)
        if IN_REPOSITORY.match(self._url) and "@" not in self._url:
            return self._url
        if "://" in self._url or not path.is_relative_to(self._root):
            return VARIABLE
        return path.relative_to(self._root).as_posix()

    @property
    def table(self) -> str | None:
        """The table, if the source has several."""
        return self._table
