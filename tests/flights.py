"""The flights of 2013 as a monitoring source would give them, and what the first night makes of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from core.config.settings import load_config

if TYPE_CHECKING:
    import pandas as pd

    from core.config.model import ModelConfig
    from monitoring.counting.tally import Baseline
    from monitoring.counting.window import Window
    from training.fit import Candidate, Split

ROOT = Path(__file__).parent / "example"
DAY = dt.timedelta(days=1)
Days = Callable[[dt.date, dt.date], pa.RecordBatch]


def midnight(day: dt.date) -> dt.datetime:
    """The first instant of a day, UTC."""
    return dt.datetime.combine(day, dt.time(), dt.UTC)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def night() -> dt.date:
    """The night on which the first model is trained."""
    return dt.date(2013, 3, 4)


@pytest.fixture(scope="session")
def config() -> ModelConfig:
    """The config of the example model."""
    return load_config(ROOT, "flights")


@pytest.fixture(scope="session")
def days() -> Days:
    """A function from two dates to the flights between, with the columns of the monitoring table.

    Scores are made up: 0.75 for late flights and 0.25 for others. Labels are known two days later.
    """
    table = pq.read_table(ROOT / "model/flights/data/flights_sample.parquet").combine_chunks()
    time = table["timestamp"].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    table = table.set_column(0, "timestamp", time).rename_columns(
        ["actual" if name == "target" else name for name in table.column_names]
    )
    late = pc.fill_null(pc.equal(table["actual"], 1), False)
    table = table.append_column("prediction", pc.if_else(late, 0.75, 0.25))
    table = table.append_column("labelled_at", pc.add(time, pa.scalar(2 * DAY, pa.duration("us"))))
    table = table.append_column("model_version", pa.array(["1"] * len(table)))
    every = table.to_batches()[0]
    moments = np.asarray(every.column("timestamp").cast(pa.int64()))

    def between(start: dt.date, end: dt.date) -> pa.RecordBatch:
        cuts = [int(midnight(day).timestamp() * 1_000_000) for day in (start, end)]
        return every.filter(pa.array((moments >= cuts[0]) & (moments < cuts[1])))

    return between


@pytest.fixture(scope="session")
def batch(days: Days, night: dt.date) -> pa.RecordBatch:
    """The 60 days that the first night trains on."""
    return days(night - 62 * DAY, night - 2 * DAY)


@pytest.fixture(scope="session")
def rows(batch: pa.RecordBatch, config: ModelConfig, night: dt.date) -> pd.DataFrame:
    """The labelled rows of the first night."""
    from training import labelled_frame

    return labelled_frame([batch], config.data, midnight(night))


@pytest.fixture(scope="session")
def baseline(batch: pa.RecordBatch, config: ModelConfig, night: dt.date) -> Baseline:
    """The baseline of the first model."""
    from monitoring.counting.tally import build_baseline

    data = config.data
    return build_baseline([batch], data.numeric, data.categorical, data.columns, midnight(night))


@pytest.fixture(scope="session")
def parts(rows: pd.DataFrame, config: ModelConfig) -> Split:
    """The fit and holdout rows of the first night."""
    from training import split_rows

    return split_rows(rows, config)


@pytest.fixture(scope="session")
def model(parts: Split, config: ModelConfig) -> Any:
    """The first model, fitted."""
    from training import fit_estimator, load_build

    return fit_estimator(load_build(ROOT, "flights"), config, parts)


@pytest.fixture(scope="session")
def window(days: Days, baseline: Baseline, config: ModelConfig) -> Callable[..., Window]:
    """A function from a night to the window of the seven days before it, counted on the first baseline.

    `change` is applied to the rows before they are counted.
    """
    from monitoring.counting.tally import count
    from monitoring.counting.window import Window

    def at(end: dt.date, change: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None) -> Window:
        rows = days(end - 7 * DAY, end)
        counted = count(
            [change(rows) if change else rows],
            baseline.axes,
            config.data.columns,
            version="1",
            as_of=midnight(end),
        )
        return Window(
            model="flights",
            version=1,
            as_of=midnight(end),
            start=end - 7 * DAY,
            end=end,
            days=counted,
            missing=(),
            future_rows=0,
            quality=None,
        )

    return at


@pytest.fixture(scope="session")
def candidate(parts: Split, rows: pd.DataFrame, night: dt.date) -> Candidate:
    """The first model as it was registered, without findings."""
    from core.quality_report import QualityReport
    from monitoring.triggers.decision import Decision
    from training.digest import data_digest
    from training.fit import Candidate

    return Candidate(
        model="flights",
        registry_name="flights",
        version=2,
        run_id="0" * 32,
        digest="1" * 64,
        data_digest=data_digest(rows),
        training_key="2" * 64,
        commit="3" * 40,
        as_of=midnight(night),
        fit_from=parts.fit_from,
        fit_until=parts.fit_until,
        data_until=parts.data_until,
        fit_rows=len(parts.fit),
        holdout_rows=len(parts.holdout),
        quality=QualityReport(subject="training", rows=len(rows), checks=43, findings=()),
        decision=Decision(
            model="flights",
            as_of=midnight(night),
            champion=None,
            retrain=True,
            first=True,
            reasons=("there is no model yet",),
            held_back_by=(),
            readings=(),
            performance=None,
            drift=None,
            quality=None,
        ),
    )
