"""A real `mlflow server` on loopback, whose database can be put back between tests."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

WAIT = 180.0


class Server:
    """The server, with artifacts served by it.

    Args:
        folder: where its database and artifacts lie.
        store: the database that it begins with.
    """

    def __init__(self, folder: Path, store: Path) -> None:
        folder.mkdir(parents=True)
        self.database = folder / "mlflow.db"
        self.restore(store)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = folder / "server.log"
        words = [
            *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)),
            *("--workers", "1", "--backend-store-uri", f"sqlite:///{self.database}"),
            *("--artifacts-destination", str(folder / "artifacts")),
        ]
        quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                words, env={**kept, **quiet}, cwd=folder, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def restore(self, database: Path) -> None:
        """Make its database what another one is."""
        _copy(database, self.database)

    def give(self, database: Path) -> None:
        """Make another database what its own is."""
        _copy(self.database, database)

    def __enter__(self) -> Self:
        """Wait until it answers."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end and self.process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:  # noqa: S310
                if answer.status == 200:
                    return self
            time.sleep(0.2)
        self.stop()
        raise AssertionError(f"mlflow server did not start: {self.log.read_text()[-2000:]}")

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def stop(self) -> None:
        """End it and what it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as from_, closing(sqlite3.connect(target)) as to:
        from_.backup(to)
