"""Let only one run at a time work on a model on this machine."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import BusyError, OutsideError


@contextmanager
def exclusive_lock(folder: Path, name: str) -> Iterator[None]:
    """Hold the model `name`, whose records lie in `folder`, until the block ends; the system lets go of it in any case.

    Raises:
        BusyError: another run holds it. (Between machines, the workflows' concurrency groups do this.)
        OutsideError: the folder cannot be written.
    """
    path = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as err:
        raise OutsideError(
            f"Cannot write {path}: {err.strerror}.",
            why="The folder is read-only, the disk is full, or a file stands where a folder is needed.",
            fix="Free the path, or set MLOPS_LOCAL to a folder that can be written.",
        ) from err
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            raise BusyError(
                f"Another run is working on {name}.",
                why="Two runs of one model would undo each other's work.",
                fix="Wait until it has ended, then run this again.",
            ) from err
        yield
