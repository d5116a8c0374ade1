from __future__ import annotations

import tracemalloc
from collections import Counter
from functools import partial
from operator import itemgetter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DataError
from monitoring.counting import duplicates as module
from monitoring.counting.duplicates import DuplicateCounter, hashes

NAMES = st.one_of(st.none(), st.text(max_size=20), st.sampled_from(["a", "b", "é" * 9, "\x00", "\x00\x00", ""]))
ROWS = st.lists(st.tuples(st.integers(-400_000, 400_000) | st.integers(0, 2), NAMES), max_size=60)


def duplicates(rows: list[tuple[int, str | None]]) -> dict[int, int]:
    """Rows beyond the first of each day and id, by day, counted in the plainest way."""
    extra: Counter[int] = Counter()
    for (day, _), count in Counter(rows).items():
        extra[day] += count - 1
    return {day: count for day, count in extra.items() if count}


@given(batches=st.lists(ROWS, max_size=4), held=st.sampled_from([0, 7, 10**6]))
def test_duplicates_are_counted_exactly(batches: list[list[tuple[int, str | None]]], held: int) -> None:
    """In memory and by way of the file alike, whatever the order; null is an id like any other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "HELD", held)
        patch.setattr(module, "BLOCK", 4)
        seen = DuplicateCounter()
        for rows in batches:
            days = np.array([day for day, _ in rows], np.int64)
            seen.add(days, pa.array([name for _, name in rows], pa.string()))

        assert duplicates([row for rows in batches for row in rows]) == seen.duplicates()


@given(apart=st.lists(ROWS, min_size=1, max_size=4), held=st.sampled_from([0, 7, 10**6]))
def test_ids_that_others_saw_are_compared_part_by_part(apart: list[list[tuple[int, str | None]]], held: int) -> None:
    """Parts of one number, put together, hold all rows of their ids: duplicates are found as in one place."""
    everyone: list[list[module.Pairs]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "HELD", held)
        patch.setattr(module, "BLOCK", 4)
        for rows in apart:
            seen = DuplicateCounter()
            for some in (rows[:9], rows[9:]):
                seen.add(
                    np.array([day for day, _ in some], np.int64), pa.array([name for _, name in some], pa.string())
                )
            everyone.append(list(seen.parts()))
    found: Counter[int] = Counter()
    for parts in zip(*everyone, strict=True):
        pairs = np.concatenate(parts)
        found.update(module.repeated(pairs["key"], partial(itemgetter("day"), pairs)))

    assert duplicates([row for rows in apart for row in rows]) == found


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["7", "12", None, "7"], pa.large_string()),
        pa.array([7, 12, None, 7], pa.int8()),
        pa.array([7.0, 12.0, None, 7.0]),
        pa.array(["7", "12", None, "7"]).dictionary_encode(),
        pa.array([b"7", b"12", None, b"7"]),
        pa.array(["no", "7", "12", None, "7", "no"])[1:5],
    ],
    ids=lambda values: str(values.type),
)
def test_an_id_is_its_text(values: pa.Array) -> None:
    """The same id in another type, or in the middle of a longer array, is the same id."""
    assert hashes(pa.array(["7", "12", None, "7"])).tolist() == hashes(values).tolist()


@given(st.integers(0, 30), st.lists(st.binary(min_size=30, max_size=30), min_size=1, max_size=20))
def test_ids_of_one_length_are_hashed_as_others(length: int, names: list[bytes]) -> None:
    """The short way that ids of one length take gives what they get beside ids of another length."""
    ids = [name[:length] for name in names]

    assert hashes(pa.array([*ids, b"x" * 31], pa.binary())).tolist()[:-1] == hashes(pa.array(ids, pa.binary())).tolist()


def test_ids_differ_in_every_bit() -> None:
    """A million similar ids, short and long, have a million hashes, spread evenly over all bits."""
    names = pa.array([f"{number:07d}" + "x" * (number % 30) for number in range(1_000_000)])
    found = hashes(names)

    assert 1_000_000 == len(np.unique(found))
    for bit in range(64):
        assert 0.498 < ((found >> np.uint64(bit)) & np.uint64(1)).mean() < 0.502


def test_memory_stays_the_same_however_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is more than fits goes to a file: four times the rows need no more memory."""
    monkeypatch.setattr(module, "HELD", 20_000)

    def peak(batches: int) -> int:
        seen = DuplicateCounter()
        tracemalloc.start()
        for number in range(batches):
            seen.add(np.zeros(10_000, np.int64), pa.array(np.arange(10_000) + number * 10_000))
        assert {} == seen.duplicates()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(40) < 1.1 * peak(10)


def test_ids_that_cannot_be_compared_are_refused() -> None:
    """A list is no id, and says so."""
    with pytest.raises(DataError, match=r"Ids of the type list<item: int64> cannot be compared"):
        DuplicateCounter().add(np.zeros(1, np.int64), pa.array([[1, 2]]))
