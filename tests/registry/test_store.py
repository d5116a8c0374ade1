from __future__ import annotations

import contextlib
import http.server
import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError, OutsideError, UsageError
from registry import events, store
from registry.promotion import apply
from registry.registry import Registry


@contextlib.contextmanager
def answering(status: int) -> Iterator[str]:
    """A server on this machine that answers everything with one status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status)

        do_POST = do_GET  # noqa: N815 - the name is the library's

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def assert_no_answer(uri: str, folder: Path) -> None:
    """Every question that a night asks ends as an outage, without the password in its text."""
    registry = Registry(uri, folder)
    for question in (
        lambda: apply.observe(registry.client, "flights"),
        lambda: registry.champion("flights"),
        lambda: registry.find("flights", "0" * 64),
        lambda: registry.trainings("flights"),
        lambda: events.read_events(registry.client, "flights"),
    ):
        with pytest.raises(OutsideError) as caught:
            question()
        assert 6 == caught.value.exit_code
        assert "secret" not in str(caught.value)
        assert "secret" not in repr(caught.value.__cause__)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No retries, so that a test of an outage takes no time."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.usefixtures("impatient")
def test_a_closed_port_is_an_outage_and_never_an_empty_registry(tmp_path: Path) -> None:
    """When nobody answers, no question gets "there is none", and no password gets into the message."""
    assert_no_answer("http://user:secret@127.0.0.1:9", tmp_path)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("status", [401, 500, 503])
def test_a_refusing_server_is_an_outage_too(tmp_path: Path, status: int) -> None:
    """A server that fails or refuses the credentials is not an empty registry either."""
    with answering(status) as uri:
        assert_no_answer(uri.replace("//", "//user:secret@"), tmp_path)


def _file_as_folder(folder: Path) -> Path:
    (folder / "file").write_text("kept")
    return folder / "file" / "mlflow.db"


def _folder_as_file(folder: Path) -> Path:
    (folder / "mlflow.db").mkdir()
    return folder / "mlflow.db"


def _other_file(folder: Path) -> Path:
    (folder / "mlflow.db").write_text("dear diary")
    return folder / "mlflow.db"


def _empty_file(folder: Path) -> Path:
    (folder / "mlflow.db").touch()
    return folder / "mlflow.db"


@pytest.mark.parametrize("spoil", [_file_as_folder, _folder_as_file, _other_file, _empty_file])
def test_a_database_that_cannot_be_opened_is_an_outside_failure(tmp_path: Path, spoil: object) -> None:
    """A path that cannot be written, or holds something else, ends at once with exit code 6 and is left alone."""
    path = spoil(tmp_path)  # type: ignore[operator]
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(OutsideError, match="cannot be opened") as caught:
        Registry(f"sqlite:///{path}", tmp_path)
    assert str(path) in caught.value.what
    assert before == sorted(tmp_path.rglob("*"))


def test_a_database_without_its_tables_is_an_outside_failure(tmp_path: Path) -> None:
    """Somebody else's SQLite file is not taken over silently when MLflow cannot use it."""
    path = tmp_path / "mlflow.db"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE experiments (number INTEGER)")

    with pytest.raises(OutsideError, match=r"mlflow\.db"):
        Registry(f"sqlite:///{path}", tmp_path)


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a.db?mode=memory"])
def test_a_registry_in_memory_is_refused(tmp_path: Path, uri: str) -> None:
    """A registry that forgets is a config error with exit code 2."""
    with pytest.raises(ConfigError, match="names no file"):
        Registry(uri, tmp_path)


def _create(path: Path, start: Any, seen: Any) -> None:
    start.wait()
    store.create(path, path.parent / "artifacts")
    seen.put(path.stat().st_ino)


def test_two_processes_make_one_database(tmp_path: Path) -> None:
    """Two runs that start on an empty machine at once get the same whole database: neither replaces the other's."""
    path = tmp_path / "new" / "mlflow.db"
    context = multiprocessing.get_context("spawn")
    start, seen = context.Barrier(2), context.SimpleQueue()
    runs = [context.Process(target=_create, args=(path, start, seen)) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)

    assert [0, 0] == [run.exitcode for run in runs]
    assert 1 == len({seen.get() for _ in runs})
    assert {"mlflow.db", ".mlflow.db.lock"} == {file.name for file in path.parent.iterdir()}
    assert {} == Registry(f"sqlite:///{path}", tmp_path).versions("flights")


def test_an_existing_database_is_not_made_again(mlflow_store: Path) -> None:
    """What is there stays there."""
    before = mlflow_store.read_bytes()
    store.create(mlflow_store, mlflow_store.parent)

    assert before == mlflow_store.read_bytes()


def test_no_fluent_state_is_left_behind(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two registries in one process do not meet through MLflow's global store."""
    import mlflow

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    assert not mlflow.tracking.is_tracking_uri_set()
    assert registry.client.tracking_uri.startswith("sqlite:///")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("at http://user:pass@host:5000/api", "at http://host:5000/api"),
        ("postgresql://u:p@ss@db/mlflow and https://t0ken@host", "postgresql://db/mlflow and https://host"),
        ("nobody@example.org http://host/a@b", "nobody@example.org http://host/a@b"),
    ],
)
def test_passwords_are_taken_out_of_addresses(text: str, clean: str) -> None:
    """User and password of any address disappear; other text stays."""
    assert clean == store.scrub(text)


@pytest.mark.parametrize("name", ["a' OR name='b", 'a"b', "a`b", "a\\b"])
def test_a_quote_cannot_end_a_filter(name: str) -> None:
    """Names go into MLflow's filters as values, and never as more of the filter."""
    with pytest.raises(UsageError, match="quote"):
        store.literal(name)
