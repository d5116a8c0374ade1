"""Count what a target holds, day by day, before anyone knows which task that makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.config import Columns
from core.errors import DataError
from model.scaffold_sample import coded_numbers
from monitoring import arrays

DAY = 86_400_000_000  # microseconds
MOST = 100  # different values that are told apart: as many classes as a model may have


@dataclass
class Labels:
    """What a target holds. Days are numbers, from 1970 on.

    `levels` are the rows by value (numbers, or text where it is text) and day, None where there are more than `MOST`
    values. `low` and `high` are the ends of the numbers that are finite; `endless` rows have one that is not.
    """

    rows: Counter[int] = field(default_factory=Counter)
    labelled: Counter[int] = field(default_factory=Counter)
    levels: dict[Any, Counter[int]] | None = field(default_factory=dict)
    numeric: bool = True
    whole: bool = True
    low: float = np.inf
    high: float = -np.inf
    endless: int = 0

    @classmethod
    def of(cls, batches: Iterable[pa.RecordBatch], columns: Columns, *, text: bool = False) -> Labels:
        """Count the rows of `batches`, which need only the columns of time and label; `text`: take numbers as text.

        Raises:
            DataError: there are no rows, or values have no text form.
        """
        found = cls()
        for batch in batches:
            days = arrays.view(batch.column(columns.time), np.int64) // DAY
            found.rows.update(_counted(days))
            values = arrays.plain(batch.column(columns.label))
            if arrays.is_number(values.type) and not text:
                codes, levels = coded_numbers(arrays.numbers(values)[0])
                found._measure(levels, codes)
                found._add(days, codes, levels.tolist())
            else:
                found._read(days, values, columns.label)
        if not found.rows:
            raise DataError("The table has no rows.", why="It is empty.", fix="Fill it, and run the command again.")
        return found

    def _read(self, days: NDArray[np.int64], values: pa.Array, name: str) -> None:
        words = arrays.texts(values)
        if words is None:
            raise DataError(
                f"The target {name!r} has the type {values.type}, which is no number and no text.",
                fix="Name another column as target, or write what you mean by it into one.",
            )
        coded = words.dictionary_encode()
        self.numeric = self.numeric and not len(coded.dictionary)
        self._add(days, arrays.places(coded), coded.dictionary.to_pylist())

    def _measure(self, levels: NDArray[np.float64], codes: NDArray[np.int64]) -> None:
        finite = levels[np.isfinite(levels)]
        self.endless += int((codes >= 0).sum() - np.isin(codes, np.flatnonzero(np.isfinite(levels))).sum())
        if len(finite):
            self.low, self.high = min(self.low, float(finite[0])), max(self.high, float(finite[-1]))
            self.whole = self.whole and bool((finite == np.floor(finite)).all())

    def _add(self, days: NDArray[np.int64], codes: NDArray[np.int64], levels: list[Any]) -> None:
        known = codes >= 0
        days, codes = days[known], codes[known]
        self.labelled.update(_counted(days))
        if self.levels is None or len({*self.levels, *levels}) > MOST:
            self.levels = None
            return
        for place in np.unique(codes).tolist():
            self.levels.setdefault(levels[place], Counter()).update(_counted(days[codes == place]))

    @property
    def sizes(self) -> dict[Any, int]:
        """The rows of each value, the smallest value first; none where there are more than `MOST`."""
        levels = self.levels or {}
        return {level: levels[level].total() for level in sorted(levels, key=_rank)}


def _counted(days: NDArray[np.int64]) -> dict[int, int]:
    found, rows = np.unique(days, return_counts=True)
    return dict(zip(found.tolist(), rows.tolist(), strict=True))


def _rank(level: Any) -> tuple[bool, float, str]:
    """Numbers in their order, also those that are text, and then texts."""
    try:
        number = float(level)
    except ValueError:
        number = np.nan
    return (False, number, "") if np.isfinite(number) else (True, 0.0, str(level))
