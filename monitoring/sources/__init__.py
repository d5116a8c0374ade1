"""Readers of the monitoring table: SQLite, files, warehouses and Spark."""

from monitoring.sources import typed
from monitoring.sources.adbc import driver_of, patient, shown
from monitoring.sources.errors import not_written
from monitoring.sources.source import Counting, Source, on_spark, open_source
from monitoring.sources.spark import SparkSource, session
from monitoring.sources.typed import MISSING

__all__ = [
    "MISSING",
    "Counting",
    "Source",
    "SparkSource",
    "driver_of",
    "not_written",
    "on_spark",
    "open_source",
    "patient",
    "session",
    "shown",
    "typed",
]
