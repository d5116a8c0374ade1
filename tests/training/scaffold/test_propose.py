"""What a new model's proposals are computed from: exact numbers, on arrays made for the purpose."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.errors import DataError
from monitoring.tasks.binary import Binary
from training.scaffold.files import config_text
from training.scaffold.leaks import auc_of, leak
from training.scaffold.windows import Days, windows

BINARY = Binary()
RNG = np.random.default_rng(0)
TIMES = np.arange(400)
LABELS = RNG.integers(0, 2, 400)


def test_the_area_is_that_of_scikit_learn() -> None:
    """The area under the curve is the library's, also with ties."""
    values = RNG.integers(0, 9, 400) + LABELS

    assert auc_of(values, LABELS) == pytest.approx(roc_auc_score(LABELS, values), abs=1e-12)


LEAKS = {
    "in order": (10 * LABELS + RNG.random(400), "order"),
    "turned round": (-10 * LABELS + RNG.random(400), "order"),
    "both ends": ((2 * RNG.integers(0, 2, 400) - 1) * (LABELS + RNG.random(400) / 2), "value"),
    "noise": (RNG.random(400), None),
    "strong": (LABELS + RNG.normal(size=400), None),
}


@pytest.mark.parametrize(("values", "said"), LEAKS.values(), ids=LEAKS)
def test_numbers_that_tell_the_target_are_found(values: np.ndarray, said: str | None) -> None:
    """Whichever way they order the target, or where both ends mean 1; a strong feature is none."""
    levels, codes = np.unique(values, return_inverse=True)
    found = leak(codes, levels, TIMES, LABELS, BINARY)

    assert (found is not None) == (said is not None)
    assert said is None or f"its {said} alone" in str(found)


def test_a_category_of_a_row_each_is_no_leak() -> None:
    """Rates are learned on earlier rows and asked of later ones: values that occur once foretell nothing."""
    assert leak(TIMES, None, TIMES, LABELS, BINARY) is None
    assert "its value alone" in str(leak(LABELS, None, TIMES, LABELS, BINARY))


def test_missing_values_may_tell_the_target() -> None:
    """A category that is null just where the target is 1 is a leak."""
    assert "value" in str(leak(np.where(LABELS == 1, -1, RNG.integers(0, 3, 400)), None, TIMES, LABELS, BINARY))


def test_a_few_rows_in_order_may_be_chance() -> None:
    """With nine rows of label 1 nobody can tell."""
    labels = (TIMES >= 391).astype(int)

    assert leak(TIMES, TIMES, TIMES, labels, BINARY) is None
    assert leak(TIMES, TIMES, TIMES, (TIMES >= 390).astype(int), BINARY) is not None


def days(*counts: tuple[int, int, int]) -> Days:
    """Days with so many rows, labels 0 and labels 1."""
    return Days(dt.date(2024, 1, 1), np.array(counts, np.int64))


@pytest.mark.parametrize(
    ("table", "window", "least", "pause"),
    [
        (days(*[(100, 60, 40)] * 402), 60, 3000, 14),
        (days(*[(100, 99, 1)] * 402), 100, 5000, 22),  # a hundred rows of the rarer label
        (days(*[(5, 3, 2)] * 402), 240, 600, 50),  # 2,000 rows would take 400 days: the 240 that leave nights to replay
        (days(*[(100_000, 60_000, 40_000)] * 402), 20, 1_000_000, 14),  # two million rows
        (days(*[(10, 6, 4)] * 42), 24, 120, 14),
    ],
)
def test_windows_follow_from_rows_and_labels(table: Days, window: int, least: int, pause: int) -> None:
    """Sixty days, more where labels are few, less where rows are many or days are few."""
    found = {one.key: one.value for one in windows(table, 2)}

    assert (window, least) == (found["training.window_days"], found["training.min_rows"])
    assert pause == found["triggers.limits.cooldown_days"]


def test_labels_of_one_kind_are_too_few() -> None:
    """Nine rows of a label are refused, with how many there are of each."""
    with pytest.raises(DataError, match="490 of label 0 and 9 of label 1"):
        list(windows(days(*[(50, 49, 1)] * 9, (50, 49, 0), (1, 1, 0), (1, 1, 0)), 2))


def test_long_lists_are_broken() -> None:
    """No line of a model.toml is longer than 120 characters, however many columns there are."""
    data = {"source": "x", "numeric": [f"column {number}" for number in range(500)], "columns": {"id": "é"}}
    text = config_text(["head"], {"task": "binary"}, data, [])

    assert max(map(len, text.splitlines())) <= 120
    assert 'id = "é"' in text
