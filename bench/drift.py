"""The cost of a drift check next to other tools: CPU time of the whole process, wall time, peak memory.

usage: python -m bench.drift [--rows 1M] [--rounds N] [--no-peers] [--json]

The baseline has --rows rows. The windows in Parquet (zstd) have a tenth, as many and ten times as many rows; those in
SQLite and PostgreSQL have as many. `bench/drift_data.py` writes them once, to `local/bench/drift`. Each program runs in
a process of its own, the programs take turns, and the cheapest round counts; a program that needs a minute of CPU runs
only once. The programs are in `bench/drift_cases.py`, `ask_evidently.py` and `ask_nannyml.py`. The peers run in their
own environments with their defaults, on files that contain only features.

Ratios compare whole processes at --rows rows, in CPU seconds: to_reading = mlops / pyarrow reading and summing the same
columns; to_article (all columns), to_evidently, to_nannyml = the other program / mlops. memory_10m_to_1m = peak memory
of mlops with ten times the rows / with --rows rows. A ratio is None if one of its programs was not measured.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.drift_cases import distances
from bench.measured import HEAD, ROOT, SHOWN, Case, machine
from bench.peers import PEERS, environment

PLACE = ROOT / "local" / "bench" / "drift"
SIZES = {"k": 10**3, "M": 10**6}


def cases(rows: int, *, peers: bool) -> list[Case]:
    """Return all measured cases."""
    folder = written(rows)

    def case(program: str, window: str, size: int, source: Path | str) -> Case:
        call = (sys.executable, "-m", "bench.drift_cases", program, str(source), str(folder))
        return Case(program, window, size, call)

    measured = []
    for size in (rows // 10, rows, 10 * rows):
        measured += [case(program, "Parquet", size, folder / str(size)) for program in ("mlops", "reading")]
        if size <= rows:
            features = folder / f"features {size}"
            measured += [case(program, "Parquet", size, features) for program in ("article", "article_numbers")]
            measured += [peer(name, size, features) for name in PEERS] if peers else []
    measured.append(case("mlops", "SQLite", rows, folder / "window.sqlite"))
    url, problem = database(rows)
    measured.append(case("mlops", "PostgreSQL", rows, url))
    measured[-1].skipped = problem
    return measured


def written(rows: int) -> Path:
    """Return the folder with the rows; write the rows first if they are missing."""
    folder = PLACE / str(rows)
    if not folder.exists():
        PLACE.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "bench.drift_data", str(rows), str(folder)], check=True, cwd=ROOT)
    return folder


def peer(name: str, rows: int, features: Path) -> Case:
    """Return the case of a peer, which runs in an environment of its own."""
    python, problem = environment(name)
    call = (str(python), str(ROOT / "bench" / f"ask_{name}.py"), str(features))
    return Case(name, "Parquet", rows, call, skipped=problem)


def database(rows: int) -> tuple[str, str]:
    """Return the address of a PostgreSQL server of this run that contains the window, or why there is none."""
    import pytest

    from tests import postgres

    try:
        url = postgres.fresh()
    except pytest.skip.Exception as err:
        return "", str(err)
    subprocess.run([sys.executable, "-m", "bench.drift_data", str(rows), url], check=True, cwd=ROOT)
    return url, ""


def result(measured: Sequence[Case], rows: int) -> dict[str, Any]:
    """Return the measurements, the error of the distances, the cost of ten times the rows, and the ratios."""
    parquet = {(case.program, case.rows): case for case in measured if case.window == "Parquet" and not case.skipped}
    own, more = parquet["mlops", rows], parquet["mlops", 10 * rows]

    def times(program: str) -> float | None:
        other = parquet.get((program, rows))
        return other.cpu_seconds / own.cpu_seconds if other else None

    folder = written(rows)
    apart = {size: distances(folder / str(size), folder) for size in (rows // 10, rows)}
    return {
        "machine": machine(),
        "cases": [{name: getattr(case, name) for name in SHOWN} for case in measured],
        "largest_error_of_distance": max(
            abs(exact - apart[size][name])
            for size in apart
            for name, exact in parquet["article", size].output["distances"].items()
        ),
        "wall_10m_to_1m": more.wall_seconds / own.wall_seconds,
        "ratios": {
            "to_reading": own.cpu_seconds / parquet["reading", rows].cpu_seconds,
            "to_article": times("article"),
            "to_evidently": times("evidently"),
            "to_nannyml": times("nannyml"),
            "memory_10m_to_1m": more.peak_mib / own.peak_mib,
        },
    }


def number(text: str) -> int:
    """Return the number of rows that a text such as 100k or 1M means."""
    return int(float(text[:-1]) * SIZES[text[-1]]) if text[-1] in SIZES else int(text)


def main() -> None:
    """Measure, then print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=number, default=10**6, help="rows of the baseline (default: 1M)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each program (default: 3)")
    parser.add_argument("--no-peers", action="store_true", help="leave out Evidently and NannyML")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    given = parser.parse_args()
    measured = cases(given.rows, peers=not given.no_peers)
    for _ in range(given.rounds):
        for case in measured:
            case.measure()
    results = result(measured, given.rows)
    if given.json:
        print(json.dumps(results, indent=1, allow_nan=False))
        return
    print("\n".join([HEAD, *(row.line() for row in measured)]))
    print(json.dumps({name: value for name, value in results.items() if name != "cases"}, indent=1))


if __name__ == "__main__":
    main()
