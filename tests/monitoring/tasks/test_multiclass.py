"""A model that names classes is counted by what it named and what came true, and judged as scikit-learn would."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.metrics import METRICS
from core.errors import DataError
from monitoring.tasks.binary import Binary
from monitoring.tasks.intervals import wilson
from monitoring.tasks.multiclass import CONFUSION, Multiclass, _padded, _smoothed

TASK = Multiclass(("cat", "dog", "1", "élan"))
THREE = Multiclass(("a", "b", "c"))
Score = Callable[[Any, Any], float]
THEIRS: Mapping[str, Score] = {
    "accuracy": reference.accuracy_score,
    "balanced_accuracy": reference.balanced_accuracy_score,
    "precision_macro": partial(reference.precision_score, average="macro", zero_division=0),
    "precision_weighted": partial(reference.precision_score, average="weighted", zero_division=0),
    "f1_macro": partial(reference.f1_score, average="macro", zero_division=0),
    "f1_weighted": partial(reference.f1_score, average="weighted", zero_division=0),
}
# In more than two classes, few rows: classes that never come true, or are never named, are common.
rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


def three(count: int, seed: int, shares: tuple[float, ...] = (0.6, 0.3, 0.1)) -> tuple[Any, Any, Any]:
    """Labels of three classes, and what two models say of them, of which the second is a little better."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(shares), count, p=shares)
    hard = rng.random(count)
    wrong = (labels + rng.integers(1, len(shares), count)) % len(shares)
    one = np.where(hard < 0.6, labels, wrong)
    other = np.where(np.where(rng.random(count) < 0.1, 1 - hard, hard) < 0.7, labels, wrong)
    return labels, one, other


def test_every_metric_of_the_config_is_there() -> None:
    """What model.toml accepts can be computed, and nothing else."""
    assert set(METRICS["multiclass"]) == set(CONFUSION) == set(THEIRS)


@pytest.mark.parametrize("name", CONFUSION)
@given(pairs=rows)
@settings(max_examples=200, deadline=None)
def test_metrics_are_those_of_scikit_learn(name: str, pairs: list[tuple[int, int]]) -> None:
    """From counts as from rows, to the last digits."""
    labels, said = np.array(pairs).T
    with np.errstate(all="ignore"):
        ours = float(TASK.evaluate(name, TASK.counted(labels, said)))
    names = [TASK.classes[place] for place in labels], [TASK.classes[place] for place in said]

    if name == "balanced_accuracy":
        expected = float(reference.recall_score(*names, average="macro", labels=np.unique(names[0]), zero_division=0))
    else:
        expected = THEIRS[name](*names)
    assert ours == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", CONFUSION)
def test_metrics_of_many_counts_at_once_are_those_of_each(name: str) -> None:
    """Days, or draws, are a leading dimension; without rows the metric is undefined."""
    counts = np.random.default_rng(3).integers(0, 9, (2, 5, 4, 4))
    together = TASK.evaluate(name, counts)

    assert together.tolist() == [[float(TASK.evaluate(name, part)) for part in half] for half in counts]
    assert math.isnan(TASK.evaluate(name, np.zeros((4, 4), np.int64)))


@pytest.mark.parametrize(
    ("column", "read", "bad"),
    [
        (pa.array(["dog", "cat", None, "cow", "élan"]), [1, 0, None, None, 3], [3]),
        (pa.array(["dog", "cow", None]).dictionary_encode(), [1, None, None], [1]),
        (pa.array([1, 0, None]), [2, None, None], [1]),
        (pa.array([1.0, float("nan"), 1.5]), [2, None, None], [2]),
        (pa.array([[1]]), [None], [0]),
        (pa.nulls(2), [None, None], []),
    ],
    ids=str,
)
def test_classes_are_read_by_name(column: pa.Array, read: list[int | None], bad: list[int]) -> None:
    """Whole numbers by their text; null and NaN are none; what is no class is a bad label, and no score."""
    labels, odd = TASK.labels(column)
    said = TASK.scores(column)

    assert read == [None if np.isnan(label) else int(label) for label in labels]
    assert bad == np.flatnonzero(odd).tolist()
    assert [place is None for place in read] == np.isnan(said).tolist()


def test_rows_are_counted_by_class_and_label() -> None:
    """One count a row; rows without a label are in the last column, and still show what was said."""
    said, labels = np.array([0.0, 0, 1, 3, 3]), np.array([0, 1, 1, np.nan, np.nan])
    (places,) = TASK.cells(said, labels)
    counts = np.bincount(places, minlength=20).reshape(TASK.shape)

    assert [[1, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0] * 5, [0, 0, 0, 0, 2]] == counts.tolist()
    assert (5, 3) == (TASK.rows(counts), TASK.rows(counts[:, :-1]))
    assert [2, 1, 0, 2] == TASK.by_score(counts).tolist()
    assert [1, 2, 0, 0] == TASK.by_label(counts[:, :-1]).tolist()


@pytest.mark.parametrize(
    ("labels", "said"), [([0, 4], [0, 0]), ([0, 0], [0, -1]), ([0, 0.5], [0, 0]), ([0, 0], [1, np.nan])]
)
def test_what_is_no_class_cannot_be_judged(labels: list[float], said: list[float]) -> None:
    """An error says how many, and what a class is."""
    with pytest.raises(DataError, match=r"1 of 2 .* one of data\.classes"):
        TASK.counted(labels, said)


@pytest.mark.parametrize("metric", sorted(set(METRICS["multiclass"]) & set(METRICS["binary"])))
def test_two_classes_are_judged_as_a_binary_model(metric: str) -> None:
    """The same value, and bounds as wide: a binary task is the special case."""
    labels, one, other = three(600, seed=1, shares=(0.7, 0.3))
    two, binary = Multiclass(("no", "yes")), Binary()

    assert float(two.evaluate(metric, two.counted(labels, one))) == float(
        binary.evaluate(metric, binary.counted(labels, one))
    )
    sides = [task.interval(metric, task.counted(labels, one), 0.95, seed=1) for task in (two, binary)]
    assert sides[0] == pytest.approx(sides[1], abs=0.004)
    pairs = [task.paired_difference(metric, labels, one, other, confidence=0.95, seed=1) for task in (two, binary)]
    assert pairs[0][0] == pytest.approx(pairs[1][0], abs=1e-12)
    assert pairs[0] == pytest.approx(pairs[1], abs=0.006)


def test_accuracy_is_a_share_with_the_bounds_of_one() -> None:
    """Wilson's, of the rows that were named right."""
    labels, said, _ = three(300, seed=0)
    right = int((labels == said).sum())

    assert wilson(right, 300, 0.95) == THREE.interval("accuracy", THREE.counted(labels, said), 0.95, seed=1)


def test_a_class_that_came_true_is_padded() -> None:
    """By half a right row, and half a row over the others; one that never did is not."""
    known = np.array([[3, 1, 0], [0, 2, 0], [1, 0, 0]])

    assert [[3.5, 1.25, 0], [0.25, 2.5, 0], [1.25, 0.25, 0]] == _padded(known).tolist()


def test_kinds_of_rows_are_padded_by_class() -> None:
    """Half a row for right and right, right and wrong, wrong and right, wrong and wrong; wrong is as is usual there."""
    kinds = np.zeros((3, 3, 3), np.int64)
    kinds[0, 0, 0], kinds[0, 2, 0], kinds[1, 2, 0] = 5, 2, 1
    expected = kinds.astype(float)
    for one, other in ((0, 0), (0, 2), (2, 0), (2, 2)):
        expected[one, other, 0] += 0.5

    assert expected.tolist() == _smoothed(kinds).tolist()
    kinds = np.zeros((3, 3, 3), np.int64)
    kinds[2, 2, 2] = 4
    found = _smoothed(kinds)
    assert [4.5, 0.5, 0.5, 0.5] == [found[2, 2, 2], found[2, 0, 2], found[0, 2, 2], found[0, 0, 2]]
    assert 6.0 == found.sum()
    kinds[1, 0, 0], kinds[0, 2, 0] = 3, 1
    assert [3.5, 0.5] == [_smoothed(kinds)[1, 0, 0], _smoothed(kinds)[1, 1, 0]]


def test_bounds_lie_where_metrics_can() -> None:
    """Nothing named right, or everything, in few rows: one bound is where the metric ends, the other is far."""
    counts = THREE.counted([0, 1, 2, 0], [1, 2, 0, 2])
    low, high = THREE.interval("balanced_accuracy", counts, 0.95, seed=1)

    assert low == 0
    assert 0.1 < high < 1
    labels = [0, 1, 2, 0]
    low, high = THREE.interval("balanced_accuracy", THREE.counted(labels, labels), 0.95, seed=1)
    assert 0 < low < 0.9
    assert high == 1


def test_weighted_precision_is_corrected_for_its_bias() -> None:
    """In samples of 30 rows of each of ten classes it is too high by 0.009, and the bounds lie lower for it."""
    task = Multiclass(tuple("abcdefghij"))
    labels, said, _ = three(300, seed=1, shares=(0.1,) * 10)
    counts = task.counted(labels, said)
    value = float(task.evaluate("precision_weighted", counts))
    low, high = task.interval("precision_weighted", counts, 0.95, seed=1)

    assert value - low > 1.2 * (high - value)


def test_answers_that_are_none_are_somewhere() -> None:
    """Whoever counts leaves them out; they do not stop the others."""
    (places,) = TASK.cells(np.array([np.nan, 1.0]), np.array([0.0, 0.0]))

    assert 5 == places[1]
    assert 0 <= places[0] < 20


def test_few_rows_of_a_class_do_not_look_sure() -> None:
    """Three rows of a class, all named right: its recall is 1, but nobody can be sure that it is over 0.9."""
    labels = [0] * 50 + [1] * 47 + [2] * 3
    low, high = (task := Multiclass(("a", "b", "c"))).interval(
        "balanced_accuracy", task.counted(labels, labels), 0.95, seed=1
    )

    assert low < 0.95
    assert high == 1


@pytest.mark.parametrize("metric", CONFUSION)
def test_the_paired_bootstrap_draws_rows_with_both_answers(metric: str) -> None:
    """Drawing kinds of rows gives the bounds of drawing rows, up to the noise of 1,000 draws."""
    task = Multiclass(("a", "b", "c"))
    labels, one, other = three(800, seed=4)
    difference, low, high = task.paired_difference(metric, labels, one, other, confidence=0.95, seed=2)
    rng = np.random.default_rng(99)
    plain = []
    for _ in range(1000):
        drawn = rng.integers(len(labels), size=len(labels))
        sides = [task.evaluate(metric, task.counted(labels[drawn], side[drawn])) for side in (one, other)]
        plain.append(float(sides[1] - sides[0]))

    assert low < difference < high
    assert np.quantile(plain, [0.05, 0.95]) == pytest.approx([low, high], abs=0.25 * np.std(plain))


def test_bounds_of_a_difference_are_as_skewed_as_it_is() -> None:
    """Three rows of a hundred were won and none was lost: more may have been luck than is missing. Again the same."""
    labels = np.zeros(100, int)
    labels[50:] = 1
    one = labels.copy()
    one[:3] = 1
    found = [THREE.paired_difference("accuracy", labels, one, labels, confidence=0.95, seed=2) for _ in range(2)]
    difference, low, high = found[0]

    assert found[0] == found[1]
    assert 0.03 == pytest.approx(difference)
    assert difference - low < high - difference


@pytest.mark.parametrize("side", [0, 1, 2])
def test_every_side_of_a_comparison_is_looked_at(side: int) -> None:
    """Labels and both answers must be classes."""
    sides = [np.zeros(4), np.zeros(4), np.zeros(4)]
    sides[side][0] = 3

    with pytest.raises(DataError, match=r"1 of 4"):
        THREE.paired_difference("accuracy", *sides, confidence=0.95, seed=2)


def test_equal_models_differ_by_nothing() -> None:
    """The difference is 0, inside bounds that are close; swapping two models turns the sign."""
    task = Multiclass(("a", "b", "c"))
    labels, one, other = three(500, seed=6)
    for metric in CONFUSION:
        difference, low, high = task.paired_difference(metric, labels, one, one, confidence=0.95, seed=2)
        assert 0 == difference
        assert low <= 0 <= high
        assert high - low < 0.05
        there = task.paired_difference(metric, labels, one, other, confidence=0.95, seed=2)[0]
        assert -there == task.paired_difference(metric, labels, other, one, confidence=0.95, seed=2)[0]


def test_even_odds_give_the_value_itself() -> None:
    """At confidence 0.5 both bounds are the score; without rows there are none."""
    labels, said, _ = three(300, seed=0)
    task = Multiclass(("a", "b", "c"))
    for metric in CONFUSION:
        counts = task.counted(labels, said)
        value = float(task.evaluate(metric, counts))
        assert (value, value) == pytest.approx(task.interval(metric, counts, 0.5, seed=1))
        assert all(math.isnan(bound) for bound in task.interval(metric, 0 * counts, 0.95, seed=1))
