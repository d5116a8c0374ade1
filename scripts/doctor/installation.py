"""Checks that concern all models: Python, the packages of the lock file, and the registry."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING

from scripts.doctor.finding import Check, Diagnosis

if TYPE_CHECKING:
    from core.config import Settings

LOCKED = re.compile(r"^([a-z0-9._-]+)==(\S+?)(?: ;.*)?(?: \\)?$", re.MULTILINE)
PROBE = "mlops.doctor"
OLDEST, NEWEST = (3, 11), (3, 13)


def checks(settings: Settings) -> Iterator[tuple[str, Check]]:
    """Return the checks with their names."""
    yield "python", python
    yield "repository", lambda: repository(settings)
    yield "packages", lambda: packages(settings)
    yield "registry", lambda: registry(settings)


def python() -> Diagnosis:
    """Check that this Python version is tested."""
    version = sys.version_info[:2]
    says = f"{version[0]}.{version[1]}"
    if OLDEST <= version <= NEWEST:
        return Diagnosis("", "ok", says)
    return Diagnosis("", "fail", says, "Only 3.11 to 3.13 are tested.", "make setup PYTHON=python3.12")


def repository(settings: Settings) -> Diagnosis:
    """Check that the template is at the top of a git repository."""
    from stages.repository import head_commit, require_top_level

    require_top_level(settings.root)
    commit = head_commit(settings.root)
    if commit:
        return Diagnosis("", "ok", f"at the top of its repository, commit {commit[:12]}")
    why = "Proposals are commits, and a merge promotes."
    return Diagnosis("", "warn", "not under git", why, "git init -b main && git add --all && git commit -m 'First'")


def packages(settings: Settings) -> Diagnosis:
    """Check that installed packages have the versions of the lock file. Packages that are not installed are ignored."""
    lock = settings.root / "requirements-dev.lock"
    if not lock.is_file():
        return Diagnosis(
            "", "warn", "requirements-dev.lock is missing", "Without it runs are not repeatable.", "make lock"
        )
    # A package may be locked in several versions, each for some versions of Python.
    locked: defaultdict[str, list[str]] = defaultdict(list)
    for name, version in LOCKED.findall(lock.read_text(encoding="utf-8")):
        locked[name].append(version)
    different = [
        f"{package.metadata['Name']} {package.version}, locked {' or '.join(locked[name])}"
        for package in metadata.distributions()
        if (name := re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()) in locked
        and package.version not in locked[name]
    ]
    if not different:
        return Diagnosis("", "ok", f"as in {lock.name}")
    return Diagnosis(
        "",
        "warn",
        f"{len(different)} have other versions than in {lock.name}: {', '.join(sorted(different)[:3])}",
        "A model that was trained with other versions may not load, or may give other scores.",
        "make setup",
    )


def registry(settings: Settings) -> Diagnosis:
    """Check that the registry answers and can be written to. Nothing is left behind."""
    from registry import store

    client = store.connect(settings.store, settings.artifacts)
    with store.reaching(settings.store, "written to"):
        client.set_experiment_tag("0", PROBE, "looked")
        client.delete_experiment_tag("0", PROBE)
    kind = "a server" if settings.store.startswith("http") else "a local database"
    return Diagnosis("", "ok", f"{kind}, can be read and written")
