"""A real PostgreSQL for tests: one throw-away server a session, without TCP, and a new database for whoever asks."""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest

PASSWORD = "not@very:secret/at-all?"  # noqa: S105 - of a server that nobody else can reach
QUOTED = quote(PASSWORD, safe="")
ACCESS = """
local all postgres trust
local all all scram-sha-256
"""
NUMBERS = itertools.count()


def _program(name: str) -> str | None:
    """The newest one where the packages of Linux distributions put it, else the one on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return str(found[-1]) if found else shutil.which(name)


class Server:
    """A running PostgreSQL. It refuses to run as root, so there it runs as nobody."""

    def __init__(self, initdb: str, control: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # short, and open to nobody
        self._control = control
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(self.folder, "nobody", "nogroup")
        data = self.folder / "data"
        self._run(initdb, "--pgdata", str(data), "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")
        (data / "pg_hba.conf").write_text(ACCESS)
        options = f"-F -c listen_addresses='' -c unix_socket_directories='{self.folder}' -c max_connections=30"
        options += " -c autovacuum=off -c wal_level=minimal -c max_wal_senders=0"
        self._data, self._log = data, self.folder / "log"
        self._run(control, "--pgdata", str(data), "--options", options, "--log", str(self._log), "--wait", "start")

    def _run(self, *words: str) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": self.folder}
        subprocess.run(words, check=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, **quiet, **self._user)

    def stop(self) -> None:
        """End it and remove what it wrote."""
        if self.folder.exists():
            self._run(self._control, "--pgdata", str(self._data), "--mode=immediate", "--wait", "stop")
            shutil.rmtree(self.folder)

    def address(self, database: str, user: str = "postgres", **options: str) -> str:
        """The URL of a database on it."""
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"postgresql:///{database}?host={self.folder}&user={user}{more}"


@functools.cache
def server() -> Server:
    """The server of this session; the test is skipped where there can be none."""
    pytest.importorskip("adbc_driver_postgresql", reason="the extra [postgres] is not installed")
    initdb, control = _program("initdb"), _program("pg_ctl")
    if initdb is None or control is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    running = Server(initdb, control)
    atexit.register(running.stop)
    return running


def stop() -> None:
    """Stop the server, if one was started."""
    if server.cache_info().currsize:
        server().stop()
        server.cache_clear()


def fresh() -> str:
    """The URL of an empty database."""
    name = f"base{next(NUMBERS)}"
    execute(server().address("postgres"), f"CREATE DATABASE {name} TEMPLATE template0")
    return server().address(name)


def execute(url: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """What a query gives."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def append(url: str, table: str, rows: pa.Table, mode: str = "append") -> None:
    """Add rows to a table, by the names of their columns; with `mode` "create", it is made for them."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest(table, rows, mode=mode)
        connection.commit()


def insert(table: str, values: Sequence[Any]) -> str:
    """A statement that adds a row."""
    written = ("NULL" if value is None else "'{}'".format(str(value).replace("'", "''")) for value in values)
    return f"INSERT INTO {table} VALUES ({', '.join(written)})"  # noqa: S608 - of a test
