"""The trial of a model file in a process of its own: an allowed type with bad contents may crash, or never end.

A forest whose nodes name places that do not exist has allowed types only, and its file may have the right digest. Only
scoring shows it, by a crash of the interpreter or an endless loop. So a copy of this process opens the file and scores
rows first, with limits of time and memory. What ended well there is done again here.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from core.errors import RegistryError
from training.artifact.zip_index import RETRAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

SECONDS = 300
MEMORY = 4 << 30  # bytes, in addition to what this process has and to ten times the size of the file
TOO_LARGE = 3  # the exit code of a trial that needs more


def attempt(name: str, size: int, load: Callable[[], Any], rows: pd.DataFrame | None) -> None:
    """Load a model and score rows in a process of its own. An ordinary exception there is none here: it comes again.

    Args:
        name: of the file, for the error.
        size: of the file, in bytes.
        load: returns the estimator.
        rows: to score; None to load only.

    Raises:
        RegistryError: the process crashed, took too long or needed too much memory.
    """
    if not hasattr(os, "fork"):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of threads; the copy uses only its own
        child = os.fork()
    if child == 0:
        _try(load, rows, MEMORY + 10 * size)
    try:
        status = os.waitpid(child, 0)[1]
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    problem = _problem(status)
    if problem:
        scored = "" if rows is None else f" and scores {len(rows)} rows"
        raise RegistryError(
            f"{name} is refused: a process that opens it{scored} {problem}.",
            why="Its contents are damaged or were crafted: an intact model of this size does not do that.",
            fix=RETRAIN,
        )


def _problem(status: int) -> str:
    """Return what went wrong by the status of the process; empty if it ended."""
    code = os.waitstatus_to_exitcode(status)
    if code == TOO_LARGE:
        return f"needs more than {MEMORY >> 30} GB of memory"
    if -code in {signal.SIGALRM, signal.SIGXCPU}:
        return f"does not end within {SECONDS} seconds"
    return f"crashes ({signal.Signals(-code).name})" if code < 0 else ""


def _try(load: Callable[[], Any], rows: pd.DataFrame | None, memory: int) -> NoReturn:
    """Do it in the copy, which ends here in every case and prints nothing."""
    code = 0
    try:
        faulthandler.disable()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        _limit(memory)
        estimator = load()
        for method in ("predict_proba", "predict") if rows is not None else ():
            with contextlib.suppress(AttributeError):
                getattr(estimator, method)(rows)
    except MemoryError:
        code = TOO_LARGE
    except BaseException:  # noqa: BLE001 - the caller meets it again
        code = 0
    finally:
        os._exit(code)


def _limit(memory: int) -> None:
    """Limit time, memory and threads of this process."""
    import resource

    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    threadpool_limits(1)  # the threads of the process that was copied are not here
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pages = Path("/proc/self/statm")
    if pages.exists():
        used = int(pages.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, resource.RLIM_INFINITY))
