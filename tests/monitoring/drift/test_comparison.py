"""A column of the window is put beside that of the baseline in the order and the groups that its test needs."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.axes.axis import CategoricalAxis, NumericAxis
from monitoring.drift.comparison import (
    ColumnDays,
    ReferenceColumn,
    compare_categorical,
    compare_numeric,
    numeric_nights,
)


def side(*days: list[int], nulls: int = 0) -> ColumnDays:
    """Rows by day and cell, and so many nulls on each day."""
    values = np.array(days)
    return ColumnDays(values, np.stack([values.sum(1), np.full(len(days), nulls)], axis=1))


def test_numbers_are_compared_by_their_distribution_functions() -> None:
    """All rows of a side count alike, whatever the size of their day."""
    before, after = side([1, 2, 1], [3, 2, 1]), side([0, 0, 5])
    found = compare_numeric(before, after, numeric_nights(before))

    assert [-0.4, -0.8] == pytest.approx(found.differences.tolist())
    assert 0.8 == pytest.approx(found.effect)
    assert np.array([[0.25, 0.75], [0.5, 5 / 6]]) == pytest.approx(found.nights.shares)
    assert [4, 6] == found.nights.rows.tolist()


def test_categories_are_compared_by_their_shares() -> None:
    """The effect is over all levels; the test has the rare ones pooled, and weights them as Rao and Scott do."""
    before, after = side([50, 48, 1, 1], [40, 58, 2, 0]), side([50, 50, 0, 0], [60, 38, 0, 2])
    found = compare_categorical(before, after, nightly=True)

    assert 0.105 == pytest.approx(found.effect)
    assert [1 / 0.45, 1 / 0.55] == pytest.approx(found.nights.weights.tolist())
    assert [0.1, -0.1] == pytest.approx(found.differences.tolist())
    assert np.array([[0.5, 0.5], [0.4, 0.6]]) == pytest.approx(found.nights.shares)


def test_levels_that_come_in_bursts_are_pooled() -> None:
    """100 rows in ten nights expect enough by rows; but they came in two nights, which are worth a few rows."""
    even, bursts = [[980, 10, 10]] * 10, [[900, 50, 50] if night in (3, 7) else [1000, 0, 0] for night in range(10)]
    after = side([970, 15, 15])

    assert 3 == len(compare_categorical(side(*even), after, nightly=True).differences)
    assert 1 == len(compare_categorical(side(*bursts), after, nightly=True).differences)
    assert 3 == len(compare_categorical(side(*bursts), after, nightly=False).differences)
    assert 3 == len(compare_categorical(side(*bursts[:7]), after, nightly=True).differences)


def test_groups_of_numbers_are_tenths_of_the_baseline() -> None:
    """A group that a heavy value fills takes the place of several; infinite values belong to the first and the last."""
    axis = NumericAxis(form="edges", origin=0.0, scale=1.0, cuts=(-1e9, 1.0, 2.0, 3.0), low=0.0, high=4.0)
    before, after = side([0, 5, 85, 5, 5, 0]), side([1, 1, 2, 2, 2, 2])
    names, old, new = ReferenceColumn("it", axis, before).grouped(after)

    assert ("0 to 2", "2 to 4") == names
    assert [0.9, 0.1] == pytest.approx(old.tolist())
    assert [0.4, 0.6] == pytest.approx(new.tolist())


def test_groups_of_categories_are_the_most_frequent() -> None:
    """Nineteen levels, by name; all others, and what the baseline never had, together."""
    axis = CategoricalAxis(levels=tuple("abcdefghijklmnopqrstuv"))
    before, after = side([*range(10, 32), 0]), side([*[1] * 22, 3])
    names, old, new = ReferenceColumn("it", axis, before).grouped(after)

    assert (*"defghijklmnopqrstuv", "(other)") == names
    assert (10 + 11 + 12) / 451 == pytest.approx(old[-1])
    assert 6 / 25 == pytest.approx(new[-1])
