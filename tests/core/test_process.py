"""What a short process does not need, it does not do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THREADS = """
from core import process
process.limit_blas_threads()
import numpy
from threadpoolctl import threadpool_info
print(*{pool["num_threads"] for pool in threadpool_info() if pool["internal_api"] == "openblas"})
"""
CYCLE = """
import gc
from core import process
class Loop:
    def __del__(self): print("found")
process.reduce_gc()
loop = Loop()
loop.itself = loop
del loop
"""


def said(program: str, **env: str) -> str:
    """What a program prints in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    call = [sys.executable, "-c", program]
    ran = subprocess.run(call, cwd=ROOT, env={**kept, **env}, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


@pytest.mark.parametrize("asked", [{}, {"OPENBLAS_NUM_THREADS": "2"}], ids=["nothing", "two"])
def test_there_is_one_thread_unless_a_user_asks_for_more(asked: dict[str, str]) -> None:
    """Linear algebra has the one thread that calls it, or as many as the environment says."""
    assert asked.get("OPENBLAS_NUM_THREADS", "1") == said(THREADS, **asked)


def test_garbage_is_searched_for_while_a_process_works_and_not_at_its_end() -> None:
    """What a loop of references keeps is found by a search, and is left to the system at the end."""
    assert "found" == said(f"{CYCLE}\ngc.collect()")
    assert "" == said(CYCLE)
