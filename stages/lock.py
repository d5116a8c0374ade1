"""The lock that lets only one run at a time work on a model on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import BusyError, OutsideError

# A process that was killed with its children holds the lock until the last child is gone.
PATIENCE = 2.0


@contextmanager
def exclusive_lock(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of the model `name`, whose records are in `folder`, until the block ends or the process dies.

    Raises:
        BusyError: another run holds it, for longer than a killed one takes to end. (Between machines, the workflows'
            concurrency groups do this.)
        OutsideError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock", timeout=PATIENCE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as err:
        raise BusyError(
            f"Another run is working on {name}.",
            why="Two runs of one model would undo each other's work.",
            fix="Wait until it has ended, then run this again.",
        ) from err
    except OSError as err:
        raise OutsideError(
            f"Cannot write {lock.lock_file}: {err.strerror}.",
            why="The folder is read-only, the disk is full, or a file has the name of a folder that is needed.",
            fix="Free the path, or set MLOPS_LOCAL to a folder that can be written.",
        ) from err
    try:
        yield
    finally:
        lock.release()
