"""Measure what a drift check costs beside others: CPU of the whole process, wall time, peak memory.

usage: python -m bench.drift [--rows 1M] [--rounds N] [--no-peers] [--json]

Rows have 30 numeric columns (normal, lognormal, mixtures, two decimals, Poisson, 60 % zeros), 5 of text (2 to 1,000
levels), id, time, score and label. The baseline has --rows rows; windows have a tenth, as many and ten times as many, in
Parquet (zstd), and as many in SQLite and PostgreSQL. Each program runs in a process of its own, in turn with the
others, and the least of its rounds counts; one that needs a minute runs once. What they do: `bench/drift_cases.py`,
`ask_evidently.py` and `ask_nannyml.py`; the peers in environments of their own under `local/bench`, with their defaults,
on files that hold nothing but features. Rows are written once, under `local/bench/drift`.

Ratios, all of whole processes at --rows rows: to_reading = ours / pyarrow reading and summing the same columns;
to_article (all columns), to_evidently, to_nannyml = theirs / ours, in CPU seconds; memory_10m_to_1m = peak memory of
ours with ten times the rows / with --rows rows. None where one was not measured.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.peers import PEERS, environment

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "local" / "bench" / "drift"
LONG = 60.0  # seconds
SIZES = {"k": 10**3, "M": 10**6}
HEAD = "| program | window | rows | CPU s | wall s | peak MiB | rounds |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |"


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
        if self.skipped or (self.rounds and self.wall_seconds > LONG):
            return
        print(f"{self.program}: {self.rows:,} rows, {self.window}", file=sys.stderr)
        with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
            began = time.perf_counter()
            child = subprocess.Popen(self.call, cwd=ROOT, stdout=said, stderr=errors)
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


def cases(rows: int, *, peers: bool) -> list[Case]:
    """All that is measured; the rows are written where they are not there yet."""
    folder = PLACE / str(rows)
    if not folder.exists():
        PLACE.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "bench.drift_data", str(rows), str(folder)], check=True, cwd=ROOT)

    def case(program: str, window: str, size: int, source: Path | str) -> Case:
        call = (sys.executable, "-m", "bench.drift_cases", program, str(source), str(folder))
        return Case(program, window, size, call)

    found = []
    for size in (rows // 10, rows, 10 * rows):
        found += [case(program, "Parquet", size, folder / str(size)) for program in ("ours", "reading")]
        if size <= rows:
            features = folder / f"features {size}"
            found += [case(program, "Parquet", size, features) for program in ("article", "article_numbers")]
            found += [peer(name, size, features) for name in PEERS] if peers else []
    found.append(case("ours", "SQLite", rows, folder / "window.sqlite"))
    url, problem = database(rows)
    found.append(case("ours", "PostgreSQL", rows, url))
    found[-1].skipped = problem
    return found


def peer(name: str, rows: int, features: Path) -> Case:
    """A peer in its own environment."""
    python, problem = environment(name)
    call = (str(python), str(ROOT / "bench" / f"ask_{name}.py"), str(features))
    return Case(name, "Parquet", rows, call, skipped=problem)


def database(rows: int) -> tuple[str, str]:
    """The address of a PostgreSQL of this run that holds the window, or why there is none."""
    import pytest

    from tests import postgres

    try:
        url = postgres.fresh()
    except pytest.skip.Exception as err:
        return "", str(err)
    subprocess.run([sys.executable, "-m", "bench.drift_data", str(rows), url], check=True, cwd=ROOT)
    return url, ""


def result(found: Sequence[Case], rows: int) -> dict[str, Any]:
    """What was measured, how exact the distances are, what ten times the rows cost, and the ratios."""
    parquet = {(one.program, one.rows): one for one in found if one.window == "Parquet" and not one.skipped}
    ours, more = parquet["ours", rows], parquet["ours", 10 * rows]

    def times(program: str) -> float | None:
        other = parquet.get((program, rows))
        return other.cpu_seconds / ours.cpu_seconds if other else None

    return {
        "machine": machine(),
        "cases": [{name: value for name, value in asdict(one).items() if name not in {"call", "told"}} for one in found],
        "largest_error_of_distance": max(
            abs(exact - parquet["ours", size].told["distances"][name])
            for size in (rows // 10, rows)
            for name, exact in parquet["article", size].told["distances"].items()
        ),
        "wall_10m_to_1m": more.wall_seconds / ours.wall_seconds,
        "ratios": {
            "to_reading": ours.cpu_seconds / parquet["reading", rows].cpu_seconds,
            "to_article": times("article"),
            "to_evidently": times("evidently"),
            "to_nannyml": times("nannyml"),
            "memory_10m_to_1m": more.peak_mib / ours.peak_mib,
        },
    }


def machine() -> dict[str, Any]:
    """What the figures depend on, without the name of the machine."""
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    versions = {name: version(name) for name in ("numpy", "pyarrow", "pandas", "scipy")}
    processor = names[0].partition(":")[2].strip() if names else platform.machine()
    return {"processor": processor, "cores": os.cpu_count(), "python": platform.python_version(), **versions}


def number(text: str) -> int:
    """Rows as people write them: 100k, 1M."""
    return int(float(text[:-1]) * SIZES[text[-1]]) if text[-1] in SIZES else int(text)


def main() -> None:
    """Measure, then print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=number, default=10**6, help="of the baseline (default: 1M)")
    parser.add_argument("--rounds", type=int, default=3, help="of each program (default: 3)")
    parser.add_argument("--no-peers", action="store_true", help="leave out Evidently and NannyML")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    given = parser.parse_args()
    found = cases(given.rows, peers=not given.no_peers)
    for _ in range(given.rounds):
        for one in found:
            one.measure()
    told = result(found, given.rows)
    if given.json:
        print(json.dumps(told, indent=1, allow_nan=False))
        return
    print("\n".join([HEAD, *(one.line() for one in found)]))
    for name in told.keys() - {"cases", "machine", "ratios"}:
        print(f"{name}: {told[name]:.5g}")
    print(", ".join(f"{name} {value}" for name, value in told["machine"].items()))
    print("ratios:", ", ".join(f"{name} {value:.2f}" for name, value in told["ratios"].items() if value is not None))


if __name__ == "__main__":
    main()
