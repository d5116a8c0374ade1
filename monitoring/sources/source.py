"""The Source protocol, and open_source, which picks the reader for a path or URL."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import pyarrow as pa

from core.config import Data
from core.errors import ConfigError, DataError
from monitoring.axes import Axis
from monitoring.counting import DayTally
from monitoring.sources import typed
from monitoring.sources.adbc import DRIVERS, driver_of
from monitoring.sources.adbc import shown as driver_shown
from monitoring.sources.files import CSV, KINDS, FileSource, files_of, is_data
from monitoring.sources.sqlite import SqliteSource
from monitoring.sources.warehouse import Warehouse

DATABASES = (".db", ".sqlite", ".sqlite3")
PATIENCE = 20.0  # seconds
SPARK = "spark://"
CHECK = "Check data.source in model.toml (relative to the repository), or the variable MONITORING_URL."


class Source(Protocol):
    """Monitoring rows, one per prediction. Reads lazily and never writes."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Return the type of each column, as the source names it."""

    def batches(self, columns: Sequence[str], start: dt.datetime, end: dt.datetime | None) -> Iterator[pa.RecordBatch]:
        """Yield the rows with start <= time < end, in any order, without the columns that the source does not have.

        The time column, and `labelled_at` if configured, are timestamp("us", "UTC"). Batches may differ in types: rows
        with text in a numeric column come in batches of their own, in which that column is text.

        Raises:
            DataError: the rows cannot be read, or a row has no time, an unreadable time, or a time without a zone.
        """

    def latest(self) -> dt.datetime | None:
        """Return the newest time, None if there are no rows."""


@runtime_checkable
class Counting(Protocol):
    """A source that counts its rows in place, such as Spark."""

    def tally(
        self,
        columns: Sequence[str],
        start: dt.datetime,
        end: dt.datetime | None,
        axes: Mapping[str, Axis],
        *,
        version: str | None,
        as_of: dt.datetime,
    ) -> tuple[DayTally, ...]:
        """Return what `tally.count` returns for the batches with these columns."""


def on_spark(url: str) -> str:
    """Return the address under which Spark reads and counts the rows at `url`."""
    return url if url.startswith(SPARK) else f"{SPARK}{url}"


def open_source(url: str, data: Data, root: Path, *, patience: float = PATIENCE) -> Source:
    """Return the source at `url`: a SQLite file, a Parquet or CSV file, a folder of these, an ADBC database, or Spark.

    Args:
        url: path relative to `root`, or a URL that starts with sqlite:///, file:///, spark:// or the name of a driver.
        data: table (of a database; or a folder in the folder), columns and time zone.
        root: the repository.
        patience: seconds to wait for a database that is locked or does not answer.

    Raises:
        ConfigError: the kind of source is unknown, or its driver is not installed.
        DataError: the source is missing or unreadable, or lacks the table, the time column or the id column.
        OutsideError: the database does not answer, or refuses.
    """
    if url.startswith(SPARK):
        from monitoring.sources.spark import SparkSource

        return SparkSource(_place(url.removeprefix(SPARK), data, root), data)
    driver = driver_of(url)
    if driver:
        table = Warehouse(url, driver, data, root, patience)
        typed.require(table.columns, data, table.shown)
        return table
    path, shown = _existing(url, root)
    if url.startswith("sqlite:") or path.suffix.lower() in DATABASES:
        source = SqliteSource(path, data, shown, patience)
        typed.require(source.columns, data, source.shown)
        return source
    if path.is_dir():
        path = _inside(path, data.table, shown)
        return FileSource(path, data, _shown(path, root))
    if is_data(path):
        return FileSource(path, data, shown)
    raise ConfigError(
        f"Cannot read {shown}: unsupported file type.",
        why=f"Supported are folders and files ending in {', '.join((*DATABASES, *KINDS))}.",
        fix=CHECK,
    )


def _place(rest: str, data: Data, root: Path) -> str:
    """Return what Spark reads: the URL of a folder, or the name of a table, which has no slash."""
    rest = rest or data.table or ""
    if re.fullmatch(r"[\w.-]+:\d+/?", rest) or not rest:
        raise ConfigError(
            f"{SPARK}{rest} does not name a table or folder.",
            why="The URL names what Spark reads. Spark's own settings name the cluster.",
            fix="Write spark://catalog.schema.table or spark://folder/of/files; SPARK_REMOTE or spark-defaults.conf "
            "name the cluster.",
        )
    if driver_of(rest) or rest.startswith("sqlite:") or rest.lower().endswith((*DATABASES, *CSV)):
        raise ConfigError(
            f"Spark cannot read {driver_shown(rest)}.",
            why="Spark reads folders of Parquet files and tables of its catalog.",
            fix="Leave out --engine spark, or load the rows into a table of the catalog.",
        )
    if "://" in rest and not rest.startswith("file:"):
        return rest
    if "/" not in rest and not (root / rest).exists():
        return rest
    path, shown = _existing(rest, root)
    return f"file://{_inside(path, data.table, shown) if path.is_dir() else path}"


def _existing(url: str, root: Path) -> tuple[Path, str]:
    """Return the file or folder at `url`, and its name for messages.

    Raises:
        ConfigError: the path is not valid on this machine.
        DataError: the file or folder does not exist.
    """
    path = _path(url, root)
    try:
        shown, exists = _shown(path, root), path.exists()
    except (OSError, ValueError):  # too long, or with a zero byte
        raise ConfigError("The path of the source is not valid on this machine.", fix=CHECK) from None
    if not exists:
        raise DataError(
            f"There is no {shown}.", why="Nothing has been written there yet, or the place is another one.", fix=CHECK
        )
    return path, shown


def _path(url: str, root: Path) -> Path:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return root / url
    if scheme not in {"sqlite", "file"} or not rest.startswith("/"):
        # The rest of the URL may hold a password, so it is not shown.
        raise ConfigError(
            f"Cannot read sources of the kind {scheme}://.",
            why=f"Supported are paths and the URLs sqlite:///, file:///, spark://, {'://, '.join(DRIVERS)}://.",
            fix=CHECK,
        )
    # As in SQLAlchemy: three slashes for a path relative to the repository, four for an absolute one.
    return root / rest[1:] if scheme == "sqlite" else Path(rest)


def _shown(path: Path, root: Path) -> str:
    path, root = path.resolve(), root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _inside(folder: Path, table: str | None, shown: str) -> Path:
    """Return the folder or file of a table in a folder of several, or the folder itself if it holds the files."""
    names = [table, *(f"{table}{kind}" for kind in KINDS)] if table else []
    for name in names:
        if (folder / name).exists():
            return folder / name
    if not table or any(file.parent == folder for file in files_of(folder)):
        return folder
    tables = sorted({re.sub(r"\.(parquet|pq|[ct]sv)(\.gz)?$", "", place.name) for place in folder.iterdir()})
    raise DataError(
        f"{shown} has no table {table!r}.",
        why=f"Its tables are: {', '.join(tables) or 'none'}.",
        fix="Name the right one as table under [data] in model.toml.",
    )
