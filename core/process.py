"""Keep small what a short process costs besides its work: garbage that is not there, threads that it never needs."""

from __future__ import annotations

import atexit
import gc
import os

SELDOM = 100_000  # new objects between searches for garbage; with Python's own 700 loading a library is full of them


def reduce_gc() -> None:
    """Search for garbage seldom, and not at the end: a sixth of the time that loading MLflow takes is saved."""
    gc.set_threshold(SELDOM)
    atexit.register(gc.freeze)  # the system takes back all memory anyway


def limit_blas_threads() -> None:
    """Let no threads be started for linear algebra, in a process that only counts; call it before numpy is loaded.

    They wait for work by turning round and round, for a twentieth of the processor time of a night. A user who has set
    how many there shall be is obeyed.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
