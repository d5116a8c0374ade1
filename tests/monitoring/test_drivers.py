from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.drivers import DRIVERS, driver_of, shown

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
