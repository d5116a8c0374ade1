"""What a new model's task follows from, and what its windows and floors are for each: exact numbers on small arrays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import r2_score

from core.config.metrics import METRICS
from core.config.model import Columns, ModelConfig
from core.errors import DataError
from monitoring.tasks.binary import Binary
from monitoring.tasks.multiclass import Multiclass
from monitoring.tasks.regression import Regression
from training.scaffold.leaks import leak
from training.scaffold.limits import Unit, limits, outside
from training.scaffold.sample import Sample
from training.scaffold.target import Labels, choose, target_of, widened
from training.scaffold.trial import Trial, earlier
from training.scaffold.windows import Days, windows
from training.scoring import to_estimator_labels

RNG = np.random.default_rng(0)
TIMES = np.arange(600)
PLACES = RNG.integers(0, 3, 600)
NUMBERS = RNG.normal(size=600)
COLUMNS = Columns(id="id", time="time", score="score", label="label")
DAY = dt.timedelta(days=1)


def batch(labels: Sequence[Any], **columns: Sequence[Any]) -> pa.RecordBatch:
    """A row a day with these labels."""
    times = [dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + number * DAY for number in range(len(labels))]
    return pa.RecordBatch.from_pydict(
        {
            "time": pa.array(times, pa.timestamp("us", "UTC")),
            "label": labels,
            **columns,
        }
    )


TASKS: dict[str, tuple[Sequence[Any], str]] = {
    "true and false": ([True, False, None], "binary"),
    "whole numbers": ([1, 2, 3], "multiclass"),
    "thirty numbers": ([*range(30)] * 10, "multiclass"),
    "thirty numbers, some on nine rows": ([*range(30)] * 9, "regression"),
    "twelve numbers": (range(12), "multiclass"),
    "more numbers": ([*range(31)] * 10, "regression"),
    "measured numbers": ([0.5, 1.5, 2.25], "regression"),
    "many numbers": (np.arange(200) / 3, "regression"),
    "words": (["a", "b", "c"], "multiclass"),
}


@pytest.mark.parametrize(("values", "task"), TASKS.values(), ids=TASKS)
def test_the_task_follows_from_the_target(values: Sequence[Any], task: str) -> None:
    """0 and 1 are binary; words, and whole numbers that are few and not rare, are classes; others are measured."""
    assert task == choose(Labels.of([batch(pa.array(values))], COLUMNS), "label", None)[0]


def test_labels_are_counted_over_batches() -> None:
    """Rows, labels and values of all batches add up by day, whatever type each batch has."""
    found = Labels.of([batch([1.0, None, 3.0]), batch([1, 1, 2]), batch(["x", None, None])], COLUMNS)

    assert {1.0: 3, 2.0: 1, 3.0: 1, "x": 1} == found.sizes
    assert ([3, 3, 3], [3, 1, 2]) == tuple(
        [counted[day] for day in sorted(counted)] for counted in (found.rows, found.labelled)
    )
    assert not found.numeric


def test_days_have_a_column_a_class() -> None:
    """Classes are counted in the order of their numbers, by the text that stands for each."""
    labels = Labels.of([batch([10, 9, None, 10])], COLUMNS, text=True)
    target = target_of("multiclass", "", labels, "label")

    assert ("9", "10") == target.classes
    assert [[1, 0, 1], [1, 1, 0], [1, 0, 0], [1, 0, 1]] == target.days(labels).counts.tolist()


def days(counts: Sequence[int], names: tuple[str, ...], number: int = 402) -> Days:
    """So many days that are all alike."""
    return Days(dt.date(2024, 1, 1), np.array([[sum(counts), *counts]] * number, np.int64), names)


def test_a_class_that_is_too_rare_has_no_say() -> None:
    """The window holds a hundred rows of the rarest class that can be learned; numbers need two thousand rows only."""
    rare = days([100, 1, 0], ("a", "b", "c"))
    rare.counts[0, 3] = 19
    found = [next(windows(table, 2)) for table in (rare, days([100], ("",)), days([10], ("",)))]

    assert [100, 60, 200] == [one.value for one in found]
    assert ["10,100 labelled rows, 100 of the rarest class, 'b'", "6,000 labelled rows"] == [
        one.why for one in found[:2]
    ]
    assert [True, True, False] == rare.learnable.tolist()


def test_one_class_that_can_be_learned_is_too_few() -> None:
    """Several classes of which one only has ten rows are refused."""
    with pytest.raises(DataError, match="402 labelled rows from before its last 0 days"):
        list(windows(days([1, 0, 0], ("a", "b", "c")), 0))


LEAKS: dict[str, tuple[Any, bool]] = {
    "class by a number": ((PLACES * 2) % 3 + RNG.random(600) / 2, True),
    "two classes of three": (np.where(PLACES == 0, 0, 1) + RNG.random(600) / 2, False),
    "nearly": (PLACES + RNG.normal(size=600) / 4, False),
}


@pytest.mark.parametrize(("values", "found"), LEAKS.values(), ids=LEAKS)
def test_numbers_that_tell_the_class_are_found(values: Any, found: bool) -> None:
    """In whatever order, all classes have to be told apart."""
    levels, codes = np.unique(values, return_inverse=True)

    assert found == (leak(codes, levels, TIMES, PLACES.astype(float), Multiclass(("a", "b", "c"))) is not None)


def test_texts_that_tell_the_class_are_found() -> None:
    """A text a class is a leak; a class on nearly all rows is not told by guessing it; a text a row tells nothing."""
    many = np.arange(4000)
    seldom, noise = (many % 150 == 0).astype(float), RNG.integers(0, 3, 4000)
    task = Multiclass(("a", "b", "c"))

    assert "100.0% of each class" in str(leak(PLACES, None, TIMES, PLACES.astype(float), task))
    assert leak(noise, None, many, seldom, task) is None
    assert leak(TIMES, None, TIMES, PLACES.astype(float), task) is None


MEASURED: dict[str, tuple[Any, str | None]] = {
    "in order": (NUMBERS**3, "rank correlation 1.000"),
    "turned round": (-NUMBERS, "rank correlation -1.000"),
    "rounded": (np.round(NUMBERS, 1) + 0.0, "rank correlation"),
    "nearly": (NUMBERS + RNG.normal(size=600) / 3, None),
    "noise": (RNG.normal(size=600), None),
}


@pytest.mark.parametrize(("values", "said"), MEASURED.values(), ids=MEASURED)
def test_numbers_that_tell_a_number_are_found(values: Any, said: str | None) -> None:
    """Whatever way they order it; a strong feature is none."""
    levels, codes = np.unique(values, return_inverse=True)
    found = leak(codes, levels, TIMES, NUMBERS, Regression(-9, 9))

    assert (said or "None") in str(found)


def test_a_number_may_be_told_out_of_order() -> None:
    """A text a number, and a number whose both ends mean the same, are leaks by their value."""
    steps = PLACES * 10.0
    ends = np.abs(NUMBERS)
    levels, codes = np.unique(NUMBERS, return_inverse=True)

    assert leak(PLACES, None, TIMES, steps + RNG.random(600) / 100, Regression(0, 30)) is None
    assert "of the variance" in str(leak(codes, levels, TIMES, ends, Regression(0, 9)))
    assert "of the variance" in str(
        leak(np.digitize(NUMBERS, np.arange(-2, 2, 0.2)), None, TIMES, NUMBERS, Regression(-9, 9))
    )


@pytest.mark.parametrize(
    ("low", "high", "inner", "found"),
    [
        (25, 346, (30, 340), [0, 430]),
        (-2.85, 54.7, (0, 50), [-18, 70]),
        (-90, -10, (-85, -12), [-110, 0]),
        (1, 1001, (1, 20), [0, 2100]),
        (0, 4e8, (0, 10), [0, 8e8]),
        (-4e8, 4e8, (0, 10), [-1e9, 1e9]),
    ],
)
def test_the_range_of_labels_has_room(low: float, high: float, inner: tuple[float, float], found: list[float]) -> None:
    """A quarter on either side, as much again for heavy tails; no sign that no label has, and at most a billion."""
    assert found == widened(low, high, np.linspace(*inner, 1000))[0]


def config_of(task: str, **data: Any) -> ModelConfig:
    """A model of one feature."""
    metric = {"triggers": {"performance": {"metric": METRICS[task][0]}}}  # type: ignore[index]
    found = {"name": "x", "task": task, "registry_name": "x", "data": {"source": "x", "numeric": ("a",), **data}}
    return ModelConfig.model_validate(found | metric)


def test_fits_go_over_all_days() -> None:
    """Three follow each other by a holdout, and up to three more are spread over the days before."""
    config = config_of("binary")

    assert [0, 12, 24, 126, 228, 330] == earlier(config, 390)
    assert [0, 12, 24, 37] == earlier(config, 97)
    assert [[0], [0], [0, 12]] == [earlier(config, span) for span in (50, 71, 72)]


def limits_of(config: ModelConfig, *tried: tuple[Any, Any]) -> dict[str, Any]:
    """What is proposed of fits with these labels, and what each said."""
    rows = pd.DataFrame({"a": np.arange(300.0)})
    kind = DummyRegressor() if config.task == "regression" else DummyClassifier()
    model = kind.fit(rows, to_estimator_labels(np.arange(300) % 2, config.data))
    found = [Trial(model, rows, labels, said, dt.date(2024, 1, 1), config) for labels, said in tried]
    return {one.key: one.value for one in limits(found, 0.1)}


CLASSES = config_of("multiclass", classes=("a", "b", "c"))
RANGE = config_of("regression", label_range=(-10, 10))


def test_floors_stand_under_what_fits_reach() -> None:
    """Under the worst fit by what they differ and chance, over a guess; of r2 where it is worth something."""
    labels = NUMBERS[:300]
    found = limits_of(RANGE, (labels, labels + 0.4), (labels, labels + 0.5))

    assert "r2" == found["triggers.performance.metric"]
    assert found["triggers.performance.floor"] == found["gates.r2"]
    assert 0 < found["gates.r2"] <= 0.65
    assert 0.18 <= found["triggers.performance.max_drop"] <= 0.2
    assert -0.7 < found["gates.neg_mean_absolute_error"] <= -0.6


def test_large_labels_and_their_large_errors_are_drawn_together() -> None:
    """Errors in step with the labels leave r2 nearly as it is, however the labels fall: its floor is near."""
    labels = np.minimum(np.exp(NUMBERS[:300]), 9.9)
    value = r2_score(labels, 0.6 * labels)

    assert 0.05 <= value - limits_of(RANGE, (labels, 0.6 * labels))["gates.r2"] <= 0.1


def test_a_model_that_is_worth_nothing_does_not_ring_every_night() -> None:
    """Where fits are under a guess there is no gate, and the trigger's floor is under them, in the label's unit."""
    labels = NUMBERS[:300]
    found = limits_of(RANGE, (labels, -labels))

    assert "neg_mean_absolute_error" == found["triggers.performance.metric"]
    assert [] == [key for key in found if key.startswith(("gates.r2", "gates.neg"))]
    assert found["triggers.performance.floor"] < -2 * np.abs(labels).mean()


def test_labels_in_one_cell_are_judged_by_their_errors() -> None:
    """Where labels cannot be told apart r2 is undefined: there is no floor of it, and errors are in small steps."""
    labels = 0.001 + 0.008 * RNG.random(300)
    found = limits_of(RANGE, (labels, labels + 0.0004))

    assert "neg_mean_absolute_error" == found["triggers.performance.metric"]
    assert "gates.r2" not in found
    assert -0.002 < found["gates.neg_mean_absolute_error"] < -0.0004


@pytest.mark.parametrize(("rare", "metric"), [(5, "balanced_accuracy"), (4, "f1_weighted")])
def test_a_mean_over_classes_needs_rows_of_each(rare: int, metric: str) -> None:
    """With under five later rows of a class each one would move the mean too far: classes are weighted then."""
    labels = np.array([0, 1] * 148 + [0] * 4)
    labels[:rare] = 2

    assert metric == limits_of(CLASSES, (labels, labels * 1.0))["triggers.performance.metric"]


def test_floors_are_put_on_steps() -> None:
    """A floor is rounded down and a margin up, whatever the step; what arithmetic adds makes no further step."""
    tens, hundredths = Unit(-80, 10.0, 1, 80), Unit(0.5, 0.01, 0.05, 0.3)

    assert (-60, -50) == (tens.down(-50.1), tens.down(-50.0))
    assert (0.28, 0.29, 0.06) == (hundredths.down(0.289), hundredths.down(0.29), hundredths.up(0.0501))


def test_numbers_beyond_the_earlier_ones_are_counted() -> None:
    """Of the latest fifth of the rows, the share that is smaller or larger than all before; null is neither."""
    values = [*[1.0, 2.0] * 4, 0.5, 3.0, *[1.5, 2.0] * 4, 1.0, 9.0, None, 2.0, 0.4]
    sample = Sample.of([batch([0] * 23, number=pa.array(values, pa.float64()))], COLUMNS, Binary())

    assert 2 / 4 == outside(sample.column("number"), sample)
