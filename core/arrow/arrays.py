"""Conversion between Arrow and numpy arrays without pandas, which `to_numpy`, `pa.array` and `pa.scalar` load."""

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
    """Return an array without dictionary encoding."""
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def places(values: pa.DictionaryArray) -> NDArray[np.int64]:
    """Return the dictionary position of each row; -1 where null."""
    positions = view(pc.cast(values.indices, pa.int64(), safe=False), np.int64)
    return np.where(nulls(values.indices), -1, positions) if values.indices.null_count else positions


def column(batch: pa.RecordBatch, name: str, kind: pa.DataType | None = None) -> pa.Array:
    """Return a column of a batch, nulls if the batch lacks it: later files of a folder may have more columns."""
    if name in batch.schema.names:
        return batch.column(name)
    return pa.nulls(batch.num_rows, kind or pa.null())


def view(values: pa.Array, dtype: Any) -> NDArray[Any]:
    """Return the memory of a fixed-width array as a numpy array: not copied, read-only, arbitrary where null."""
    if not len(values):
        return np.empty(0, dtype)
    start = values.offset * np.dtype(dtype).itemsize
    return np.frombuffer(values.buffers()[1], dtype, len(values), start)


def mask(values: pa.Array) -> Bools:
    """Return a boolean Arrow array without nulls as a numpy array."""
    return view(pc.cast(values, pa.uint8()), np.bool_)


def nulls(values: pa.Array) -> Bools:
    """Return which rows are null."""
    return mask(pc.is_null(values)) if values.null_count else np.zeros(len(values), np.bool_)


def is_number(kind: pa.DataType) -> bool:
    """Return whether a type counts as numeric: integers, floats, decimals and booleans."""
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind))


def numbers(values: pa.Array) -> tuple[Floats, Bools | None]:
    """Return values as float64, NaN where null, and which rows hold something that is not a number (None: no row).

    Text is never read as a number: "12" in a numeric column is a fault of the feed that must be reported.
    """
    values = plain(values)
    if is_number(values.type):
        floats = view(values if values.type == DOUBLE else pc.cast(values, DOUBLE, safe=False), np.float64)
        return np.where(nulls(values), np.nan, floats) if values.null_count else floats, None
    invalid = ~nulls(values)
    return np.full(len(values), np.nan), invalid if invalid.any() else None


def text_array(strings: Sequence[str]) -> pa.Array:
    """Return strings as an Arrow array of the type that `spelling.texts` returns."""
    coded = [string.encode() for string in strings]
    ends = np.cumsum([0, *(len(string) for string in coded)], dtype=np.int64)
    return pa.LargeStringArray.from_buffers(len(coded), pa.py_buffer(ends), pa.py_buffer(b"".join(coded)))


def int_array(values: NDArray[np.int64]) -> pa.Array:
    """Return whole numbers as an Arrow array."""
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])
