"""Measure what a drift check costs beside others: CPU of the whole process, wall time, peak memory.

usage: python -m bench.drift [--rows 1M] [--rounds N] [--no-peers] [--json]

The baseline has --rows rows; windows have a tenth, as many and ten times as many in Parquet (zstd), and as many in
SQLite and PostgreSQL: see `bench/drift_data.py`; they are written once, under `local/bench/drift`. Each program runs in
a process of its own, in turn with the others, and the least of its rounds counts; one that needs a minute of CPU runs
once. What they do: `bench/drift_cases.py`, `ask_evidently.py` and `ask_nannyml.py`, the peers in environments of their
own and with their defaults, on files that hold nothing but features.

Ratios, all of whole processes at --rows rows: to_reading = ours / pyarrow reading and summing the same columns;
to_article (all columns), to_evidently, to_nannyml = theirs / ours, in CPU seconds; memory_10m_to_1m = peak memory of
ours with ten times the rows / with --rows rows. None where one was not measured.
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
    """All that is measured."""
    folder = written(rows)

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


def written(rows: int) -> Path:
    """The folder with the rows, which are written where they are not there yet."""
    folder = PLACE / str(rows)
    if not folder.exists():
        PLACE.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "bench.drift_data", str(rows), str(folder)], check=True, cwd=ROOT)
    return folder


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

    folder = written(rows)
    apart = {size: distances(folder / str(size), folder) for size in (rows // 10, rows)}
    return {
        "machine": machine(),
        "cases": [{name: getattr(one, name) for name in SHOWN} for one in found],
        "largest_error_of_distance": max(
            abs(exact - apart[size][name])
            for size in apart
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
    print(json.dumps({name: value for name, value in told.items() if name != "cases"}, indent=1))


if __name__ == "__main__":
    main()
