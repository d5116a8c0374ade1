"""Count ids that occur twice on a day at constant memory: as 64-bit hashes, on disk when there are many."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring import arrays

HELD = 1 << 21  # hashes in memory before they go to disk: 32 MiB with their days
PARTS = 64  # files; each holds the ids whose hashes end alike, and is sorted by itself
NULL = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
PAIR = np.dtype([("day", "<i8"), ("id", "<u8")])


class Ids:
    """The ids of each day that were seen so far.

    Two ids of a day are taken for one when their hashes are equal: with ten million ids on a day that happens by chance
    on one day of 370,000.
    """

    def __init__(self) -> None:
        self._held: list[NDArray[np.void]] = []
        self._count = 0
        self._files: list[IO[bytes]] = []

    def add(self, days: NDArray[np.int64], ids: pa.Array) -> None:
        """Note the ids of some rows, each with the number of its day. Rows without an id count as one id."""
        pairs = np.empty(len(days), PAIR)
        pairs["day"], pairs["id"] = days, hashes(ids)
        self._held.append(pairs)
        self._count += len(pairs)
        if self._count > HELD:
            self._spill()

    def duplicates(self) -> dict[int, int]:
        """Rows beyond the first with the same id on the same day, by day; days without any are absent."""
        if self._files:
            self._spill()
        found: dict[int, int] = defaultdict(int)
        for part in self._parts():
            part.sort(order=("day", "id"))
            twice = part[1:]["day"][part[1:] == part[:-1]]
            for day, rows in zip(*np.unique(twice, return_counts=True), strict=True):
                found[int(day)] += int(rows)
        return dict(found)
