"""Keep addresses and passwords out of what a workflow run shows: logs, issues and reports may be public."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

# GitHub masks a secret in the log where it stands letter by letter. An error names a part of it (the host, the path),
# and an issue is not masked at all.
SECRETS = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MONITORING_URL", "GITHUB_TOKEN", "APPRISE_URLS")
SHORTEST = 4
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def conceal(text: str, env: Mapping[str, str] = os.environ) -> str:
    """`text` with the name of a secret variable wherever its value, or a telling part of that, stands.

    Outside of a workflow run nothing is changed: there the address is what the reader needs.
    """
    if env.get("GITHUB_ACTIONS") != "true":
        return text
    found = [(part, name) for name in SECRETS for value in env.get(name, "").split() for part in _parts(value)]
    for part, name in sorted(found, key=lambda pair: -len(pair[0])):
        text = text.replace(part, f"${name}")
    return text


def _parts(value: str) -> Iterator[str]:
    """A secret, and what of it an error may name: the address without its password, host and port, path."""
    yield value
    try:
        url = urlsplit(value)
        parts = (url.netloc.rpartition("@")[2], url.hostname, url.password, url.path)
    except ValueError:
        return
    if url.netloc:
        yield value.replace(f"{url.netloc.rpartition('@')[0]}@", "")
    for part in parts:
        if part and len(part) >= SHORTEST and part not in LOCAL:
            yield part
