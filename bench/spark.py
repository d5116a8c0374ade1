"""Memory of the driver while Spark's executors count generated rows: it stays flat.

    .venv/bin/python -m bench.spark --rows 50_000_000        # with the extra [spark]; `make engines` makes such a .venv
    .venv/bin/python -m bench.spark --rows 5_000_000 --rows 50_000_000 --json

Executors are processes of their own (`local-cluster`), so that their memory is measured apart from that of the driver.
A new driver counts each number of rows.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.limits import DAYS, START, Case, peak

ROOT = Path(__file__).parent.parent
DEFAULTS = """
spark.master local-cluster[{executors},1,{memory}]
spark.executor.memory {memory}m
spark.driver.memory 1g
spark.ui.enabled false
spark.ui.showConsoleProgress false
spark.local.dir {folder}
spark.sql.warehouse.dir {folder}/warehouse
"""
SILENT = """
appender.none.type = Null
appender.none.name = none
rootLogger.level = off
rootLogger.appenderRef.none.ref = none
"""


def generated(case: Case) -> str:
    """Return the name of a view that generates rows when it is read: ids, nine days, scores, labels, features."""
    from monitoring.sources import session

    step = DAYS * 86_400 * 10**6 // case.rows
    start = int(START.timestamp()) * 10**6
    floats = [f"randn({number}) AS {name}" for number, name in enumerate(case.numbers)]
    texts = [f"concat('level ', int(rand({90 + i}) * {case.levels})) AS {name}" for i, name in enumerate(case.texts)]
    roles = [
        "concat('prediction-', lpad(id, 12, '0')) AS id",
        f"timestamp_micros({start} + id * {step}) AS timestamp",
        "rand(80) AS prediction",
        "smallint(rand(81) < 0.5) AS actual",
    ]
    session().range(case.rows).selectExpr(*roles, *floats, *texts).createOrReplaceTempView("predictions")
    return "predictions"


def measure(rows: int) -> dict[str, Any]:
    """Count `rows` rows; return seconds, and the peak MB of the driver's two processes and of all executors."""
    from monitoring.sources import SparkSource, session

    case = Case(rows)
    axes, names = case.axes(), [*case.data.features, *case.data.roles]
    started = time.perf_counter()
    source = SparkSource(generated(case), case.data)
    ready = time.perf_counter()
    end = START + dt.timedelta(days=DAYS)
    days = source.tally(names, START, end, axes, version=None, as_of=end)
    seconds = time.perf_counter() - ready
    below = {process: command(process) for process in children(os.getpid())}
    java = [process for process, words in below.items() if "SparkSubmit" in words]
    memory = {process: peak(process) for process, words in below.items() if words}  # an ended process has none
    session().stop()
    return {
        "rows": sum(day.rows for day in days),
        "duplicates": sum(day.duplicates for day in days),
        "columns": len(names),
        "start_seconds": round(ready - started, 1),
        "seconds": round(seconds, 1),
        "rows_a_second": round(rows / seconds),
        "driver_python_mb": peak(),
        "driver_java_mb": sum(memory[process] for process in java),
        "workers_mb": sum(memory.values()) - sum(memory[process] for process in java),
    }


def children(parent: int) -> list[int]:
    """Return the descendants of a process."""
    results: list[int] = []
    for thread in Path(f"/proc/{parent}/task").iterdir():
        for child in map(int, (thread / "children").read_text().split()):
            results += [child, *children(child)]
    return results


def command(process: int) -> str:
    """Return the command line of a process."""
    return Path(f"/proc/{process}/cmdline").read_text()


def run(rows: int, executors: int, memory: int) -> dict[str, Any]:
    """Measure in a new process, with settings of Spark's own for it."""
    with tempfile.TemporaryDirectory(prefix="spark-") as folder:
        defaults = DEFAULTS.format(executors=executors, memory=memory, folder=folder)
        (Path(folder) / "spark-defaults.conf").write_text(defaults)
        (Path(folder) / "log4j2.properties").write_text(SILENT)
        env = {**os.environ, "SPARK_CONF_DIR": folder, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_WORKER_DIR": folder}
        words = [sys.executable, "-m", "bench.spark", "--inside", "--rows", str(rows)]
        child = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env)
    return dict(json.loads(child.stdout.splitlines()[-1]))


def main() -> None:
    """Run the cases and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--executors", type=int, default=2)
    parser.add_argument("--memory", type=int, default=1024, help="of an executor's JVM, in MB")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results = []
    for rows in given.rows or [5_000_000, 50_000_000]:
        if given.inside:
            print(json.dumps(measure(rows)))
            return
        results.append(run(rows, given.executors, given.memory))
        if not given.json:
            line = (
                "{rows:>12,} rows {columns} columns {seconds:>7} s {rows_a_second:>9,} rows/s  driver: Python "
                "{driver_python_mb} MB, Java {driver_java_mb} MB  executors and their Python: {workers_mb} MB"
            )
            print(line.format(**results[-1]), flush=True)
    if given.json:
        print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
