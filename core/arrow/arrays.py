"""Turn Arrow arrays into numpy arrays and back without pandas, which `to_numpy`, `pa.array` and `pa.scalar` load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

DOUBLE = pa.float64()
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def plain(values: pa.Array) -> pa.Array:
    """The values themselves, where an array holds numbers of a dictionary."""
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def places(values: pa.DictionaryArray) -> NDArray[np.int64]:
    """Which word of its dictionary each row has; -1 where null."""
    found = view(pc.cast(values.indices, pa.int64(), safe=False), np.int64)
    return np.where(nulls(values.indices), -1, found) if values.indices.null_count else found


def view(values: pa.Array, dtype: Any) -> NDArray[Any]:
    """The memory of an array of a fixed width, as numpy sees it: not copied, read-only, arbitrary where null."""
    if not len(values):
        return np.empty(0, dtype)
    start = values.offset * np.dtype(dtype).itemsize
    return np.frombuffer(values.buffers()[1], dtype, len(values), start)


def mask(values: pa.Array) -> Bools:
    """A boolean Arrow array without nulls, one byte a row."""
    return view(pc.cast(values, pa.uint8()), np.bool_)


def nulls(values: pa.Array) -> Bools:
    """Where an array is null."""
    return mask(pc.is_null(values)) if values.null_count else np.zeros(len(values), np.bool_)


def is_number(kind: pa.DataType) -> bool:
    """Whether values of this type are taken as numbers: integers, floats, decimals and booleans."""
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind))


def numbers(values: pa.Array) -> tuple[Floats, Bools | None]:
    """Values as float64, NaN where null, and where something stands that is no number (None: nowhere).

    Text is never read as a number: "12" in a numeric column is a fault of the feed, and has to be seen.
    """
    values = plain(values)
    if is_number(values.type):
        found = view(values if values.type == DOUBLE else pc.cast(values, DOUBLE, safe=False), np.float64)
        return np.where(nulls(values), np.nan, found) if values.null_count else found, None
    invalid = ~nulls(values)
    return np.full(len(values), np.nan), invalid if invalid.any() else None


def texts(values: pa.Array) -> pa.Array | None:
    """Values as text, null where null or NaN; None where the type has no text form (lists, structs, broken UTF-8)."""
    values = plain(values)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.nulls(len(values), values.type), values)
    try:
        return pc.cast(values, pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def text_array(words: Sequence[str]) -> pa.Array:
    """Texts as an Arrow array of the type that `texts` returns."""
    coded = [word.encode() for word in words]
    ends = np.cumsum([0, *(len(word) for word in coded)], dtype=np.int64)
    return pa.LargeStringArray.from_buffers(len(coded), pa.py_buffer(ends), pa.py_buffer(b"".join(coded)))


def int_array(values: NDArray[np.int64]) -> pa.Array:
    """Whole numbers as an Arrow array."""
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])
