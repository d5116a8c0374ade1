from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config.model import ModelConfig
from core.config.settings import parse_config
from monitoring.counting.counts import Counts
from monitoring.counting.tally import DayTally
from monitoring.counting.window import Window
from monitoring.performance.report import PerformanceReport, limit, performance_report
from monitoring.tasks.binary import BINARY
from monitoring.tasks.binary_metrics import METRICS
from monitoring.tasks.regression import Regression

DAY = dt.timedelta(days=1)
AS_OF = dt.datetime(2013, 3, 12, 6, tzinfo=dt.UTC)
SEED = parse_config((Path(__file__).parents[2] / "data" / "seed.toml").read_text(encoding="utf-8"), "seed")


def configured(**trigger: Any) -> ModelConfig:
    """A config with these settings of the performance trigger; labels two days late, threshold 0.5."""
    performance = SEED.triggers.performance.model_copy(update=trigger)
    return SEED.model_copy(update={"triggers": SEED.triggers.model_copy(update={"performance": performance})})


def day(date: dt.date, tn: int = 0, fp: int = 0, fn: int = 0, tp: int = 0, unlabelled: int = 0) -> DayTally:
    """A day with so many rows of each kind."""
    scores = np.zeros((1000, 3), np.int64)
    scores[200], scores[800] = (tn, fn, unlabelled), (fp, tp, 0)
    return DayTally(
        date=date, rows=int(scores.sum()), duplicates=0, columns={}, scores=Counts(scores), unscored=0, bad_labels=0
    )


def report(
    days: list[DayTally], config: ModelConfig, reference: float | None = None, leave_out: Collection[dt.date] = ()
) -> PerformanceReport:
    """The report of a window with these days."""
    window = Window(
        model="seed",
        version=3,
        as_of=AS_OF,
        start=AS_OF.date() - 30 * DAY,
        end=AS_OF.date(),
        days=tuple(days),
        missing=(),
        future_rows=0,
        quality=None,
    )
    return performance_report(window, config, reference, leave_out)


def test_only_mature_days_of_the_window_count() -> None:
    """Seven days that end two days before the night, whatever lies before, after and in between."""
    days = [day(AS_OF.date() - ago * DAY, tp=10**ago) for ago in range(1, 13)]
    found = report(days, configured(window_days=7))

    assert (dt.date(2013, 3, 3), dt.date(2013, 3, 10)) == (found.start, found.end)
    assert sum(10**ago for ago in range(3, 10)) == found.labels
    assert [dt.date(2013, 3, 3 + i) for i in range(7)] == [score.date for score in found.days]


def test_counts_and_shares_are_exact() -> None:
    """Rows, labels, coverage, positives and the values of all metrics, over all days and for each."""
    first, second = AS_OF.date() - 4 * DAY, AS_OF.date() - 3 * DAY
    days = [day(first, tn=50, fp=10, fn=5, tp=15, unlabelled=20), day(second, tn=30, fp=10)]
    found = report(days, configured(metric="balanced_accuracy"))

    assert (140, 120, 120 / 140, 20) == (found.rows, found.labels, found.coverage, found.positives)
    assert (80 / 100 + 15 / 20) / 2 == found.value
    assert [((50 / 60 + 15 / 20) / 2, 80), (None, 40)] == [(score.value, score.labels) for score in found.days]
    assert set(METRICS) == set(found.others)
    assert 95 / 120 == found.others["accuracy"]


def test_rows_without_a_label_move_no_metric() -> None:
    """Not on any day, and not in one that ranks: they are in `rows` and `coverage` only."""
    date = AS_OF.date() - 3 * DAY
    labelled = report([day(date, tn=50, fp=10, fn=5, tp=15)], configured(metric="average_precision"))
    more = report([day(date, tn=50, fp=10, fn=5, tp=15, unlabelled=900)], configured(metric="average_precision"))

    assert (980, 80) == (more.rows, more.labels)
    assert labelled.value == labelled.days[0].value
    assert (labelled.value, labelled.days, labelled.others) == (more.value, more.days, more.others)


def test_days_left_out_leave_no_trace() -> None:
    """A broken day counts neither in the value nor in the coverage."""
    first, second = AS_OF.date() - 4 * DAY, AS_OF.date() - 3 * DAY
    found = report([day(first, tn=90, fp=10), day(second, fp=1000)], configured(), leave_out={second})

    assert (100, 0.9, (first,)) == (found.labels, found.value, tuple(score.date for score in found.days))


@pytest.mark.parametrize(
    ("days", "rows", "labels", "coverage"),
    [([], 0, 0, None), ([day(AS_OF.date() - 3 * DAY, unlabelled=9)], 9, 0, 0.0)],
    ids=["no rows", "no labels"],
)
def test_nothing_to_judge_has_no_value(days: list[DayTally], rows: int, labels: int, coverage: float | None) -> None:
    """Without rows or labels there is a report, with nothing in it."""
    found = report(days, configured(metric="roc_auc", confidence=0.95))

    assert (rows, labels, coverage) == (found.rows, found.labels, found.coverage)
    assert (None, None, None, {}) == (found.value, found.low, found.high, found.others)


@pytest.mark.parametrize("metric", METRICS)
def test_one_class_only_has_a_value_where_the_metric_needs_no_other(metric: str) -> None:
    """Only zeros: accuracy and weighted precision are defined, and precision where something was predicted 1."""
    found = report([day(AS_OF.date() - 3 * DAY, tn=50, fp=50)], configured(metric=metric))

    assert (metric in {"accuracy", "precision", "f1", "precision_weighted"}) == (found.value is not None)


@pytest.mark.parametrize(
    ("reference", "expected"), [(None, 0.6), (0.62, 0.6), (0.65, 0.6), (0.7, 0.7 - 0.05), (0.9, 0.9 - 0.05)]
)
def test_the_limit_is_the_larger_of_floor_and_reference(reference: float | None, expected: float) -> None:
    """A good reference raises the limit, a bad one cannot lower it under the floor."""
    found = report([], configured(floor=0.6, max_drop=0.05), reference)

    assert pytest.approx(expected, abs=1e-12) == found.limit == limit(0.6, reference, 0.05)
    assert (0.6, reference) == (found.floor, found.reference)


def test_bounds_are_those_of_the_configured_confidence() -> None:
    """At 0.5 the value itself; at 0.95 Wilson's bounds for accuracy, and those that the seed draws for others."""
    from monitoring.tasks.intervals import interval

    days = [day(AS_OF.date() - 3 * DAY, tn=84, fp=16)]
    plain, sure = report(days, configured()), report(days, configured(confidence=0.95))

    assert (0.84, 0.84, 0.84) == (plain.value, plain.low, plain.high)
    counts = BINARY.counted([0] * 100, [0.2] * 84 + [0.8] * 16)
    assert interval("accuracy", counts, 0.5, 0.95, seed=0) == (sure.low, sure.high)
    days = [day(AS_OF.date() - 3 * DAY, tn=50, fp=10, fn=5, tp=15)]
    drawn = report(days, configured(metric="f1", confidence=0.95))
    counts = BINARY.counted([0] * 60 + [1] * 20, [0.2] * 50 + [0.8] * 10 + [0.2] * 5 + [0.8] * 15)
    assert interval("f1", counts, 0.5, 0.95, seed=SEED.training.seed) == (drawn.low, drawn.high)


def test_the_report_is_a_record() -> None:
    """It survives being written and read."""
    found = report([day(AS_OF.date() - 3 * DAY, tn=84, tp=16), day(AS_OF.date() - 4 * DAY)], configured())

    assert found == PerformanceReport.from_json(found.to_json())


def test_only_a_binary_model_has_positives() -> None:
    """Of the labels of others none is 1 in that sense; rows, labels and values are those of the task."""
    task = Regression(0.0, 10.0)
    trigger = {"metric": "neg_mean_absolute_error", "floor": -9.0}
    config = ModelConfig.model_validate(
        {
            "name": "m",
            "task": "regression",
            "registry_name": "m",
            "data": {"source": "rows.db", "numeric": ("x",), "label_range": (0.0, 10.0)},
            "triggers": {"performance": trigger},
        }
    )
    counts = np.zeros(task.shape, np.int64)
    counts[:, :-1] = task.counted([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    counts[500, -1] = 4
    found = report([day(AS_OF.date() - 3 * DAY).model_copy(update={"scores": Counts(counts)})], config)

    assert (None, 7, 3, 3 / 7) == (found.positives, found.rows, found.labels, found.coverage)
    assert -2.0 == pytest.approx(found.value, rel=0.007)
    assert [3] == [one.labels for one in found.days]
