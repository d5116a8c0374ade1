"""Simulated rows for `bench.drift`, written as files and tables once for each size.

The rows have 30 numeric columns (normal, lognormal, mixtures, two decimals, Poisson, 60% zeros), 5 columns of text
(2 to 1,000 levels), id, time, score and label. Five numeric columns and one of text drift.

usage: python -m bench.drift_data ROWS FOLDER|postgresql://...
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet

from core.config import ModelConfig, check_config
from monitoring.counting import build_baseline

NUMERIC = tuple(f"n{number:02}" for number in range(30))
LEVELS = {"c0": 2, "c1": 5, "c2": 12, "c3": 50, "c4": 1000}
SHIFTS = {
    0: 0.05,
    6: 0.1,
    12: 0.25,
    18: 0.5,
    24: 0.1,
}  # of numeric columns, in about standard deviations
HALF, ZEROS = 0.5, 0.6
POINTS = 0.05  # added to the share of the first level of c1
CHUNK = 1_000_000  # rows per file
BASELINE_DAYS, WINDOW_DAYS = 30, 9
AS_OF = dt.datetime(2026, 6, 10, tzinfo=dt.UTC)
MODEL = "bench"


def config() -> ModelConfig:
    """Return a config of defaults; a window has the nine days that the triggers need."""
    data = {"source": "window", "table": "predictions", "numeric": NUMERIC, "categorical": tuple(LEVELS)}
    raw = {"task": "binary", "registry_name": MODEL, "data": data}
    return check_config(raw, MODEL, origin="bench")


def numbers(rng: np.random.Generator, number: int, rows: int, shift: float) -> NDArray[np.float64]:
    """Return a numeric column: normal, lognormal, a mixture, two decimals, Poisson, or 60% zeros."""
    kinds: list[tuple[int, Callable[[], NDArray[np.float64]]]] = [
        (10, lambda: rng.standard_normal(rows) + shift),
        (15, lambda: np.exp(rng.standard_normal(rows) + shift)),
        (
            20,
            lambda: np.where(rng.random(rows) < HALF, rng.standard_normal(rows), rng.exponential(2, rows) + 3) + shift,
        ),
        (25, lambda: np.round(rng.gamma(2, 50, rows) + 70 * shift, 2)),
        (28, lambda: rng.poisson((3, 50, 400)[number - 25], rows).astype(np.float64)),
        (30, lambda: np.where(rng.random(rows) < ZEROS, 0.0, rng.exponential(1, rows))),
    ]
    return next(draw for last, draw in kinds if number < last)()


def features(rng: np.random.Generator, rows: int, *, moved: bool) -> dict[str, pa.Array]:
    """Return all columns that a model would use."""
    columns: dict[str, pa.Array] = {
        name: pa.array(numbers(rng, number, rows, SHIFTS.get(number, 0.0) if moved else 0.0))
        for number, name in enumerate(NUMERIC)
    }
    for name, size in LEVELS.items():
        share = 1 / np.arange(1, size + 1)
        share /= share.sum()
        if moved and name == "c1":
            share += np.array([POINTS, -POINTS, 0, 0, 0])
        words = pa.array([f"v{level:03}" for level in range(size)])
        columns[name] = words.take(pa.array(rng.choice(size, rows, p=share)))
    return columns


def chunks(rows: int, days: int, end: dt.datetime, seed: int) -> Iterator[pa.Table]:
    """Yield rows in order of time, spread evenly over the `days` before `end`, with ids, times, scores and labels."""
    rng = np.random.default_rng(seed)
    first, length = int((end - days * dt.timedelta(days=1)).timestamp()) * 10**6, days * 86_400 * 10**6
    for start in range(0, rows, CHUNK):
        number = np.arange(start, min(start + CHUNK, rows))
        score = rng.beta(2, 2, len(number))
        roles = {
            "id": pc.binary_join_element_wise("prediction-", pc.utf8_lpad(pc.cast(number, pa.string()), 12, "0"), ""),
            "timestamp": pa.array(first + (number * (length / rows)).astype(np.int64)).cast(pa.timestamp("us", "UTC")),
            "prediction": pa.array(score),
            "actual": pa.array((rng.random(len(number)) < score).astype(np.int8)),
        }
        yield pa.table({**roles, **features(rng, len(number), moved=seed > 0)})


def write_baseline(rows: int, folder: Path) -> None:
    """Write the baseline of the training rows, and their features for the peers."""
    tables = list(chunks(rows, BASELINE_DAYS, AS_OF - WINDOW_DAYS * dt.timedelta(days=1), 0))
    batches = [batch for table in tables for batch in table.to_batches(max_chunksize=65_536)]
    build_baseline(batches, NUMERIC, LEVELS, config().data.columns, AS_OF).write(folder / "baseline.json")
    parquet.write_table(pa.concat_tables(tables).select([*NUMERIC, *LEVELS]), folder / "baseline.parquet")


def write_window(rows: int, folder: Path) -> None:
    """Write a folder of Parquet files with a million rows each."""
    folder.mkdir()
    for number, table in enumerate(chunks(rows, WINDOW_DAYS, AS_OF, 1)):
        parquet.write_table(table, folder / f"{number:05}.parquet", compression="zstd")


def write_features(rows: int, folder: Path) -> None:
    """Write the features of a window next to those of the baseline, in the form that the peers read."""
    folder.mkdir()
    tables = list(chunks(rows, WINDOW_DAYS, AS_OF, 1))
    parquet.write_table(pa.concat_tables(tables).select([*NUMERIC, *LEVELS]), folder / "window.parquet")
    (folder / "baseline.parquet").symlink_to(Path("..", "baseline.parquet"))


def write_sqlite(rows: int, path: Path) -> None:
    """Write a table with an index on its times, which are text."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        for number, table in enumerate(chunks(rows, WINDOW_DAYS, AS_OF, 1)):
            names = table.schema.names
            if not number:
                database.execute(f"CREATE TABLE predictions ({', '.join(names)})")
            text = pc.strftime(table["timestamp"], "%Y-%m-%dT%H:%M:%SZ")
            fill = f"INSERT INTO predictions VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - fixed names
            for batch in table.set_column(names.index("timestamp"), "timestamp", text).to_batches(65_536):
                database.executemany(fill, zip(*(column.to_pylist() for column in batch.columns), strict=True))
        database.execute("CREATE INDEX predictions_time ON predictions (timestamp)")
        database.commit()


def write_postgres(rows: int, url: str) -> None:
    """Write a table with an index on its times, in the empty database at `url`."""
    from tests import postgres

    for number, table in enumerate(chunks(rows, WINDOW_DAYS, AS_OF, 1)):
        postgres.append(url, "predictions", table, mode="append" if number else "create")
    postgres.execute(url, "CREATE INDEX ON predictions (timestamp)", "ANALYZE predictions")


def main() -> None:
    """Write the whole folder or nothing; with an address, write a table in a database."""
    rows, place = int(sys.argv[1]), sys.argv[2]
    if "://" in place:
        write_postgres(rows, place)
        return
    folder = Path(place)
    with tempfile.TemporaryDirectory(prefix="drift-", dir=folder.parent) as part:
        partial = Path(part) / "rows"
        partial.mkdir()
        write_baseline(rows, partial)
        for size in (rows // 10, rows, 10 * rows):
            write_window(size, partial / f"{size}")
        for size in (rows // 10, rows):
            write_features(size, partial / f"features {size}")
        write_sqlite(rows, partial / "window.sqlite")
        partial.rename(folder)


if __name__ == "__main__":
    main()
