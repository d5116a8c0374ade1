"""Large windows are counted at constant memory: a small version of `bench/limits.py`."""

from __future__ import annotations

import pytest

from bench import limits
from tests import postgres

SMALL, LARGE = 300_000, 3_000_000


@pytest.mark.parametrize("kind", ["parquet", "postgresql"])
def test_ten_times_the_rows_need_no_more_memory(kind: str) -> None:
    """A window is counted at the memory of a few batches: ten times the rows add less than a fifth."""
    if kind == "postgresql":
        postgres.server()
    small, large = (limits.run(kind, rows) for rows in (SMALL, LARGE))

    assert (SMALL, LARGE) == (small["rows"], large["rows"])
    assert 0 == small["duplicates"] + large["duplicates"]
    assert large["peak_mb"] < 1.2 * small["peak_mb"]
    assert large["peak_mb"] < 700


def test_a_wide_table_and_a_category_of_many_values_are_counted() -> None:
    """2,000 columns, and more values than an axis has levels: what is rare is counted as other."""
    for name, columns in (("2,000 columns", 2_004), ("a million levels", 14)):
        found = limits.run(name, 400_000)

        assert columns == found["columns"]
        assert found["rows"] in {2_000, 40_000}
