"""Keep small what a short process costs besides its work: threads that it never needs, and tidying up at its end."""

from __future__ import annotations

import atexit
import gc
import os


def one_thread() -> None:
    """Let no threads be started for linear algebra, in a process that only counts; call it before numpy is loaded.

    They wait for work by turning round and round: a tenth of the processor time of a night's count, for nothing. A user
    who has set how many there shall be is obeyed.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def end_at_once() -> None:
    """Let the process end without a last search for garbage: the system takes back all memory anyway."""
    atexit.register(gc.freeze)
