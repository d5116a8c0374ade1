"""Number of duplicate ids on each day, in constant memory: 64-bit hashes, in a temporary file if there are many."""

from __future__ import annotations

import tempfile
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.arrow import arrays
from core.errors import DataError

HELD = 1 << 20  # rows in memory before they go to the file: writing it costs as much as all else here
BLOCK = 1 << 18  # rows that go to the file together
PARTS = 64  # each block of the file is ordered by the first bits of its keys, so that a part can be read by itself
BITS = np.uint64(58)  # what is left of a key
KEY, DAY = np.dtype("<u8"), np.dtype("<i4")
PAIR = np.dtype([("key", KEY), ("day", DAY)])
STEP = np.uint64(0x9E3779B97F4A7C15)
NULL = np.uint64(0x2545F4914F6CDD1D)
Keys = NDArray[np.uint64]
Days = NDArray[np.int32]
Pairs = NDArray[np.void]


class DuplicateCounter:
    """The ids of each day that were seen so far: 12 bytes a row, at most 12 MiB of them in memory.

    Ids are one where a hash of id and day is the same: by chance in one of 92,000 windows of 20 million rows.
    """

    def __init__(self) -> None:
        self._keys: list[Keys] = []
        self._days: list[Days] = []
        self._rows = 0
        self._file: IO[bytes] | None = None
        self._blocks: list[tuple[int, list[int]]] = []

    def add(self, days: NDArray[np.int64], ids: pa.Array) -> None:
        """Note the ids of some rows, each with the number of its day. Rows without an id count as one id.

        Raises:
            DataError: ids of a kind that cannot be compared.
        """
        self._keys.append(_mixed(hashes(ids) + days.astype(np.uint64) * STEP))
        self._days.append(days.astype(DAY))
        self._rows += len(days)
        if self._rows > HELD:
            self._spill()

    def duplicates(self) -> dict[int, int]:
        """Rows beyond the first with the same id on the same day, by day; days without any are absent."""
        if self._file:
            self._spill()
        by_day: Counter[int] = Counter()
        for keys, days in self._parts():
            by_day.update(repeated(keys, days))
        return dict(by_day)

    def parts(self) -> Iterator[Pairs]:
        """All pairs of id and day in 64 parts; equal ids are in the part of one number, whoever counted them.

        So what other processes counted is compared by putting their parts of one number together.
        """
        if self._rows or not self._file:
            self._spill()
        for keys, days in self._parts():
            pairs = np.empty(len(keys), PAIR)
            pairs["key"], pairs["day"] = keys, days()
            yield pairs

    def _spill(self) -> None:
        """Move what is in memory to the file, a block after the other: at no time is much of it there twice."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="ids-")  # noqa: SIM115 - as long as this object
            weakref.finalize(self, self._file.close)
        some = max(1, BLOCK * len(self._keys) // max(self._rows, 1))
        for start in range(0, max(len(self._keys), 1), some):
            part = slice(start, start + some)
            self._write(self._file, _joined(self._keys[part], KEY), _joined(self._days[part], DAY))
        self._keys, self._days, self._rows = [], [], 0

    def _write(self, file: IO[bytes], keys: Keys, days: Days) -> None:
        part = (keys >> BITS).astype(np.uint8)
        order = np.argsort(part, kind="stable")
        ends = np.cumsum(np.bincount(part, minlength=PARTS)).tolist()
        self._blocks.append((file.seek(0, 2), [0, *ends]))
        file.write(keys[order].data)
        file.write(days[order].data)

    def _parts(self) -> Iterator[tuple[Keys, Callable[[], Days]]]:
        """All keys, equal ones together, and how to get the day of each."""
        if self._file is None:
            yield _joined(self._keys, KEY), lambda: _joined(self._days, DAY)
            return
        for part in range(PARTS):
            yield self._read(self._file, part, KEY), partial(self._read, self._file, part, DAY)

    def _read(self, file: IO[bytes], part: int, kind: np.dtype[Any]) -> NDArray[Any]:
        """The keys, or the days, of one part of each block."""
        parts = []
        for start, ends in self._blocks:
            before = ends[-1] * KEY.itemsize if kind == DAY else 0
            file.seek(start + before + ends[part] * kind.itemsize)
            parts.append(np.frombuffer(file.read((ends[part + 1] - ends[part]) * kind.itemsize), kind))
        return np.concatenate(parts)


def repeated(keys: Keys, days: Callable[[], Days]) -> dict[int, int]:
    """Rows beyond the first with the same id on the same day, by day; days without any are absent.

    `days` gives the day of each key. It is asked only where there is something to count, which mostly there is not.
    """
    by_day: Counter[int] = Counter()
    ordered = np.sort(keys)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(twice):
        repeated = np.isin(keys, twice)
        _, first, rows = np.unique(keys[repeated], return_index=True, return_counts=True)
        for day, extra in zip(days()[repeated][first].tolist(), (rows - 1).tolist(), strict=True):
            by_day[day] += extra
    return dict(by_day)


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
    hashed = _mixed(lengths.astype(np.uint64))
    if not values.null_count and lengths.min() == lengths.max():  # mostly: words then lie at equal distances
        length = int(lengths[0])
        for at in range(0, length, 8):
            word = np.ndarray(len(hashed), "<u8", data, at, strides=(length,))
            hashed = _mixed(hashed ^ (word if length - at >= KEY.itemsize else word & _whole(lengths[0] - at)))
        return hashed
    rows = np.flatnonzero(lengths)
    at = 0
    while len(rows):
        word = words[starts[rows] + at] & _whole(lengths[rows] - at)
        hashed[rows] = _mixed(hashed[rows] ^ word)
        at += 8
        rows = rows[lengths[rows] > at]
    if values.null_count:
        hashed[arrays.nulls(values)] = NULL
    return hashed


def _whole(left: NDArray[np.int64]) -> Keys:
    """Which bits of a word belong to an id of which so many bytes are left, at least one."""
    mask: Keys = ~np.uint64(0) >> (np.uint64(64) - np.minimum(left, 8).astype(np.uint64) * np.uint64(8))
    return mask


def _joined(parts: Sequence[NDArray[Any]], kind: np.dtype[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, kind)


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
    mixed = words + STEP
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
