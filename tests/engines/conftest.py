"""A Spark of two workers on this machine: silent, on the loopback address, and away from the project's folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

DEFAULTS = """
spark.master local[2]
spark.driver.memory 1g
spark.ui.enabled false
spark.ui.showConsoleProgress false
spark.sql.shuffle.partitions 3
spark.sql.files.maxPartitionBytes 64k
spark.sql.files.openCostInBytes 64k
"""
SILENT = """
appender.none.type = Null
appender.none.name = none
rootLogger.level = off
rootLogger.appenderRef.none.ref = none
"""


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Spark's own settings, as a user has them; SPARK_REMOTE=local[2] makes it a server that is spoken to over gRPC."""
    pytest.importorskip("pyspark", reason="the extra [spark] is not installed (make engines)")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Java is not installed (apt-get install openjdk-17-jre-headless)")
    folder = tmp_path_factory.mktemp("spark")
    own = f"spark.local.dir {folder}\nspark.sql.warehouse.dir {folder / 'warehouse'}\n"
    (folder / "spark-defaults.conf").write_text(DEFAULTS + own)
    (folder / "log4j2.properties").write_text(SILENT)
    os.environ.update(SPARK_CONF_DIR=str(folder), SPARK_LOCAL_IP="127.0.0.1")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """An empty folder for Parquet files."""
    folder = tmp_path / "rows"
    folder.mkdir()
    return folder
