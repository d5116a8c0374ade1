"""A Parquet folder or catalog table as a Spark source, counted on the executors by the same RowCounter."""

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

BATCH = 65_536  # rows that an executor passes at once, fewer for wide tables:
VALUES = 1 << 22  # values at once
START = dt.datetime.min.replace(tzinfo=dt.UTC)
SLACK = dt.timedelta(days=2)  # covers any time zone of the session; the executors apply the exact bounds
FIRST_YEAR = 1000  # Py4J writes years before without leading zeros, which Java refuses
TIMES = ("timestamp", "timestamp_ntz", "date")
PACKAGES = ("core", "monitoring")  # what executors need of this project
RESULT = "key string, value binary"
PANDAS = "PySpark does not yet fully support pandas"  # a warning without meaning here: only Arrow is passed


class SparkSource:
    """The Parquet files in the folder `place` (a name with a slash), or a table of Spark's catalog.

    Spark's settings choose the cluster: an existing session, `SPARK_REMOTE`, `spark-defaults.conf`, or this machine.
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
        """Return the type of each column, as Spark names it."""
        return self._columns

    def batches(self, columns: Sequence[str], start: dt.datetime, end: dt.datetime | None) -> Iterator[pa.RecordBatch]:
        """Yield the rows with start <= time < end; see `source.Source`. All are collected on this machine first."""
        span = self._span(columns, start, end)
        with self._asking():
            rows = self._chosen(span).toArrow()
        for batch in rows.to_batches(BATCH):
            inside = span.of(batch)
            if inside.num_rows:
                yield inside.select([name for name in columns if name in self._columns])

    def latest(self) -> dt.datetime | None:
        """Return the newest time."""
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
        """Return what `tally.count` returns for the batches with these columns, counted on the executors.

        Only sums are collected, so memory does not grow with the rows.
        """
        span = self._span(columns, start, end)
        return spark_worker.counted(self._run(span, spark_worker.Count(span, axes, version, as_of)))

    def _span(self, columns: Sequence[str], start: dt.datetime, end: dt.datetime | None) -> spark_worker.Span:
        """Return the span with the time column and those of the columns that exist."""
        names = dict.fromkeys([self._data.columns.time, *columns])
        return spark_worker.Span(self._data, tuple(name for name in names if name in self._columns), start, end)

    def _run(self, span: spark_worker.Span, work: spark_worker.Work) -> list[spark_worker.Group]:
        """Run the work on each partition, and return the results merged by key."""

        def parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            yield from spark_worker.run(work, batches).to_batches()

        def merged(group: pa.Table) -> pa.Table:
            return spark_worker.merge(group)

        with self._asking():
            rows = min(BATCH, VALUES // len(span.names))
            self._spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(rows))
            results = self._chosen(span).mapInArrow(parts, RESULT)
            merging = results.groupBy("key").applyInArrow(merged, RESULT)
            return [(row["key"], bytes(row["value"])) for row in merging.collect()]

    def _chosen(self, span: spark_worker.Span) -> DataFrame:
        """Return the columns, named by position, of the rows that may be in the span or have no time."""
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
        """Turn errors of Spark into errors without values of rows."""
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=PANDAS)
                yield
        except MlopsError:
            raise
        except Exception as err:  # noqa: BLE001 - PySpark's, Py4J's or gRPC's, depending on the connection
            condition = err.getCondition() if hasattr(err, "getCondition") else None
            raise errors.spark(self._shown, condition or type(err).__name__, str(err)) from None


def session() -> SparkSession:
    """Return the Spark session, with the packages that count rows sent to its executors.

    Raises:
        ConfigError: PySpark is not installed.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ConfigError(
            "Counting on Spark needs PySpark, which is not installed.",
            why="PySpark is large, and most projects count on one machine. The engine is experimental: not run against "
            "a live service.",
            fix="Install the extra [spark] of this project: make setup LOCK=requirements-engines.lock",
        ) from None
    # Workers on this machine use the same environment; on a cluster, their own variable sets it.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark: SparkSession = SparkSession.builder.appName("mlops").getOrCreate()
    _send(spark)
    return spark


@cache
def _send(spark: SparkSession) -> tempfile.TemporaryDirectory[str]:
    """Send the packages to the executors, as a zip file in a folder that lasts as long as this process."""
    folder = tempfile.TemporaryDirectory(prefix="mlops-")
    root = Path(__file__).parents[2]
    with zipfile.ZipFile(f"{folder.name}/mlops.zip", "w") as file:
        for package in PACKAGES:
            for source in sorted((root / package).rglob("*.py")):
                file.write(source, source.relative_to(root).as_posix())
    spark.addArtifacts(f"{folder.name}/mlops.zip", pyfile=True)
    return folder


def _read(spark: SparkSession, place: str) -> DataFrame:
    if "/" not in place:
        return spark.table(place)
    # As FileSource does: files of all folders below, each with the columns that it has.
    return spark.read.option("recursiveFileLookup", "true").option("mergeSchema", "true").parquet(place)


def _column(name: str) -> Column:
    from pyspark.sql import functions

    return functions.expr("`" + name.replace("`", "``") + "`")
