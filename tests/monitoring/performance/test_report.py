from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config.model import ModelConfig
from core.config.settings import parse_config
from monitoring.counting.counts import Counts
from monitoring.counting.holdout import Holdout, HoldoutDay
from monitoring.counting.tally import DayTally
from monitoring.counting.window import Window
from monitoring.performance.reference import PromotedScore, alarm_limit
from monitoring.performance.report import PerformanceReport, performance_report
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
    days: list[DayTally],
    config: ModelConfig,
    reference: float | None = None,
    leave_out: Collection[dt.date] = (),
    **known: Any,
) -> PerformanceReport:
    """The report of a window with these days, of a version whose holdout score is the reference."""
    score = PromotedScore(version=3, metric="accuracy", score=reference) if reference is not None else None
    return performance_report(_window(days), config, (score,) if score else (), leave_out, **known)


def _window(days: list[DayTally]) -> Window:
    """A window with these days."""
    return Window(
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

    assert pytest.approx(expected, abs=1e-12) == found.limit == alarm_limit(0.6, reference, 0.05)
    assert (0.6, reference) == (found.floor, found.reference)


def test_bounds_of_few_days_are_those_by_rows() -> None:
    """On one day Wilson's bounds for accuracy, and those that the seed draws for f1; nothing is adjusted for days."""
    from monitoring.tasks.intervals import interval

    sure = report([day(AS_OF.date() - 3 * DAY, tn=840, fp=160)], configured(confidence=0.95, max_drop=0.5))
    counts = BINARY.counted([0] * 1000, [0.2] * 840 + [0.8] * 160)

    assert (0.95, False) == (sure.confidence, sure.looks[0].adjusted)
    assert interval("accuracy", counts, 0.5, 0.95, seed=0) == pytest.approx((sure.low, sure.high), abs=1e-12)
    days = [day(AS_OF.date() - 3 * DAY, tn=500, fp=100, fn=50, tp=150)]
    drawn = report(days, configured(metric="f1", confidence=0.95, max_drop=0.5))
    counts = BINARY.counted([0] * 600 + [1] * 200, [0.2] * 500 + [0.8] * 100 + [0.2] * 50 + [0.8] * 150)
    low, high = interval("f1", counts, 0.5, 0.95, seed=SEED.training.seed)
    assert drawn.low <= low <= high <= drawn.high
    assert drawn.high - drawn.low == pytest.approx(high - low, rel=0.1)


def week(rates: list[float], rows: int = 200, until: int = 3) -> list[DayTally]:
    """Days on which these shares of the rows are right, the last one `until` days before the run."""
    first = AS_OF.date() - (until + len(rates) - 1) * DAY
    return [
        day(first + number * DAY, tn=round(rate * rows), fp=rows - round(rate * rows))
        for number, rate in enumerate(rates)
    ]


NOISY = [0.62, 0.78, 0.66, 0.74, 0.60, 0.80, 0.70]


def test_days_that_differ_widen_the_bounds() -> None:
    """The same rows on days that differ and on days that do not: the first say less."""
    config = configured(window_days=7, max_drop=0.5, confidence=0.95)
    equal, noisy = report(week([0.7] * 7), config), report(week(NOISY), config)

    assert equal.value == noisy.value == 0.7
    assert noisy.high - 0.7 > 1.5 * (equal.high - 0.7)
    assert noisy.looks[0].design_effect > 3
    assert 5.9 == pytest.approx(noisy.looks[0].freedom, abs=0.2)


def test_earlier_days_show_how_days_differ() -> None:
    """Days before the look and promoted holdouts add degrees of freedom, whatever their level is."""
    config = configured(window_days=7)
    alone = report(week(NOISY), config).looks[0]
    more = report(week([rate - 0.1 for rate in NOISY * 3] + NOISY), config).looks[0]
    promoted = PromotedScore(version=3, metric="accuracy", score=0.9, correlation=0.03, freedom=11.0, days=12)
    known = performance_report(_window(week(NOISY)), config, (promoted,), ()).looks[0]

    assert (alone.value, alone.labels) == (more.value, more.labels)
    assert alone.freedom + 20 == pytest.approx(more.freedom, abs=0.5)
    assert alone.freedom + 11 == pytest.approx(known.freedom)


def test_the_holdout_of_the_model_in_service_counts_if_its_manifest_does_not_know_it() -> None:
    """An earlier release did not declare how the days of a holdout vary; the baseline kept them."""
    config = configured(window_days=7)
    holdout = Holdout(
        days=tuple(HoldoutDay(date=one.date, counts=Counts(one.scores.array[:, :-1])) for one in week(NOISY)),
        calibration=None,
    )
    alone, known = (report(week(NOISY), config, 0.9, holdout=given).looks[0] for given in (None, holdout))
    declared = PromotedScore(version=3, metric="accuracy", score=0.9, correlation=0.03, freedom=11.0, days=12)
    both = performance_report(_window(week(NOISY)), config, (declared,), (), holdout).looks[0]

    assert 2 * alone.freedom == pytest.approx(known.freedom)
    assert alone.freedom + 11 == pytest.approx(both.freedom)


def test_a_look_fires_when_its_upper_bound_is_under_the_limit() -> None:
    """Over seven days, and the report describes it; with the limit at the bound nothing fires."""
    days = week([0.7] * 7, rows=1000)
    low = report(days, configured(window_days=7, floor=0.75, max_drop=0.05, confidence=0.95))
    high = report(days, configured(window_days=7, floor=low.high, max_drop=0.05, confidence=0.95))

    assert low.decisive is not None
    assert (True, 7, low.high) == (low.decisive.fired, low.decisive.days, low.decisive.high)
    assert high.decisive is not None
    assert not high.decisive.fired


def test_a_small_fall_shows_in_a_longer_look() -> None:
    """A week of few rows proves nothing; four weeks of them do, and the report is about these."""
    days = week([0.67] * 28, rows=40)
    found = report(days, configured(window_days=7, floor=0.7, max_drop=0.05, confidence=0.95))

    assert [False, False, True] == [look.fired for look in found.looks]
    assert [7, 14, 28] == [look.days for look in found.looks]
    assert (28 * 40, AS_OF.date() - 30 * DAY) == (found.labels, found.start)
    assert 28 == len(found.days)


def test_looks_without_enough_labels_are_passed_over() -> None:
    """The shortest look with enough labels is described; without any, the longest."""
    days = week([0.8] * 28, rows=10)
    some = report(days, configured(window_days=7, min_labels=100))
    none = report(days, configured(window_days=7, min_labels=1000))

    assert ["few_labels", None, None] == [look.missing for look in some.looks]
    assert (140, 280) == (some.labels, none.labels)
    assert none.decisive is not None
    assert "few_labels" == none.decisive.missing


def test_a_ranking_needs_positives() -> None:
    """Nine rows of the rarer label have a score without bounds; `min_positives` changes that."""
    days = [day(AS_OF.date() - ago * DAY, tn=80, fp=10, fn=1, tp=1 if ago > 3 else 2) for ago in range(3, 7)]
    found = report(days, configured(window_days=7, metric="roc_auc"))
    fewer = report(days, configured(window_days=7, metric="roc_auc", min_positives=9))

    assert (9, None) == (found.positives, found.high)
    assert found.value is not None
    assert found.decisive is not None
    assert "few_positives" == found.decisive.missing
    assert fewer.high is not None


def test_reports_of_an_earlier_release_are_read() -> None:
    """They have no looks, no confidence and no error of the reference."""
    raw = json.loads(report(week(NOISY), configured()).to_json())
    for name in ("looks", "confidence", "reference_error"):
        del raw[name]
    read = PerformanceReport.from_json(json.dumps(raw))

    assert ((), None, None, None) == (read.looks, read.confidence, read.reference_error, read.decisive)


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
