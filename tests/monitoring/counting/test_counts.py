"""Counts add up, never change, and survive JSON."""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from core.errors import RecordError
from core.records import Record
from monitoring.counting.counts import Counts

arrays = stn.arrays(np.int64, stn.array_shapes(max_dims=3, min_side=0, max_side=5), elements=st.integers(0, 2**62))


class Holder(Record):
    """A record with counts."""

    counts: Counts


def packed(shape: list[int], raw: bytes) -> str:
    """The JSON of a holder whose counts claim a shape and hold some bytes."""
    text = base64.b64encode(zlib.compress(raw)).decode()
    return json.dumps({"record": "Holder/1", "counts": {"shape": shape, "zlib": text}})


@given(arrays)
def test_counts_survive_json(array: np.ndarray) -> None:
    """What is written is what is read, for any shape and any number."""
    holder = Holder(counts=Counts(array))

    assert holder == Holder.from_json(holder.to_json())
    assert array.tolist() == holder.counts.array.tolist()


def test_counts_add_up() -> None:
    """The sum is cell by cell, and leaves both parts as they were."""
    one, two = Counts([1, 2]), Counts([10, 20])

    assert Counts([11, 22]) == one + two
    assert Counts([1, 2]) == one


def test_counts_of_other_shapes_do_not_add_up() -> None:
    """Numpy would stretch (1,) over (3,): that would count rows three times."""
    with pytest.raises(ValueError, match="do not add up"):
        Counts([1]) + Counts([1, 2, 3])


def test_counts_cannot_change() -> None:
    """Neither through the array, nor through the one they were made from."""
    source = np.array([1, 2])
    counts = Counts(source)
    source[0] = 9

    assert [1, 2] == counts.array.tolist()
    with pytest.raises(ValueError, match="read-only"):
        counts.array[0] = 9


@pytest.mark.parametrize("values", [[-1], [0.5], ["a"], np.zeros(2**22 + 1, np.int8)], ids=str)
def test_other_numbers_are_refused(values: list[object]) -> None:
    """Counts are whole, not negative, and not endless."""
    with pytest.raises(ValueError, match="whole numbers, none negative"):
        Counts(values)


@pytest.mark.parametrize(
    ("shape", "raw"),
    [
        pytest.param([2], b"\0" * 8, id="too little"),
        pytest.param([1], b"\0" * 10**7, id="too much"),
        pytest.param([1], b"\xff" * 8, id="negative"),
        pytest.param([2**22, 2**22], b"", id="endless"),
        pytest.param([-1], b"", id="no shape"),
    ],
)
def test_damaged_counts_are_refused(shape: list[int], raw: bytes) -> None:
    """What does not fill its shape with counts is no record, and is not unpacked beyond it."""
    with pytest.raises(RecordError, match="does not fit Holder"):
        Holder.from_json(packed(shape, raw))


@pytest.mark.parametrize("text", ["?", base64.b64encode(b"no zlib").decode()])
def test_what_is_not_packed_is_refused(text: str) -> None:
    """Neither bad base64 nor bad zlib escapes as an error of another kind."""
    with pytest.raises(RecordError, match="does not fit Holder"):
        Holder.from_json(json.dumps({"record": "Holder/1", "counts": {"shape": [1], "zlib": text}}))
