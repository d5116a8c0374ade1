"""The registry in a folder moves with it, and a copy becomes one of its own."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import OutsideError
from registry.registry import Registry
from registry.version import ModelVersion


def opened(folder: Path) -> Registry:
    """The registry in a folder."""
    return Registry(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts")


@pytest.fixture
def home(register: Callable[..., ModelVersion], tmp_path: Path) -> Path:
    """A folder with a registry that has one version."""
    register(1)
    folder = tmp_path / "a home" / "local"
    folder.mkdir(parents=True)
    shutil.move(tmp_path / "mlflow.db", folder)
    shutil.move(tmp_path / "artifacts", folder)
    assert opened(folder).artifacts == folder / "artifacts"
    return folder


def loads(folder: Path) -> bool:
    """Whether the version there is whole."""
    registry = opened(folder)
    version = registry.version("flights", 1)
    return registry.reproduces_example(version, registry.load(version))


def test_a_folder_that_was_moved_has_its_versions(home: Path, tmp_path: Path) -> None:
    """Renamed twice, once to a path with blanks, it loads what it holds."""
    assert loads(home)
    moved = tmp_path / "another ünit" / "local"
    moved.parent.mkdir()
    home.rename(moved)

    assert loads(moved)


def test_a_copy_reads_and_writes_its_own_files(home: Path, tmp_path: Path) -> None:
    """What the copy changes or loses leaves the original as it is, and the other way round."""
    copy = tmp_path / "copy" / "local"
    shutil.copytree(home, copy)
    assert loads(copy)
    with closing(sqlite3.connect(copy / "mlflow.db")) as db:
        columns = {"runs": "artifact_uri", "model_versions": "storage_location", "logged_models": "artifact_location"}
        rows = [db.execute(f"SELECT {column} FROM {table}").fetchall() for table, column in columns.items()]  # noqa: S608
    places = [row[0] for part in rows for row in part]
    assert [] == [place for place in places if str(copy) not in place.replace("%20", " ")]
    shutil.rmtree(copy / "artifacts")
    assert loads(home)

    shutil.rmtree(home / "artifacts")
    with pytest.raises(OutsideError, match="could not be read"):
        loads(home)


def test_a_database_that_was_copied_alone_still_finds_its_files(home: Path, tmp_path: Path) -> None:
    """Without files beside it, it names those of before."""
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(home / "mlflow.db", alone)

    assert loads(alone)
