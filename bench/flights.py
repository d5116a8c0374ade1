"""Nights of real flights in random order: real columns and real effects of days, without drift.

A draw has 67 random days of the year, and the last 7 are the window. The window is chosen by chance, so every alarm is
false. Seasons and weather become noise between days. The sample has 200 flights a day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.nights import BASELINE, DAY, FIRST, WINDOW
from core.config import Columns, load_config
from monitoring.counting import TIME, Baseline, DayTally, build_baseline

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "tests" / "example"  # where the example is also when model/ has it no longer
SAMPLE = EXAMPLE / "model" / "flights" / "data" / "flights_sample.parquet"


@cache
def year() -> Baseline:
    """Return the tallies of all days, and their axes."""
    rows = pq.read_table(SAMPLE)
    place = rows.column_names.index("timestamp")
    rows = rows.set_column(place, pa.field("timestamp", TIME), rows["timestamp"].cast(pa.timestamp("us")).cast(TIME))
    data = load_config(EXAMPLE, "flights").data
    batches = rows.combine_chunks().to_batches()
    return build_baseline(
        batches, data.numeric, data.categorical, Columns(id="id"), dt.datetime(2014, 1, 2, tzinfo=dt.UTC)
    )


def shuffled(times: int, seed: int) -> Iterator[tuple[DayTally, ...]]:
    """Yield draws of 67 days of the year, with consecutive dates."""
    days = year().days
    for child in np.random.SeedSequence(seed).spawn(times):
        drawn = np.random.default_rng(child).choice(len(days), BASELINE + WINDOW, replace=False)
        yield tuple(days[place].model_copy(update={"date": FIRST + i * DAY}) for i, place in enumerate(drawn))
