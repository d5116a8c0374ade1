"""Reach MLflow in one way: quietly, giving up soon, and with the database created only once."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ConfigError, MlopsError, OutsideError, UsageError

if TYPE_CHECKING:
    from mlflow import MlflowClient

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Our models are loaded by modelfile.load; with this nothing else here loads one by accident.
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    # MLflow would try for over a minute; this is some seven seconds. A server that accepts and then says nothing would
    # be waited for two minutes, each time; this is two minutes in all.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    # A server, or something in front of it, that asks to come back in an hour would keep the job waiting for an hour.
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
    # Both would stand in the middle of our own output, the second one even in that of --json.
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
PAGE = 1000
SQLITE = "sqlite:///"
HEADER = b"SQLite format 3\0"


def connect(uri: str, artifacts: Path) -> MlflowClient:
    """A client of the tracking store and registry at `uri`; an SQLite file is created where there is none.

    Args:
        uri: sqlite:///FILE, http(s)://SERVER, or another database that MLflow knows.
        artifacts: where files go when no server decides that.

    Raises:
        ConfigError: no file is named in an sqlite address.
        OutsideError: the store cannot be opened.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if uri.startswith("sqlite:"):
        path = _sqlite_path(uri)
        create(path, artifacts)
        uri = f"{SQLITE}{path}"
    from mlflow import MlflowClient

    _silence()
    with reaching(uri, "opened"):
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def create(path: Path, artifacts: Path) -> None:
    """Make the MLflow database `path` if there is none. Two processes at once make one, and each sees the whole of it.

    Raises:
        OutsideError: it cannot be written, or another file stands there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not _is_database(path):
            from filelock import FileLock

            with FileLock(path.parent / f".{path.name}.lock"):
                if not _is_database(path):
                    _create(path, artifacts)
    except OSError as err:
        raise OutsideError(
            f"The MLflow database {path} cannot be opened: {err.strerror or err}.",
            why="The folder is read-only, the disk is full, or something else stands in its place.",
            fix="Free the path, or set MLFLOW_TRACKING_URI to another.",
        ) from err


def _create(path: Path, artifacts: Path) -> None:
    # MLflow runs its migrations in the file: seen by another process meanwhile, it may be ruined for good.
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    _silence()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        unfinished = Path(folder) / path.name
        with reaching(f"{SQLITE}{path}", "created"):
            store = SqlAlchemyStore(f"{SQLITE}{unfinished}", str(artifacts.absolute()))
            store.engine.dispose()
        unfinished.replace(path)


def _is_database(path: Path) -> bool:
    """Whether `path` is one that we can write; False where there is nothing yet."""
    try:
        with path.open("r+b") as file:
            start = file.read(len(HEADER))
    except FileNotFoundError:
        return False
    if start and start != HEADER:
        raise OSError("the file is not an SQLite database")
    return bool(start)


def _sqlite_path(uri: str) -> Path:
    name = uri.removeprefix(SQLITE)
    if name in {"", ":memory:", uri} or "?" in name:
        raise ConfigError(
            f"MLFLOW_TRACKING_URI is {uri!r}, which names no file.",
            why="A registry in memory would forget what is in Production.",
            fix="Write it like sqlite:////absolute/path/mlflow.db.",
        )
    return Path(name).absolute()


def _silence() -> None:
    # What matters comes to us as exceptions, and is told once, by us.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def reaching(uri: str, done: str) -> Iterator[None]:
    """Turn what MLflow, its database or its artifact store raise into our error, without any password in it.

    Args:
        uri: the store, for the message.
        done: what was to be done to it, in the participle.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as err:
        said = str(err)
        clean = " ".join(scrub(said).split())[:300]
        raise OutsideError(
            f"The MLflow store {scrub(uri)} could not be {done}: {clean}",
            why="It is down or out of reach, refuses these credentials, is of another MLflow version, or lost a file.",
            fix="Run this again when it answers; MLFLOW_TRACKING_URI says where it is.",
        ) from (err if scrub(said) == said else None)


def scrub(text: str) -> str:
    """`text` without the user and password of any address in it."""
    return re.sub(r"(?<=://)[^/\s]*@", "", text)


def code(err: MlopsError | Exception) -> str:
    """MLflow's name for what went wrong, as in RESOURCE_DOES_NOT_EXIST; empty for other exceptions."""
    return str(getattr(err, "error_code", ""))


def pages(search: Callable[[str | None], Any]) -> list[Any]:
    """All results of a search that gives them in pages, from `search(token)`."""
    found: list[Any] = []
    token: str | None = None
    while True:
        page = search(token)
        found += page
        token = page.token
        if not token:
            return found


def literal(text: str) -> str:
    """`text` as a value in one of MLflow's filters.

    Raises:
        UsageError: a quote in it would end the value.
    """
    if re.search(r"['\"`\\]", text):
        raise UsageError(f"{text!r} cannot be looked up in MLflow: it holds a quote.", fix="Use another name.")
    return f"'{text}'"
