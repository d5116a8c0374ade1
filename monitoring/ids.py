"""Count ids that occur twice on a day at constant memory: as 64-bit hashes, in a file where there are many."""

from __future__ import annotations

import tempfile
import weakref
from collections import Counter
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.errors import DataError
from monitoring import arrays

HELD = 1 << 18  # rows in memory before they go to the file
PARTS = 64  # each block of the file is ordered by the last bits of its keys, so that a part can be read by itself
PAIR = np.dtype([("key", "<u8"), ("day", "<i4")])
STEP = np.uint64(0x9E3779B97F4A7C15)
NULL = np.uint64(0x2545F4914F6CDD1D)
Keys = NDArray[np.uint64]
Pairs = NDArray[np.void]


class Ids:
    """The ids of each day that were seen so far: 12 bytes a row, at most 3 MiB of them in memory.

    Ids are one where a hash of id and day is the same: by chance in one of 92,000 windows of 20 million rows.
    """

    def __init__(self) -> None:
        self._held: list[Pairs] = []
        self._rows = 0
        self._file: IO[bytes] | None = None
        self._blocks: list[list[int]] = []

    def add(self, days: NDArray[np.int64], ids: pa.Array) -> None:
        """Note the ids of some rows, each with the number of its day. Rows without an id count as one id.

        Raises:
            DataError: ids of a kind that cannot be compared.
        """
        pairs = np.empty(len(days), PAIR)
        pairs["key"] = _mixed(hashes(ids) + days.astype(np.uint64) * STEP)
        pairs["day"] = days
        self._held.append(pairs)
        self._rows += len(pairs)
        if self._rows > HELD:
            self._spill()

    def duplicates(self) -> dict[int, int]:
        """Rows beyond the first with the same id on the same day, by day; days without any are absent."""
        if self._file:
            self._spill()
        found: Counter[int] = Counter()
        for pairs in self._parts():
            found.update(repeated(pairs))
        return dict(found)

    def parts(self) -> Iterator[Pairs]:
        """All pairs of id and day in 64 parts; equal ids are in the part of one number, whoever counted them.

        So what other processes counted is compared by putting their parts of one number together.
        """
        if self._rows or not self._file:
            self._spill()
        yield from self._parts()

    def _spill(self) -> None:
        """Move what is in memory to the file."""
        pairs = np.concatenate(self._held) if self._held else np.empty(0, PAIR)
        part = (pairs["key"] % np.uint64(PARTS)).astype(np.uint8)
        ends = np.cumsum(np.bincount(part, minlength=PARTS)).tolist()
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="ids-")  # noqa: SIM115 - as long as this object
            weakref.finalize(self, self._file.close)
        start = self._file.seek(0, 2) // PAIR.itemsize
        self._file.write(pairs[np.argsort(part, kind="stable")].tobytes())
        self._blocks.append([start, *(start + end for end in ends)])
        self._held, self._rows = [], 0

    def _parts(self) -> Iterator[Pairs]:
        """All pairs, those of equal keys together."""
        if self._file is None:
            yield np.concatenate(self._held) if self._held else np.empty(0, PAIR)
            return
        for part in range(PARTS):
            pieces = []
            for block in self._blocks:
                self._file.seek(block[part] * PAIR.itemsize)
                size = (block[part + 1] - block[part]) * PAIR.itemsize
                pieces.append(np.frombuffer(self._file.read(size), PAIR))
            yield np.concatenate(pieces)


def repeated(pairs: Pairs) -> dict[int, int]:
    """Rows beyond the first with the same id on the same day, by day; days without any are absent."""
    found: Counter[int] = Counter()
    # Sorting bare keys is ten times faster than sorting pairs, and mostly shows that there is nothing to count.
    keys = np.sort(pairs["key"])
    twice = keys[1:][keys[1:] == keys[:-1]]
    if len(twice):
        odd = pairs[np.isin(pairs["key"], twice)]
        _, first, rows = np.unique(odd["key"], return_index=True, return_counts=True)
        for day, extra in zip(odd["day"][first].tolist(), (rows - 1).tolist(), strict=True):
            found[day] += extra
    return dict(found)


def hashes(ids: pa.Array) -> Keys:
    """A 64-bit number for each id, the same for the same text, in whatever type it comes."""
    values = _bytes(ids)
    if not len(values):
        return np.empty(0, np.uint64)
    ends = np.frombuffer(values.buffers()[1], np.int64, len(values) + 1, values.offset * 8)
    base, size = int(ends[0]), int(ends[-1])
    data = np.zeros(size - base + 8, np.uint8)  # a word may begin at the last byte
    if size > base:
        data[: size - base] = np.frombuffer(values.buffers()[2], np.uint8, size - base, base)
    words: Keys = np.ndarray(len(data) - 7, "<u8", data, strides=(1,))
    starts, lengths = ends[:-1] - base, np.diff(ends)
    found = _mixed(lengths.astype(np.uint64))
    rows = np.flatnonzero(lengths)
    at = 0
    while len(rows):
        left = np.minimum(lengths[rows] - at, 8).astype(np.uint64)
        word = words[starts[rows] + at] & (~np.uint64(0) >> (np.uint64(64) - left * np.uint64(8)))
        found[rows] = _mixed(found[rows] ^ word)
        at += 8
        rows = rows[lengths[rows] > at]
    if values.null_count:
        found[arrays.nulls(values)] = NULL
    return found


def _bytes(ids: pa.Array) -> pa.Array:
    ids = arrays.plain(ids)
    if isinstance(ids, pa.ExtensionArray):
        ids = ids.storage
    try:
        if not (pa.types.is_binary(ids.type) or pa.types.is_large_binary(ids.type)):
            ids = pc.cast(ids, pa.binary() if pa.types.is_fixed_size_binary(ids.type) else pa.large_string())
        return pc.cast(ids, pa.large_binary())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise DataError(
            f"Ids of the type {ids.type} cannot be compared.",
            why="An id is text or a number.",
            fix="Name another column as id under data.columns in model.toml.",
        ) from None


def _mixed(words: Keys) -> Keys:
    """Each word with its bits spread over all 64 (the finalizer of SplitMix64; Steele, Lea and Flood 2014)."""
    words = words + STEP
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
