from __future__ import annotations

import contextlib
import datetime as dt
import socket
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config.model import Data
from core.errors import ConfigError, OutsideError
from monitoring.sources import adbc
from monitoring.sources.adbc import DRIVERS, driver_of, shown
from monitoring.sources.source import Source, open_source
from tests import postgres

DATA = Data(source="rows", table="predictions", numeric=("wind",))
SECRET = "hidden"  # noqa: S105 - of nobody
START = dt.datetime(2013, 3, 4, tzinfo=dt.UTC)


def opened(url: str, patience: float = 0.01) -> Source:
    """The source at a URL."""
    return open_source(url, DATA, Path(), patience=patience)


def with_user(password: str) -> str:
    """The URL of a database whose role `reader` has the test password, with this one in it."""
    url = postgres.fresh()
    postgres.execute(
        url,
        "CREATE TABLE predictions (id text, timestamp timestamptz)",
        "GRANT SELECT ON predictions TO PUBLIC",
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN",
        f"ALTER ROLE reader PASSWORD '{postgres.PASSWORD}'",
    )
    return url.replace("user=postgres", f"user=reader&password={password}")


def test_a_password_of_any_characters_is_accepted() -> None:
    """Written with percents, as in every URL."""
    assert {"id", "timestamp"} == set(opened(with_user(postgres.QUOTED)).columns)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (
            f"postgresql://me:{SECRET}@127.0.0.1:1/base",
            "The server is down, starting or full, or a firewall blocks the connection.",
        ),
        (f"postgresql://me:{SECRET}@nowhere.invalid/base", "The host name is unknown."),
        (f"postgresql://me:{SECRET}@/base?host=/nowhere", "The server is down, starting or full"),
        (f"postgresql://me:%zz{SECRET}@127.0.0.1/base", "The driver reports: IO: [libpq] Failed to connect: invalid"),
        (f"postgresql://me:a@{SECRET}@nowhere.invalid/base", "The host name is unknown."),
        (f"postgresql://me:a/{SECRET}@nowhere.invalid/base", "The driver reports"),
        (f"postgresql://me:a?{SECRET}@nowhere.invalid/base", "The host name is unknown."),
        (f"postgresql://127.0.0.1:1/base?password={SECRET}&user=me", "The server is down, starting or full"),
        (f"postgresql://127.0.0.1:1/base?{SECRET}={SECRET}", "The driver reports"),
    ],
)
def test_no_message_holds_a_password(url: str, why: str) -> None:
    """Not of an unreachable host, nor of a URL that cannot be read or is cut where its writer did not think of."""
    pytest.importorskip("adbc_driver_postgresql")
    with pytest.raises(OutsideError) as caught:
        opened(url)

    assert caught.value.why.startswith(why)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "MONITORING_URL" in caught.value.fix
    assert 6 == caught.value.exit_code


def test_a_wrong_password_or_database_is_told_apart() -> None:
    """Both are refusals, with another thing to mend, and neither is tried again."""
    url = with_user(SECRET)
    with pytest.raises(OutsideError, match="refuses this user, password or machine") as caught:
        opened(url, patience=60)
    assert SECRET not in str(caught.value)
    with pytest.raises(OutsideError, match="no database of this name"):
        opened(postgres.server().address("missing"), patience=60)
    with pytest.raises(OutsideError, match="refuses this user, password or machine"):
        opened(postgres.server().address("postgres", user="nobody_here"), patience=60)


@pytest.mark.parametrize(("scheme", "fix"), [("postgresql", "the extra [postgres]"), ("snowflake", "make lock")])
def test_a_missing_driver_is_named_with_how_to_install_it(
    scheme: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drivers are optional; a mistake in the configuration says how to get one."""
    monkeypatch.setitem(sys.modules, f"adbc_driver_{scheme}", None)
    with pytest.raises(ConfigError, match=f"adbc_driver_{scheme}") as caught:
        opened(f"{scheme}://me:{SECRET}@host/base")

    assert fix in caught.value.fix
    assert SECRET not in str(caught.value)


class Proxy:
    """A door on a port of this machine that slams the first visitors and leads the others to the server."""

    def __init__(self, slams: int) -> None:
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.slams, self.visitors = slams, 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self.door.accept()
            except OSError:
                return
            self.visitors += 1
            if self.visitors <= self.slams:
                visitor.close()
                continue
            threading.Thread(target=self._lead, args=(visitor,), daemon=True).start()

    def _lead(self, visitor: socket.socket) -> None:
        with visitor, socket.socket(socket.AF_UNIX) as inner:
            inner.connect(str(postgres.server().folder / ".s.PGSQL.5432"))
            back = threading.Thread(target=self._carry, args=(inner, visitor), daemon=True)
            back.start()
            self._carry(visitor, inner)
            back.join()

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize(("slams", "tries", "reached"), [(0, 2, True), (3, 5, True), (99, 5, False)])
def test_a_database_that_does_not_answer_is_asked_again(
    slams: int, tries: int, reached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to five times, with pauses that grow; then the night ends with the error. A success takes two connections."""
    monkeypatch.setattr(adbc, "PAUSE", 0.0)
    url = postgres.fresh()
    postgres.execute(url, "CREATE TABLE predictions (id text, timestamp timestamptz)")
    proxy = Proxy(slams)
    with proxy.door:
        through = f"postgresql://postgres@127.0.0.1:{proxy.port}/{url.split('/')[3].split('?')[0]}?sslmode=disable"
        if reached:
            assert {"id", "timestamp"} == set(opened(through, patience=60).columns)
        else:
            with pytest.raises(OutsideError, match="Cannot connect to"):
                opened(through, patience=60)
        assert tries == proxy.visitors


def test_a_connection_that_breaks_while_rows_are_read_is_an_outage() -> None:
    """The night ends with the error of an outside service, not with half of the rows."""
    url = postgres.fresh()
    postgres.execute(
        url,
        "CREATE TABLE predictions AS SELECT repeat('x', 100) || n AS id, timestamptz '2013-03-04Z' AS timestamp "
        "FROM generate_series(1, 400000) AS n",
    )
    source = opened(url)
    batches = source.batches(["id", "timestamp"], START, None)
    next(batches)
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    postgres.execute(url, f"SELECT pg_terminate_backend(pid) {others}")

    with pytest.raises(OutsideError, match="was lost while reading rows"):
        list(batches)


def test_reading_that_ends_early_leaves_no_connection() -> None:
    """Whoever stops in the middle of the rows frees the server at once."""
    url = postgres.fresh()
    postgres.execute(
        url,
        "CREATE TABLE predictions AS SELECT repeat('x', 100) || n AS id, timestamptz '2013-03-04Z' AS timestamp "
        "FROM generate_series(1, 400000) AS n",
    )
    server, name = postgres.server().address("postgres"), url.split("/")[3].split("?")[0]
    connected = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608 - our own name
    batches = opened(url).batches(["id"], START, None)
    next(batches)
    assert [(1,)] == postgres.rows(server, connected)

    batches.close()  # type: ignore[attr-defined]
    # The server refuses to drop a database that somebody is connected to.
    postgres.execute(server, f"DROP DATABASE {name}")
    assert [] == postgres.rows(server, f"SELECT 1 FROM pg_database WHERE datname = '{name}'")  # noqa: S608


WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://me:secret@db.example.org:5432/base?sslmode=require", "postgresql://db.example.org:5432/base"),
        ("postgresql:///base?host=/run/pg&password=secret", "postgresql:///base"),
        ("snowflake://me:secret@account/base/schema?warehouse=w", "snowflake://account/base/schema"),
        ("grpc+tls://host:443", "grpc+tls://host:443"),
        ("postgresql://me:se/cret@host/base", "postgresql://..."),
        ("postgresql://me:se?cret@host/base", "postgresql://..."),
        ("postgresql://host/base?user=me@server&password=secret", "postgresql://..."),
    ],
)
def test_an_address_is_shown_without_user_password_and_options(url: str, expected: str) -> None:
    """Host and database help to find a mistake; where parts cannot be told apart nothing is shown."""
    assert expected == shown(url)


@given(password=WORDS, escaped=st.booleans(), query=st.booleans())
def test_a_password_is_never_shown(password: str, escaped: bool, query: bool) -> None:
    """Whatever its characters, escaped or forgotten to be, before the host or as an option."""
    written = quote(password, safe="") if escaped else password
    url = f"postgresql://h/b?password={written}" if query else f"postgresql://u:{written}@h/b"

    assert shown(url) in {"postgresql://h/b", "postgresql://..."}


def test_only_known_kinds_are_databases() -> None:
    """A path, also one with a colon, and URLs of files are read in other ways."""
    assert set(DRIVERS) == {name for name in (*DRIVERS, "sqlite", "file", "mysql") if driver_of(f"{name}://x/y")}
    assert driver_of("postgresql") is None
    assert driver_of("folder/rows.db") is None
