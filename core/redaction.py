"""Keep addresses and passwords out of what a workflow run shows: logs, issues and reports may be public."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

# GitHub masks a secret in the log where it stands letter by letter. An error names a part of it (the host, the path),
# and an issue is not masked at all.
ADDRESSES = ("MLFLOW_TRACKING_URI", "MONITORING_URL", "APPRISE_URLS")
SECRET = re.compile(r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|ACCESS_?KEY|API_?KEY|_KEY$")
SHORTEST = 4
SHORTEST_WORD = 6  # what is shorter would also hide other words
# The password in an address, also in one that is written wrong: with / or [ in the password.
PASSWORD = re.compile(r"(://[^\s/@:'\"]*:)[^\s@'\"]+@")
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def redact(text: str, env: Mapping[str, str] = os.environ) -> str:
    """`text` with the name of a secret variable wherever its value, or a telling part of that, stands.

    Secret are the addresses that our workflows get, all variables whose names say so, and the password in any address.
    Outside of a workflow run only passwords are hidden: there the address is what the reader needs.
    """
    if env.get("GITHUB_ACTIONS") != "true":
        return PASSWORD.sub(r"\1***@", text)
    for part, name in sorted(_secrets(env), key=lambda pair: -len(pair[0])):
        text = text.replace(part, f"${name}")
    return text


def _secrets(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is not to be shown, each with the name of its variable."""
    for name, value in env.items():
        if name in ADDRESSES:
            parts = [part for address in value.split() for part in _parts(address)]
        elif SECRET.search(name):
            parts = [word for word in (value.strip(), *value.split()) if len(word) >= SHORTEST_WORD]
        else:
            parts = [*_passwords(value)]
        yield from ((part, name) for part in parts)


def _parts(value: str) -> Iterator[str]:
    """A secret address, and what of it an error may name: itself without its password, host and port, path."""
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
    """The password in an address, as it is written there and as it is meant."""
    if "://" not in value:
        return
    try:
        password = urlsplit(value).password or ""
    except ValueError:
        return
    yield from {part for part in (password, unquote(password)) if len(part) >= SHORTEST}
