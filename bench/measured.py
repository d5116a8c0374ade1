"""Run a program in a process of its own and say what it cost, whatever it is written in."""

from __future__ import annotations

import json
import math
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LONG = 60.0  # CPU seconds
SHOWN = ("program", "window", "rows", "cpu_seconds", "wall_seconds", "peak_mib", "rounds", "skipped")
HEAD = "| program | window | rows | CPU s | wall s | peak MiB | rounds |\n" + "| --- " * 2 + "| ---: " * 5 + "|"


@dataclass
class Case:
    """A program on a window, how to call it, and what it cost: the least of its rounds."""

    program: str
    window: str
    rows: int
    call: tuple[str, ...] = ()
    cpu_seconds: float = math.inf
    wall_seconds: float = math.inf
    peak_mib: float = math.inf
    rounds: int = 0
    skipped: str = ""
    told: dict[str, Any] = field(default_factory=dict)

    def measure(self) -> None:
        """Run it once more, unless that takes long, or cannot be."""
        if self.skipped or (self.rounds and self.cpu_seconds > LONG):
            return
        print(f"{self.program}: {self.rows:,} rows, {self.window}", file=sys.stderr)
        with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
            began = time.perf_counter()
            child = subprocess.Popen(self.call, cwd=ROOT, stdout=said, stderr=errors, env=compiled())
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - began
            child.returncode = os.waitstatus_to_exitcode(status)
            for file in (said, errors):
                file.seek(0)
            if child.returncode:
                self.skipped = f"failed: {errors.read().strip()[-300:]}"
                return
            self.told = json.loads(said.read().splitlines()[-1])
        self.rounds += 1
        self.cpu_seconds = min(self.cpu_seconds, used.ru_utime + used.ru_stime)
        self.wall_seconds = min(self.wall_seconds, wall)
        # A child begins with the peak of its parent, which is smaller than any of them.
        self.peak_mib = min(self.peak_mib, used.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2))

    def line(self) -> str:
        """A row of the table."""
        start = f"| {self.program.replace('_', ', ')} | {self.window} | {self.rows:,} |"
        if self.skipped:
            return f"{start} not measured: {self.skipped} | | | |"
        return f"{start} {self.cpu_seconds:.2f} | {self.wall_seconds:.2f} | {self.peak_mib:.0f} | {self.rounds} |"


def machine() -> dict[str, Any]:
    """What the figures depend on, without the name of the machine."""
    info = Path("/proc/cpuinfo")
    named = re.search(r"^model name\s*: (.*)$", info.read_text(), re.MULTILINE) if info.exists() else None
    processor = named[1] if named else platform.machine()
    versions = {name: version(name) for name in ("numpy", "pyarrow", "pandas", "scipy")}
    return {"processor": processor, "cores": os.cpu_count(), "python": platform.python_version(), **versions}


def compiled() -> dict[str, str]:
    """The environment, in which Python keeps what it compiles: as a night has it after its first."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
