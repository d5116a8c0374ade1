"""What can be said of a Spark source before there is a Spark; tests/engines counts on a real one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.config.model import Data
from core.errors import ConfigError, DataError, MlopsError, OutsideError
from monitoring.sources import errors
from monitoring.sources.source import on_spark, open_source

DATA = Data(source="rows", numeric=("wind",))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("spark://", "spark:// does not name a table or folder"),
        ("spark://host:7077", "spark://host:7077 does not name a table or folder"),
        ("spark://file:///no/such/folder", "There is no /no/such/folder"),
        ("spark://no/such/folder", "There is no no/such/folder"),
        ("spark://postgresql://me:secret@host/base", "Spark cannot read postgresql://host/base"),
        ("spark://sqlite:///local/monitoring.db", "Spark cannot read sqlite"),
        ("spark://local/monitoring.db", "Spark cannot read local/monitoring.db"),
        ("spark://rows.csv", "Spark cannot read rows.csv"),
    ],
)
def test_what_spark_cannot_read_is_named(tmp_path: Path, url: str, said: str) -> None:
    """The error names the place without a password, and says what to write instead."""
    with pytest.raises(MlopsError) as caught:
        open_source(url, DATA, tmp_path)

    assert caught.value.what.startswith(said)
    assert "secret" not in str(caught.value)
    assert caught.value.fix


def test_the_engine_is_a_prefix() -> None:
    """`--engine spark` reads the place that the source names; a source that is Spark's stays as it is."""
    assert "spark://rows" == on_spark("rows") == on_spark("spark://rows")


def test_without_pyspark_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, and what to type."""
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)

    with pytest.raises(ConfigError, match="needs PySpark, which is not installed") as caught:
        open_source("spark://main.predictions", DATA, tmp_path)

    assert "make setup LOCK=requirements-engines.lock" in caught.value.fix


@pytest.mark.parametrize(
    ("condition", "said", "kind", "what"),
    [
        ("TABLE_OR_VIEW_NOT_FOUND", "42 rows", DataError, "Spark does not find rows"),
        ("PATH_NOT_FOUND", "s3a://bucket", DataError, "Spark does not find rows"),
        (
            "Py4JJavaError",
            "o7.parquet. : org.apache.spark.SparkException: [FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER] secret",
            DataError,
            "cannot read rows (FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER)",
        ),
        ("COLUMN_ALREADY_EXISTS", "The column `secret`", DataError, "cannot read rows (COLUMN_ALREADY_EXISTS)"),
        ("PARQUET_TYPE_ILLEGAL", "[PARQUET_TYPE_ILLEGAL] secret", DataError, "cannot read rows (PARQUET_TYPE_ILLEGAL)"),
        ("PySparkRuntimeError", "[JAVA_GATEWAY_EXITED] Java gateway", ConfigError, "Spark did not start"),
        (
            "PythonException",
            "ModuleNotFoundError: No module named 'pydantic'",
            ConfigError,
            "the Python module pydantic",
        ),
        ("CAST_INVALID_INPUT", "The value 'secret' cannot be cast", OutsideError, "read rows (CAST_INVALID_INPUT)"),
    ],
)
def test_spark_is_quoted_without_values(condition: str, said: str, kind: type[MlopsError], what: str) -> None:
    """Its condition says what happened; its text, which may hold a value of a row, is not shown."""
    err = errors.spark("rows", condition, said)

    assert type(err) is kind
    assert what in err.what
    assert "secret" not in str(err)
