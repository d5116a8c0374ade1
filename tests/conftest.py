"""One MLflow database for the whole session, and a copy of it for every test that wants a registry."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from model.registry import Registry


def pytest_configure(config: pytest.Config) -> None:
    """Let warnings of MLflow's own code about its libraries pass: they are errors only where they are about ours."""
    config.addinivalue_line("filterwarnings", "ignore:The ``noload:DeprecationWarning")


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database to copy, made once for all workers."""
    from model.store import create

    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent
    path = folder / "store" / "mlflow.db"
    create(path, folder / "store" / "artifacts")
    return path


@pytest.fixture
def registry(mlflow_store: Path, tmp_path: Path) -> Registry:
    """An empty registry of the test's own."""
    from model.registry import Registry

    shutil.copy(mlflow_store, tmp_path / "mlflow.db")
    return Registry(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts")
