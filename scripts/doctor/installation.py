"""Check what all models stand on: Python, the packages of the lock file, and the registry."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING

from scripts.doctor.finding import Check, Diagnosis

if TYPE_CHECKING:
    from core.config import Settings

LOCKED = re.compile(r"^([a-z0-9._-]+)==(\S+?)(?: ;.*)?(?: \\)?$", re.MULTILINE)
OLDEST, NEWEST = (3, 11), (3, 13)


def checks(settings: Settings) -> Iterator[tuple[str, Check]]:
    """The checks, by what they look at."""
    yield "python", python
    yield "packages", lambda: packages(settings)
    yield "registry", lambda: registry(settings)


def python() -> Diagnosis:
    """Whether this Python is one that is tested."""
    found = sys.version_info[:2]
    says = f"{found[0]}.{found[1]}"
    if OLDEST <= found <= NEWEST:
        return Diagnosis("", "ok", says)
    return Diagnosis("", "fail", says, "3.11 to 3.13 are tested.", "make setup PYTHON=python3.12")


def packages(settings: Settings) -> Diagnosis:
    """Whether what is installed is what the lock file names; what is not installed here is no matter."""
    lock = settings.root / "requirements-dev.lock"
    if not lock.is_file():
        return Diagnosis("", "warn", "there is no requirements-dev.lock", "Runs would not be repeatable.", "make lock")
    named = dict(LOCKED.findall(lock.read_text(encoding="utf-8")))
    other = [
        f"{one.metadata['Name']} {one.version}, locked {named[name]}"
        for one in metadata.distributions()
        if (name := re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower()) in named and one.version != named[name]
    ]
    if not other:
        return Diagnosis("", "ok", f"as in {lock.name}")
    return Diagnosis(
        "",
        "warn",
        f"{len(other)} are of other versions than in {lock.name}: {', '.join(sorted(other)[:3])}",
        "A model that was trained with other versions may not load, or answer otherwise.",
        "make setup",
    )


def registry(settings: Settings) -> Diagnosis:
    """Whether the registry answers and takes a note."""
    from registry import store

    client = store.connect(settings.store, settings.artifacts)
    with store.reaching(settings.store, "written to"):
        client.set_experiment_tag("0", "mlops.doctor", "looked")
    kind = "a server" if settings.store.startswith("http") else "a database here"
    return Diagnosis("", "ok", f"{kind}, answers and can be written")
