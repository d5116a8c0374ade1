"""The time of a nightly run on which nothing happens: how long each command takes to start, and in which library.

Plays five weeks of flights, then runs the commands of a nightly run on which nothing happens, each in a process of its
own. That day has few rows, so the figures contain everything except the counting of rows.

    python -m bench.startup            # a table
    python -m bench.startup --json
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LAST = "2013-04-10"
COMMANDS = {
    "mlops --help": ("--help",),
    "mlops check --pull": ("check", "--pull", "--as-of", LAST),
    "mlops pull": ("pull", "--as-of", LAST),
    "mlops check": ("check", "--as-of", LAST),
    "mlops promote, nothing to do": ("promote", "--as-of", LAST),
    "mlops status": ("status", "--as-of", LAST),
}
TARGETS = {"mlops --help": 0.3, "mlops check --pull": 4.0, "mlops promote, nothing to do": 4.0}
LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")
TEMPLATE = {"core", "monitoring", "training", "registry", "review", "stages", "scripts"}


def run(place: Path, words: tuple[str, ...], *flags: str) -> tuple[float, float, str]:
    """Return the wall and processor seconds of a command, and its standard error."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with tempfile.TemporaryFile("w+") as errors:
        begin = time.perf_counter()
        program = [sys.executable, *flags, "-m", "scripts", *words]
        child = subprocess.Popen(program, cwd=place, env=env, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
        errors.seek(0)
        text = errors.read()
    if status:
        raise SystemExit(f"mlops {' '.join(words)} failed:\n{text[-2000:]}")
    return wall, used.ru_utime + used.ru_stime, text


def imports(place: Path, words: tuple[str, ...]) -> dict[str, float]:
    """Return the seconds spent importing the modules of each library, largest first."""
    _, _, text = run(place, words, "-X", "importtime")
    spent: Counter[str] = Counter()
    for microseconds, module in LINE.findall(text):
        package = module.partition(".")[0]
        spent["mlops" if package in TEMPLATE else package] += int(microseconds)
    return {name: n / 1e6 for name, n in spent.most_common()}


def measured(place: Path, rounds: int) -> list[dict[str, Any]]:
    """Return a row per command: the best of several rounds, each of which runs all commands."""
    runs = [{name: run(place, words)[:2] for name, words in COMMANDS.items()} for _ in range(rounds)]
    return [
        {
            "command": name,
            "wall": min(run_times[name][0] for run_times in runs),
            "cpu": min(run_times[name][1] for run_times in runs),
            "target": TARGETS.get(name),
            "imports": imports(place, words),
        }
        for name, words in COMMANDS.items()
    ]


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "demo"
        run(ROOT, ("demo", "--folder", str(place), "--until", LAST))
        rows = measured(place, options.rounds)
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print(f"{'command':<30} {'wall s':>7} {'cpu s':>6} {'target':>7}   imports, s")
    for row in rows:
        most = ", ".join(f"{name} {seconds:.2f}" for name, seconds in list(row["imports"].items())[:6])
        target = f"< {row['target']}" if row["target"] else ""
        print(f"{row['command']:<30} {row['wall']:>7.2f} {row['cpu']:>6.2f} {target:>7}   {most}")


if __name__ == "__main__":
    main()
