"""The cost of a nightly run whose older days are already counted: a window of 28 days, one of them new.

usage: python -m bench.again [--rows 100000] [--rounds 3] [--json]

--rows is the number of rows per day; each day is a Parquet file with the columns of `bench.drift`. `whole` counts all
days. `again` reuses 27 days that an earlier run stored, reads scores and labels of all days and the features of one.
`day` counts one day only. `start` does everything except reading rows. Each program runs in its own process; the
programs take turns.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.measured import HEAD, ROOT, Case, machine
from core import process

DAYS = 28
DAY = dt.timedelta(days=1)


def write(rows: int, folder: Path) -> None:
    """Write the days, a baseline, and the counts that an earlier run stored of all days but the last."""
    from pyarrow import parquet

    from bench.drift_data import AS_OF, chunks, config, write_baseline
    from monitoring.counting import KnownDays

    write_baseline(10 * rows, folder)
    (folder / "days").mkdir()
    for number in range(DAYS):
        (table,) = chunks(rows, 1, AS_OF - number * DAY, 1)
        ids = [f"{number:02}-{row}" for row in range(rows)]
        parquet.write_table(
            table.set_column(0, "id", [ids]), folder / "days" / f"{number:02}.parquet", compression="zstd"
        )
    days = counted(folder, AS_OF.date() - DAYS * DAY, AS_OF.date() - DAY)
    KnownDays.of(config().data, days).write(folder / "known.json")


def counted(folder: Path, first: dt.date, end: dt.date, *, features: bool = True) -> tuple[Any, ...]:
    """Return the tallies of some days."""
    from bench.drift_data import AS_OF, config
    from monitoring.counting import Baseline, count
    from monitoring.sources import open_source

    data = config().data
    baseline = Baseline.read(folder / "baseline.json")
    names = [*data.features, *data.roles] if features else [name for name in data.roles if name != data.columns.id]
    span = [dt.datetime.combine(day, dt.time(), dt.UTC) for day in (first, end)]
    batches = open_source(str(folder / "days"), data, ROOT).batches(names, span[0], span[1])
    return count(batches, baseline.axes if features else {}, data.columns, version="1", as_of=AS_OF)


def run(program: str, folder: Path) -> int:
    """Run a program and return the number of rows in its tallies."""
    from bench.drift_data import AS_OF, config
    from monitoring.counting import KnownDays, reuse_counted_days

    end = AS_OF.date()
    first = end - DAYS * DAY
    if program == "whole":
        days = counted(folder, first, end)
    elif program == "again":
        known = KnownDays.read(folder / "known.json").by_date(config().data)
        glance = counted(folder, first, end, features=False)
        days = reuse_counted_days(known, glance, end, lambda *span: counted(folder, *span))
    else:
        days = counted(folder, end - DAY, end if program == "day" else end - DAY)
    return sum(day.rows for day in days)


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        process.limit_blas_threads()
        process.reduce_gc()
        print(json.dumps({"rows": run(options.run[0], Path(options.run[1]))}))
        return
    with tempfile.TemporaryDirectory() as folder:
        write(options.rows, Path(folder))
        call = (sys.executable, "-m", "bench.again", "--run")
        cases = [
            Case(program, f"{DAYS} days", options.rows * DAYS, (*call, program, folder))
            for program in ("whole", "again", "day", "start")
        ]
        for _ in range(options.rounds):
            for case in cases:
                case.measure()
    whole, again, day, start = (case.cpu_seconds for case in cases)
    ratios = {"again_to_whole": (again - start) / (whole - start), "again_to_day": (again - start) / (day - start)}
    if options.json:
        print(json.dumps({"machine": machine(), "cpu": {c.program: c.cpu_seconds for c in cases}, "ratios": ratios}))
        return
    print(HEAD, *(case.line() for case in cases), sep="\n")
    print(f"\nbeyond the start, of the whole: {ratios['again_to_whole']:.2f}; of one day: {ratios['again_to_day']:.1f}")


if __name__ == "__main__":
    main()
