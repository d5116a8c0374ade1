"""Arrays of counts as fields of records: they add up, never change, and are short in JSON."""

from __future__ import annotations

import base64
import math
import zlib
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from core.records import Record

MOST_CELLS = 2**22
WHOLE = 8  # bytes of a number in memory


class Packed(Record):
    """Counts in JSON: their shape, and base64 of zlib of the numbers, little-endian, with `bytes` bytes each.

    Files of older releases have eight bytes each.
    """

    shape: Annotated[tuple[Annotated[int, Field(ge=0, le=MOST_CELLS)], ...], Field(max_length=8)]
    zlib: str
    bytes: Literal[1, 2, 4, 8] = 8


class Counts:
    """Counts of any shape, read-only.

    Args:
        values: at most 2**22 whole numbers, none negative.

    Raises:
        ValueError: other numbers, or too many.
    """

    __slots__ = ("array",)
    array: NDArray[np.int64]

    def __init__(self, values: ArrayLike) -> None:
        given = np.asarray(values)
        if given.dtype.kind not in "iu" or given.size > MOST_CELLS or (given.size and given.min() < 0):
            raise ValueError(f"counts are up to {MOST_CELLS} whole numbers, none negative")
        self.array = given.astype(np.int64)
        self.array.flags.writeable = False

    @classmethod
    def zeros(cls, *shape: int) -> Counts:
        """Return counts of 0."""
        return cls(np.zeros(shape, np.int64))

    def rows(self) -> list[Counts]:
        """Return each entry of the first axis as counts; they share memory.

        Raises:
            ValueError: there is no axis.
        """
        if not self.array.ndim:
            raise ValueError("one number has no rows")
        entries = [Counts.__new__(Counts) for _ in self.array]
        for entry, row in zip(entries, self.array, strict=True):
            entry.array = row
        return entries

    def __add__(self, other: Counts) -> Counts:
        if self.array.shape != other.array.shape:
            raise ValueError(f"counts of shapes {self.array.shape} and {other.array.shape} do not add up")
        return Counts(self.array + other.array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counts) and np.array_equal(self.array, other.array)

    def __hash__(self) -> int:
        return hash((self.array.shape, self.array.tobytes()))

    def __repr__(self) -> str:
        return f"Counts(shape={self.array.shape}, sum={int(self.array.sum())})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        packed = core_schema.no_info_after_validator_function(_unpack, handler.generate_schema(Packed))
        return core_schema.json_or_python_schema(
            json_schema=packed,
            python_schema=core_schema.is_instance_schema(cls),
            serialization=core_schema.plain_serializer_function_ser_schema(_pack, when_used="json"),
        )


def _pack(counts: Counts) -> dict[str, Any]:
    size = np.min_scalar_type(counts.array.max(initial=0)).itemsize
    # Level 1: most cells of a day are empty, and a higher level costs three times the time for a tenth of the size.
    text = base64.b64encode(zlib.compress(counts.array.astype(f"<u{size}").tobytes(), 1)).decode()
    return {"shape": list(counts.array.shape), "bytes": size, "zlib": text}


def _unpack(packed: Packed) -> Counts:
    size = packed.bytes * math.prod(packed.shape)
    if size > packed.bytes * MOST_CELLS:
        raise ValueError(f"more than {MOST_CELLS} counts")
    stream = zlib.decompressobj()
    try:
        # One byte more than expected is enough to notice too much data, however much there is.
        raw = stream.decompress(base64.b64decode(packed.zlib, validate=True), size + 1)
    except zlib.error as err:
        raise ValueError(f"the counts are damaged: {err}") from err
    if len(raw) != size or not stream.eof:
        raise ValueError(f"the counts do not fill the shape {packed.shape}")
    numbers = np.frombuffer(raw, f"<{'i' if packed.bytes == WHOLE else 'u'}{packed.bytes}")
    return Counts(numbers.reshape(packed.shape))
