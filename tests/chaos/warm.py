"""Import what commands import, so that each process of the suite is forked ready and costs a fraction of a second."""

from __future__ import annotations

import importlib
import os
import warnings
from pathlib import Path

OURS = ("core", "monitoring", "training", "registry", "review", "stages", "scripts")
THEIRS = (
    "great_expectations.expectations",
    "mlflow.artifacts",
    "mlflow.pyfunc",
    "mlflow.sklearn",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "pyarrow.parquet",
    "skops.io",
)
OPTIONAL = {"monitoring.sources.spark_worker", "scripts.__main__"}

os.environ["OMP_NUM_THREADS"] = "1"  # a thread that is running would not come along in a fork
for variable in ("MLFLOW_DISABLE_TELEMETRY", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"):
    os.environ[variable] = "true"


def load() -> None:
    """Import them, and let SQLAlchemy prepare what it would prepare at the first use."""
    root = Path(__file__).parents[2]
    ours = [
        ".".join(path.relative_to(root).with_suffix("").parts)
        for part in OURS
        for path in sorted((root / part).rglob("*.py"))
    ]
    for name in (*THEIRS, *ours, "tests.place", "tests.chaos.process", "tests.chaos.nights"):
        if name not in OPTIONAL:
            importlib.import_module(name)
    importlib.import_module("sqlalchemy.orm").configure_mappers()
    # Which package each module is of: half a second for every training, and the same for all.
    importlib.import_module("mlflow.utils.requirements_utils")._init_modules_to_packages_map()


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    load()
