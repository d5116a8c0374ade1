"""Settings that save processor time in short processes: garbage collection and threads."""

from __future__ import annotations

import atexit
import gc
import os

RARELY = 100_000  # new objects between garbage collections; the default of 700 means many while loading a library


def reduce_gc() -> None:
    """Collect garbage rarely, and not at exit. This saves a sixth of the time for loading MLflow."""
    gc.set_threshold(RARELY)
    atexit.register(gc.freeze)  # the system frees all memory anyway


def limit_blas_threads() -> None:
    """Start no threads for linear algebra in a process that only counts. Call this before numpy is loaded.

    Waiting threads spin, which costs a twentieth of the processor time of a nightly run. A user's own setting is kept.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
