"""Example rows look like the baseline and are no rows of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from core.config.model import Columns, Data, ModelConfig
from monitoring.counting.tally import Baseline, build_baseline
from training.example import synthetic_rows
from training.scoring import score

if TYPE_CHECKING:
    import pandas as pd


def test_example_rows_have_the_kinds_and_places_of_features(baseline: Baseline, config: ModelConfig) -> None:
    """They are what the model takes: all features in order, float64 and text."""
    rows = synthetic_rows(baseline, config.data, seed=1)

    assert (64, list(config.data.features)) == (len(rows), list(rows.columns))
    assert {"float64"} == {str(kind) for kind in rows[list(config.data.numeric)].dtypes}


def test_example_rows_follow_the_seed(baseline: Baseline, config: ModelConfig) -> None:
    """The same seed gives the same rows, another seed others."""
    first, again, other = (synthetic_rows(baseline, config.data, seed=seed) for seed in (1, 1, 2))

    assert first.equals(again)
    assert not first.equals(other)


def test_no_example_row_is_a_real_one(baseline: Baseline, config: ModelConfig, rows: pd.DataFrame) -> None:
    """No drawn row agrees with a row of the baseline in more than half of its numbers; columns are drawn apart."""
    numeric = list(config.data.numeric)
    drawn, real = synthetic_rows(baseline, config.data, seed=1)[numeric].to_numpy(), rows[numeric].to_numpy()
    agree = [(np.isclose(real, row, rtol=0, atol=1e-9)).sum(axis=1).max() for row in drawn]

    assert max(agree) <= len(numeric) // 2


def test_example_columns_are_distributed_as_in_the_baseline(baseline: Baseline, config: ModelConfig) -> None:
    """Nulls, levels and bins come as often as in the baseline (64,000 draws, five standard errors)."""
    drawn = synthetic_rows(baseline, config.data, n=64_000, seed=3)
    share = baseline.total("pressure")[baseline.axes["pressure"].null] / baseline.rows

    assert abs(drawn["pressure"].isna().mean() - share) < 5 * np.sqrt(share / 64_000)
    for name in ("distance", "origin"):
        axis, total = baseline.axes[name], baseline.total(name)
        cells, outside = axis.cells(pa.array(drawn[name].tolist()))
        found = np.bincount(cells, minlength=axis.size)
        assert not outside.any()
        assert np.abs(found / 64_000 - total / total.sum()).max() < 5 * np.sqrt(0.25 / 64_000)


def test_a_baseline_without_values_gives_nulls() -> None:
    """Columns that are null in every row, or of one value, give just that."""
    columns = {
        "id": ["a", "b"],
        "timestamp": pa.array([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)] * 2, pa.timestamp("us", "UTC")),
        "x": pa.array([None, None], pa.float64()),
        "y": [7.0, 7.0],
        "c": pa.nulls(2, pa.string()),
    }
    data = Data(source="s", columns=Columns(id="id"), numeric=("x", "y"), categorical=("c",))
    batch, night = pa.RecordBatch.from_pydict(columns), dt.datetime(2024, 1, 3, tzinfo=dt.UTC)
    known = build_baseline([batch], ("x", "y"), ("c",), data.columns, night)
    rows = synthetic_rows(known, data, seed=0)

    assert rows["x"].isna().all()
    assert {7.0} == set(rows["y"])
    assert {None} == set(rows["c"])


def test_a_model_scores_example_rows(baseline: Baseline, config: ModelConfig, model: Any) -> None:
    """The model gives different probabilities for them, so that they show when another model is loaded."""
    scores = score(model, synthetic_rows(baseline, config.data, seed=1))

    assert len(set(scores.tolist())) > 50
