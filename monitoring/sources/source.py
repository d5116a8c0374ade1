"""Reach the monitoring rows wherever they are: one face over databases and folders of files."""

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
from monitoring.sources.files import KINDS, FileSource, files_of
from monitoring.sources.sqlite import SqliteSource
from monitoring.sources.warehouse import Warehouse

DATABASES = (".db", ".sqlite", ".sqlite3")
PATIENCE = 20.0  # seconds
SPARK = "spark://"
CHECK = "Check data.source in model.toml (relative to the repository), or the variable MONITORING_URL."


class Source(Protocol):
    """Monitoring rows, one a prediction. Nothing is read before it is asked for, and nothing is ever written."""

    @property
    def columns(self) -> Mapping[str, str]:
        """All columns, and the type of each in the words of the source."""

    def batches(self, columns: Sequence[str], start: dt.datetime, end: dt.datetime | None) -> Iterator[pa.RecordBatch]:
        """The rows with start <= time < end, in any order, without the columns that the source does not have.

        The time column, and `labelled_at` if configured, are timestamp("us", "UTC"). Batches may differ in types: a
        batch in which a numeric column is text holds rows (only such rows) where the source has text there.

        Raises:
            DataError: the rows cannot be read, or one of them has no time, an unreadable one, or one without a zone.
        """

    def latest(self) -> dt.datetime | None:
        """The newest time; None where there are no rows."""


@runtime_checkable
class Counting(Protocol):
    """A source that counts its rows where they lie."""

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
        """What `tally.count` says of the batches with these columns."""


def on_spark(url: str) -> str:
    """The address under which Spark reads and counts the rows at `url`."""
    return url if url.startswith(SPARK) else f"{SPARK}{url}"


def open_source(url: str, data: Data, root: Path, *, patience: float = PATIENCE) -> Source:
    """The source at `url`: a SQLite file, a Parquet or CSV file, a folder of these, a database by ADBC, or Spark.

    Args:
        url: path relative to `root`, or a URL that starts with sqlite:///, file:///, spark:// or the name of a driver.
        data: table (of a database; or a folder in the folder), columns and time zone.
        root: the repository.
        patience: how long to wait for a database that is locked or does not answer, in seconds.

    Raises:
        ConfigError: a kind of source that cannot be read, or its driver is not installed.
        DataError: it is missing or unreadable, or lacks the table, the time column or the id column.
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
    if path.suffix in KINDS:
        return FileSource(path, data, shown)
    raise ConfigError(
        f"{shown} is no source that can be read.",
        why=f"Sources are folders, and files that end in {', '.join((*DATABASES, *KINDS))}.",
        fix=CHECK,
    )


def _place(rest: str, data: Data, root: Path) -> str:
    """Where Spark finds the rows: the URL of a folder, or the name of a table, which has no slash."""
    rest = rest or data.table or ""
    if re.fullmatch(r"[\w.-]+:\d+/?", rest) or not rest:
        raise ConfigError(
            f"{SPARK}{rest} names no rows.",
            why="It says which table or folder Spark reads. Which Spark that is, its own settings say.",
            fix="Write spark://catalog.schema.table or spark://folder/of/files; SPARK_REMOTE or spark-defaults.conf "
            "name the cluster.",
        )
    if driver_of(rest) or rest.startswith("sqlite:") or rest.endswith((*DATABASES, ".csv")):
        raise ConfigError(
            f"Spark cannot read {driver_shown(rest)}.",
            why="Spark counts folders of Parquet files and the tables of its catalog.",
            fix="Leave out --engine spark, or make the rows a table of the catalog.",
        )
    if "://" in rest and not rest.startswith("file:"):
        return rest
    if "/" not in rest and not (root / rest).exists():
        return rest
    path, shown = _existing(rest, root)
    return f"file://{_inside(path, data.table, shown) if path.is_dir() else path}"


def _existing(url: str, root: Path) -> tuple[Path, str]:
    """The file or folder at `url`, and its name in messages.

    Raises:
        ConfigError: no machine can have such a path.
        DataError: there is none.
    """
    path = _path(url, root)
    try:
        shown, there = _shown(path, root), path.exists()
    except (OSError, ValueError):  # too long, or with a zero byte
        raise ConfigError("The source is no path that this machine can have.", fix=CHECK) from None
    if not there:
        raise DataError(
            f"There is no {shown}.", why="Nothing has been written there yet, or the place is another one.", fix=CHECK
        )
    return path, shown


def _path(url: str, root: Path) -> Path:
    scheme, found, rest = url.partition("://")
    if not found:
        return root / url
    if scheme not in {"sqlite", "file"} or not rest.startswith("/"):
        # The rest may hold a password: it is not shown.
        raise ConfigError(
            f"Sources of the kind {scheme}:// cannot be read.",
            why=f"Sources are paths, and URLs: sqlite:///, file:///, spark://, {'://, '.join(DRIVERS)}://.",
            fix=CHECK,
        )
    # As SQLAlchemy has it: three slashes for a path relative to the repository, four for an absolute one.
    return root / rest[1:] if scheme == "sqlite" else Path(rest)


def _shown(path: Path, root: Path) -> str:
    path, root = path.resolve(), root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _inside(folder: Path, table: str | None, shown: str) -> Path:
    """The folder or file of a table in a folder of several; the folder itself where it holds the files."""
    names = [table, *(f"{table}{kind}" for kind in KINDS)] if table else []
    for name in names:
        if (folder / name).exists():
            return folder / name
    if not table or any(file.parent == folder for file in files_of(folder)):
        return folder
    known = sorted({re.sub(r"\.(parquet|csv)$", "", place.name) for place in folder.iterdir()})
    raise DataError(
        f"{shown} has no table {table!r}.",
        why=f"The tables there are: {', '.join(known) or 'none'}.",
        fix="Name the right one as table under [data] in model.toml.",
    )
