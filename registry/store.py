"""The connection to MLflow: quiet, with short timeouts, and with the SQLite database created only once."""

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
from registry.causes import cause_of
from registry.relocation import follow_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Models are loaded by model_file.load; with this setting nothing else loads one by accident.
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    # By default MLflow retries for over a minute; this is about seven seconds. For a server that accepts a request and
    # never responds it waits two minutes, each time; this is two minutes in all.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    # Otherwise a server, or a proxy in front of it, that asks for a retry in an hour keeps the job waiting for an hour.
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
    # Both would be mixed into the output of the command, the second one even into that of --json.
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
PAGE = 1000
SQLITE = "sqlite:///"
HEADER = b"SQLite format 3\0"


def connect(uri: str, artifacts: Path) -> MlflowClient:
    """Return a client of the tracking store and registry at `uri`; an SQLite file is created if it does not exist.

    Args:
        uri: sqlite:///FILE, http(s)://SERVER, or another database that MLflow knows.
        artifacts: the folder for files, if no server keeps them.

    Raises:
        ConfigError: an sqlite address names no file.
        OutsideError: the store cannot be opened.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if uri.startswith("sqlite:"):
        path = _sqlite_path(uri)
        create(path, artifacts)
        with reaching(uri, "opened"):
            follow_folder(path, artifacts.absolute())
        uri = f"{SQLITE}{path}"
    from mlflow import MlflowClient

    _silence()
    with reaching(uri, "opened"):
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def create(path: Path, artifacts: Path) -> None:
    """Create the MLflow database `path` if it does not exist; two processes at once create one, and both see all of it.

    Raises:
        OutsideError: it cannot be written, or it is another kind of file.
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
            why="The folder is read-only, the disk is full, or a folder, another kind of file or half a copy has this "
            "name.",
            fix="Restore the database from a backup, free the path, or set MLFLOW_TRACKING_URI to another.",
        ) from err


def _create(path: Path, artifacts: Path) -> None:
    # MLflow runs its migrations in the file. If another process opened it in the meantime, it could stay damaged.
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    _silence()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        unfinished = Path(folder) / path.name
        with reaching(f"{SQLITE}{path}", "created"):
            store = SqlAlchemyStore(f"{SQLITE}{unfinished}", str(artifacts.absolute()))
            store.engine.dispose()
        unfinished.replace(path)


def _is_database(path: Path) -> bool:
    """Return whether `path` is a database that can be written; False if it does not exist."""
    try:
        with path.open("r+b") as file:
            start = file.read(len(HEADER))
    except FileNotFoundError:
        return False
    if not start:  # created elsewhere and moved here, a database is never empty: it was truncated
        raise OSError("the file is empty, so what was in it is lost")
    if start != HEADER:
        raise OSError("the file is not an SQLite database")
    return True


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
    # What matters is raised as an exception, and reported once.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def reaching(uri: str, action: str) -> Iterator[None]:
    """Turn the errors of MLflow, its database and its artifact store into OutsideError, without any password.

    Args:
        uri: the store, for the message.
        action: what could not be done to the store, as a participle.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as err:
        text = str(err)
        clean = " ".join(scrub(text).split())[:300]
        cause = cause_of(text)
        raise OutsideError(
            f"The MLflow store {scrub(uri)} could not be {action}: {clean}", why=cause.why, fix=cause.fix
        ) from (err if scrub(text) == text else None)


def scrub(text: str) -> str:
    """Return `text` without the user and password of the addresses in it."""
    return re.sub(r"(?<=://)[^/\s]*@", "", text)


def code(err: MlopsError | Exception) -> str:
    """Return MLflow's code of an error, such as RESOURCE_DOES_NOT_EXIST; empty for other exceptions."""
    return str(getattr(err, "error_code", ""))


def pages(search: Callable[[str | None], Any]) -> list[Any]:
    """Return all results of a search whose `search(token)` returns one page."""
    results: list[Any] = []
    token: str | None = None
    while True:
        page = search(token)
        results += page
        token = page.token
        if not token:
            return results


def literal(text: str) -> str:
    """Return `text` as a value for MLflow's filters.

    Raises:
        UsageError: it contains a quote, which would end the value.
    """
    if re.search(r"['\"`\\]", text):
        raise UsageError(f"{text!r} cannot be searched for in MLflow: it contains a quote.", fix="Use another name.")
    return f"'{text}'"
