"""The lock of a model on one machine."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from filelock import FileLock

from core.errors import BusyError
from stages import lock
from stages.lock import exclusive_lock


def test_the_lock_of_a_run_that_is_just_ending_is_waited_for(tmp_path: Path) -> None:
    """After a kill of a run with its children, the last child may hold the lock for an instant: the rerun goes on."""
    dying = FileLock(tmp_path / ".lock", thread_local=False)
    dying.acquire()
    threading.Timer(0.2, dying.release).start()

    with exclusive_lock(tmp_path, "flights"):
        assert not dying.is_locked


def test_a_run_that_works_on_is_not_waited_for_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that stays is another run: refused by name."""
    monkeypatch.setattr(lock, "PATIENCE", 0.05)
    with FileLock(tmp_path / ".lock"), pytest.raises(BusyError, match="Another run is working on flights"):
        exclusive_lock(tmp_path, "flights").__enter__()
