"""The cost of a program of any language, run in a process of its own."""

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
    """A program on a window: its call, and the cost of its cheapest round."""

    program: str
    window: str
    rows: int
    call: tuple[str, ...] = ()
    cpu_seconds: float = math.inf
    wall_seconds: float = math.inf
    peak_mib: float = math.inf
    rounds: int = 0
    skipped: str = ""
    output: dict[str, Any] = field(default_factory=dict)

    def measure(self) -> None:
        """Run the program once more, unless it takes long or cannot run."""
        if self.skipped or (self.rounds and self.cpu_seconds > LONG):
            return
        print(f"{self.program}: {self.rows:,} rows, {self.window}", file=sys.stderr)
        with tempfile.TemporaryFile("w+") as output_file, tempfile.TemporaryFile("w+") as errors:
            began = time.perf_counter()
            child = subprocess.Popen(self.call, cwd=ROOT, stdout=output_file, stderr=errors, env=compiled())
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - began
            child.returncode = os.waitstatus_to_exitcode(status)
            for file in (output_file, errors):
                file.seek(0)
            if child.returncode:
                self.skipped = f"failed: {errors.read().strip()[-300:]}"
                return
            self.output = json.loads(output_file.read().splitlines()[-1])
        self.rounds += 1
        self.cpu_seconds = min(self.cpu_seconds, used.ru_utime + used.ru_stime)
        self.wall_seconds = min(self.wall_seconds, wall)
        # A child starts with the peak of its parent, which is smaller than that of any program here.
        self.peak_mib = min(self.peak_mib, used.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2))

    def line(self) -> str:
        """Return the row of the table."""
        start = f"| {self.program.replace('_', ', ')} | {self.window} | {self.rows:,} |"
        if self.skipped:
            return f"{start} not measured: {self.skipped} | | | |"
        return f"{start} {self.cpu_seconds:.2f} | {self.wall_seconds:.2f} | {self.peak_mib:.0f} | {self.rounds} |"


def machine() -> dict[str, Any]:
    """Return what the figures depend on, without the name of the machine."""
    info = Path("/proc/cpuinfo")
    named = re.search(r"^model name\s*: (.*)$", info.read_text(), re.MULTILINE) if info.exists() else None
    processor = named[1] if named else platform.machine()
    versions = {name: version(name) for name in ("numpy", "pyarrow", "pandas", "scipy")}
    return {"processor": processor, "cores": os.cpu_count(), "python": platform.python_version(), **versions}


def compiled() -> dict[str, str]:
    """Return an environment in which Python caches compiled modules, as on every nightly run after the first."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
