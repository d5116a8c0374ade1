"""Removal of addresses and passwords from the output of a workflow run: logs, issues and reports may be public."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

# GitHub masks a secret in the log only if it appears in full. An error may name a part of it (the host, the path),
# and issues are not masked at all.
ADDRESSES = ("MLFLOW_TRACKING_URI", "MONITORING_URL", "APPRISE_URLS")
SECRET = re.compile(r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|ACCESS_?KEY|API_?KEY|_KEY$")
SHORTEST = 4
SHORTEST_WORD = 6  # shorter ones would also hide ordinary words
# The password in an address, also in one that is written wrong: with / or [ in the password.
PASSWORD = re.compile(r"(://[^\s/@:'\"]*:)[^\s@'\"]+@")
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def redact(text: str, env: Mapping[str, str] = os.environ) -> str:
    """Return the text with each value of a secret variable, or a part that reveals it, replaced by the variable's name.

    Secret are the addresses that the workflows get, all variables with a name such as TOKEN or PASSWORD, and passwords
    in any address. Outside of a workflow run only passwords are hidden, because the reader needs the address there.
    """
    if env.get("GITHUB_ACTIONS") != "true":
        return PASSWORD.sub(r"\1***@", text)
    for part, name in sorted(_secrets(env), key=lambda pair: -len(pair[0])):
        text = text.replace(part, f"${name}")
    return text


def _secrets(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Return texts that must not be shown, each with the name of its variable."""
    for name, value in env.items():
        if name in ADDRESSES:
            parts = [part for address in value.split() for part in _parts(address)]
        elif SECRET.search(name):
            parts = [word for word in (value.strip(), *value.split()) if len(word) >= SHORTEST_WORD]
        else:
            parts = [*_passwords(value)]
        yield from ((part, name) for part in parts)


def _parts(value: str) -> Iterator[str]:
    """Return a secret address and the parts that an error may name: without its password, host and port, path."""
    yield value
    try:
        url = urlsplit(value)
        parts = (url.netloc.rpartition("@")[2], url.hostname, url.path, url.query)
    except ValueError:
        return
    if url.netloc:
        yield value.replace(f"{url.netloc.rpartition('@')[0]}@", "")
    yield from (part for part in parts if part and len(part) >= SHORTEST and part not in LOCAL)
    yield from _passwords(value)


def _passwords(value: str) -> Iterator[str]:
    """Return the password in an address, as written and decoded."""
    if "://" not in value:
        return
    try:
        password = urlsplit(value).password or ""
    except ValueError:
        return
    yield from {part for part in (password, unquote(password)) if len(part) >= SHORTEST}
