"""Readers of the monitoring table: SQLite, files, warehouses and Spark."""

from monitoring.sources.adbc import driver_of, patient, shown
from monitoring.sources.errors import not_written
from monitoring.sources.files import files_of, is_csv, is_data
from monitoring.sources.source import Counting, Source, on_spark, open_source
from monitoring.sources.spark import SparkSource, session

__all__ = [
    "Counting",
    "Source",
    "SparkSource",
    "driver_of",
    "files_of",
    "is_csv",
    "is_data",
    "not_written",
    "on_spark",
    "open_source",
    "patient",
    "session",
    "shown",
]
