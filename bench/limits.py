"""The cost of a large window: rows, seconds and peak memory of counting it, each case in a process of its own.

Type: .venv/bin/python -m bench.limits [--rows 20000000] [--case NAME] [--json]
Cases on PostgreSQL start a temporary server. They need PostgreSQL's programs and the extra [postgres].
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from core.config import Columns, Data
from monitoring.axes import Axis, fit_categorical, fit_numeric
from monitoring.counting import count
from monitoring.sources import open_source

ROOT = Path(__file__).parent.parent
START = dt.datetime(2013, 3, 4, tzinfo=dt.UTC)
DAYS = 9
CHUNK = 1_000_000
BASELINE = 200_000
NUMERIC, CATEGORICAL = 8, 2


class Case:
    """A window by its numbers of rows and of numeric columns; `levels` is the number of values of a category."""

    def __init__(self, rows: int, numeric: int = NUMERIC, levels: int = 200) -> None:
        self.rows, self.numeric, self.levels = rows, numeric, levels
        self.numbers = [f"n{i}" for i in range(numeric)]
        self.texts = [f"c{i}" for i in range(CATEGORICAL)]

    @property
    def data(self) -> Data:
        """Return the config."""
        numeric, categorical = tuple(self.numbers), tuple(self.texts)
        columns = Columns(id="id")
        return Data(source="rows", table="predictions", columns=columns, numeric=numeric, categorical=categorical)

    def values(self, rng: np.random.Generator, rows: int) -> dict[str, pa.Array]:
        """Return values of all features."""
        names = pa.array([f"level {i}" for i in range(self.levels)])
        floats = {name: pa.array(rng.normal(size=rows)) for name in self.numbers}
        return {**floats, **{name: names.take(pa.array(rng.integers(self.levels, size=rows))) for name in self.texts}}

    def chunks(self) -> Iterator[pa.Table]:
        """Yield the rows in order of time, in tables small enough for any machine."""
        rng = np.random.default_rng(3)
        size = max(1, min(CHUNK, 2 * 10**7 // self.numeric))
        step = DAYS * 86_400 * 10**6 // self.rows  # microseconds
        for start in range(0, self.rows, size):
            number = np.arange(start, min(start + size, self.rows))
            at = int(START.timestamp()) * 10**6 + number * step
            label = pa.array(rng.integers(2, size=len(number)).astype(np.int16))
            numbered = pc.cast(pa.array(number), pa.string())
            roles = {
                "id": pc.binary_join_element_wise("prediction-", pc.utf8_lpad(numbered, 12, "0"), ""),
                "timestamp": pa.array(at).cast(pa.timestamp("us", "UTC")),
                "prediction": pa.array(rng.random(len(number))),
                "actual": label,
            }
            yield pa.table({**roles, **self.values(rng, len(number))})

    def axes(self) -> dict[str, Axis]:
        """Return the axes of a baseline of the same kind."""
        rng = np.random.default_rng(4)
        rows = BASELINE if self.numeric == NUMERIC else BASELINE // 10
        names = pa.array([f"level {i}" for i in range(self.levels)])
        fitted: dict[str, Axis] = {name: fit_numeric(rng.normal(size=rows)) for name in self.numbers}
        texts = {name: names.take(pa.array(rng.integers(self.levels, size=rows))) for name in self.texts}
        return {**fitted, **{name: fit_categorical(values) for name, values in texts.items()}}

    def to_parquet(self, folder: Path) -> str:
        """Write a folder of files with at most a million rows each."""
        for number, table in enumerate(self.chunks()):
            parquet.write_table(table, folder / f"{number:05}.parquet", row_group_size=len(table))
        return str(folder)

    def to_postgres(self, _folder: Path) -> str:
        """Write a table with an index on the time, in a server of this run."""
        from tests import postgres

        url = postgres.fresh()
        floats = ", ".join(f"random() * 6 - 3 AS {name}" for name in self.numbers)
        texts = ", ".join(f"'level ' || floor(random() * {self.levels}) AS {name}" for name in self.texts)
        roles = (
            f"'prediction-' || lpad(n::text, 12, '0') AS id, "
            f"timestamptz '{START}' + n * interval '{DAYS} days' / {self.rows} AS timestamp, "
            "random() AS prediction, round(random())::smallint AS actual"
        )
        rows = f"SELECT {roles}, {floats}, {texts} FROM generate_series(0, {self.rows - 1}) AS n"  # noqa: S608 - fixed names
        postgres.execute(
            url,
            f"CREATE UNLOGGED TABLE predictions AS {rows}",
            "CREATE INDEX ON predictions (timestamp)",
            "ANALYZE predictions",
        )
        return url


def cases(rows: int) -> dict[str, tuple[Case, str]]:
    """Return all cases by name."""
    return {
        "parquet": (Case(rows), "parquet"),
        "parquet, a tenth": (Case(rows // 10), "parquet"),
        "postgresql": (Case(rows), "postgres"),
        "postgresql, a tenth": (Case(rows // 10), "postgres"),
        "2,000 columns": (Case(rows // 200, numeric=1_998), "parquet"),
        "a million levels": (Case(rows // 10, levels=1_000_000), "parquet"),
    }


def measure(case: Case, url: str) -> dict[str, Any]:
    """Count the window as a nightly run does; return seconds and MB beyond the imports, and the peak in MB."""
    axes = case.axes()
    before, start, used = peak(), time.perf_counter(), time.process_time()
    end = START + dt.timedelta(days=DAYS)
    source = open_source(url, case.data, ROOT)
    names = [*case.data.features, *case.data.roles]
    days = count(source.batches(names, START, end), axes, case.data.columns, version=None, as_of=end)
    return {
        "rows": sum(day.rows for day in days),
        "columns": len(names),
        "duplicates": sum(day.duplicates for day in days),
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(time.process_time() - used, 1),
        "before_mb": before,
        "peak_mb": peak(),
    }


def peak(process: int | str = "self") -> int:
    """Return the peak memory of a process in MB; for another process than this one, /proc is needed."""
    status = Path(f"/proc/{process}/status")
    if status.exists():  # getrusage would include the memory of the parent when it started this process
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024**2


def run(name: str, rows: int) -> dict[str, Any]:
    """Write the rows of a case, then count them in a new process."""
    case, kind = cases(rows)[name]
    with tempfile.TemporaryDirectory(prefix="limits-") as folder:
        url = case.to_parquet(Path(folder)) if kind == "parquet" else case.to_postgres(Path(folder))
        words = [sys.executable, "-m", "bench.limits", "--rows", str(rows), "--case", name, "--url", url]
        child = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT)
    results = json.loads(child.stdout)
    if results["rows"] != case.rows:
        raise SystemExit(f"{name}: {results['rows']:,} of {case.rows:,} rows were counted")
    return {"case": name, **results}


def main() -> None:
    """Run the cases and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--case", action="append", choices=list(cases(1000)))
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.url:
        print(json.dumps(measure(cases(given.rows)[given.case[0]][0], given.url)))
        return
    results = []
    for name in given.case or cases(given.rows):
        results.append(run(name, given.rows))
        if not given.json:
            line = (
                "{case:22} {rows:>12,} rows {columns:>6,} columns {seconds:>8} s {cpu_seconds:>8} s CPU {peak_mb:>6} MB"
            )
            print(line.format(**results[-1]), flush=True)
    if given.json:
        print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
