"""The bench of small damage changes what it says, and prints a row per setting and damage."""

from __future__ import annotations

import numpy as np
import pytest

from bench.damage import DAMAGE, SHARE, damaged, measure
from bench.nights import AXES, Setting, nights

SETTING = Setting(1000, 0.01)


@pytest.mark.parametrize("name", DAMAGE)
def test_only_the_named_column_is_damaged_on_the_last_days(name: str) -> None:
    """Rows stay as many; about three in a hundred are in another cell, on two days of one column."""
    rng = np.random.default_rng(1)
    days = nights(rng, SETTING)
    changed = damaged(days, name, 2, rng)
    column = DAMAGE[name][0]

    assert days[:-2] == changed[:-2]
    for before, after in zip(days[-2:], changed[-2:], strict=True):
        moved = [c for c in AXES if before.columns[c] != after.columns[c]]
        old, new = (day.columns[column].counts.array for day in (before, after))
        assert [column] == moved
        assert old.sum() == new.sum()
        assert SHARE == pytest.approx(np.abs(new - old).sum() / 2 / old.sum(), abs=0.02)


def test_a_small_run_has_all_rows() -> None:
    """With two histories: no alarm without damage, and all damage but one kind named after seven days."""
    results = measure(2, {"correlated": SETTING})

    assert ["none", *DAMAGE, "none"] == [row["damage"] for row in results]
    assert [0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0] == [row["7"] for row in results]
