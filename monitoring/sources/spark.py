"""Reach rows through Spark, and count them on its executors with the same kernel: a Parquet folder, or a table."""

from __future__ import annotations

import datetime as dt
import os
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, reduce
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from core.config import Data
from core.errors import ConfigError, MlopsError
from monitoring.axes import Axis
from monitoring.counting import DayTally
from monitoring.sources import errors, spark_worker, typed

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

BATCH = 65_536  # rows that an executor hands over at once, fewer of wide tables:
VALUES = 1 << 22  # values at once
START = dt.datetime.min.replace(tzinfo=dt.UTC)
SLACK = dt.timedelta(days=2)  # whatever the zone of the session: exact bounds are applied on the executors
FIRST_YEAR = 1000  # Py4J writes years before without leading zeros, which Java refuses
TIMES = ("timestamp", "timestamp_ntz", "date")
OURS = ("core", "monitoring")  # what executors need of this project
RESULT = "key string, value binary"
PANDAS = "PySpark does not yet fully support pandas"  # it is handed none: Arrow only


class SparkSource:
    """The Parquet files at `place` and below it (what has a slash), or the table of this name in Spark's catalog.

    Which Spark is Spark's own matter: a session that exists, `SPARK_REMOTE`, `spark-defaults.conf`, or this machine.
    """

    def __init__(self, place: str, data: Data) -> None:
        self._data, self._shown = data, place.removeprefix("file://")
        with self._asking():
            self._spark = session()
            self._frame = _read(self._spark, place)
            self._columns = {field.name: field.dataType.simpleString() for field in self._frame.schema.fields}
        typed.require(self._columns, data, self._shown)

    @property
    def columns(self) -> Mapping[str, str]:
        """The type of each column, as Spark calls it."""
        return self._columns

    def batches(self, columns: Sequence[str], start: dt.datetime, end: dt.datetime | None) -> Iterator[pa.RecordBatch]:
        """Rows with start <= time < end; see `source.Source`. All are brought here first."""
        span = self._span(columns, start, end)
        with self._asking():
            rows = self._chosen(span).toArrow()
        for batch in rows.to_batches(BATCH):
            inside = span.of(batch)
            if inside.num_rows:
                yield inside.select([name for name in columns if name in self._columns])

    def latest(self) -> dt.datetime | None:
        """The newest time."""
        span = self._span([], START, None)
        return spark_worker.newest(self._run(span, spark_worker.Newest(span)))

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
        """What `tally.count` says of the batches with these columns, counted on the executors.

        Only sums come here, so memory does not grow with the rows.
        """
        span = self._span(columns, start, end)
        return spark_worker.counted(self._run(span, spark_worker.Count(span, axes, version, as_of)))

    def _span(self, columns: Sequence[str], start: dt.datetime, end: dt.datetime | None) -> spark_worker.Span:
        """The time column and, of these columns, those that there are."""
        names = dict.fromkeys([self._data.columns.time, *columns])
        return spark_worker.Span(self._data, tuple(name for name in names if name in self._columns), start, end)

    def _run(self, span: spark_worker.Span, work: spark_worker.Work) -> list[spark_worker.Group]:
        """Let each partition work, and merge the results by their key."""

        def parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            yield from spark_worker.run(work, batches).to_batches()

        def merged(group: pa.Table) -> pa.Table:
            return spark_worker.merge(group)

        with self._asking():
            rows = min(BATCH, VALUES // len(span.names))
            self._spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(rows))
            found = self._chosen(span).mapInArrow(parts, RESULT)
            merging = found.groupBy("key").applyInArrow(merged, RESULT)
            return [(row["key"], bytes(row["value"])) for row in merging.collect()]

    def _chosen(self, span: spark_worker.Span) -> DataFrame:
        """The columns, named by position, and the rows that may be in the span (or have no time, which is an error)."""
        named = (_column(name).alias(f"c{number}") for number, name in enumerate(span.names))
        rows = self._frame.select(*named)
        if self._columns[span.names[0]] not in TIMES:
            return rows
        at = rows["c0"]
        bounds = [at >= (span.start - SLACK).date()] if span.start.year >= FIRST_YEAR else []
        bounds += [] if span.end is None else [at < (span.end + SLACK).date()]
        return rows.where(at.isNull() | reduce(and_, bounds)) if bounds else rows

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What Spark says becomes an error without values of rows in it."""
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=PANDAS)
                yield
        except MlopsError:
            raise
        except Exception as err:  # noqa: BLE001 - PySpark's own, Py4J's or gRPC's, by how Spark is reached
            condition = err.getCondition() if hasattr(err, "getCondition") else None
            raise errors.spark(self._shown, condition or type(err).__name__, str(err)) from None


def session() -> SparkSession:
    """The Spark session, with our code sent to where rows are counted.

    Raises:
        ConfigError: PySpark is not installed.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ConfigError(
            "Counting on Spark needs PySpark, which is missing.",
            why="It is large, and most projects count on one machine.",
            fix="Install the extra [spark] of this project: make setup LOCK=requirements-engines.lock",
        ) from None
    # Workers on this machine run in the same environment; those of a cluster where their own variable says.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark: SparkSession = SparkSession.builder.appName("mlops").getOrCreate()
    _send(spark)
    return spark


@cache
def _send(spark: SparkSession) -> tempfile.TemporaryDirectory[str]:
    """Let executors import our packages: from a zip file in this folder, which they fetch for as long as we run."""
    folder = tempfile.TemporaryDirectory(prefix="mlops-")
    root = Path(__file__).parents[2]
    with zipfile.ZipFile(f"{folder.name}/mlops.zip", "w") as file:
        for package in OURS:
            for source in sorted((root / package).rglob("*.py")):
                file.write(source, source.relative_to(root).as_posix())
    spark.addArtifacts(f"{folder.name}/mlops.zip", pyfile=True)
    return folder


def _read(spark: SparkSession, place: str) -> DataFrame:
    if "/" not in place:
        return spark.table(place)
    # As our own reader: files of all folders below, each with the columns that it has.
    return spark.read.option("recursiveFileLookup", "true").option("mergeSchema", "true").parquet(place)


def _column(name: str) -> Column:
    from pyspark.sql import functions

    return functions.expr("`" + name.replace("`", "``") + "`")
