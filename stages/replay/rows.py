"""The rows of a replay, held once, and the scores that the models of one policy gave them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.arrow import EPOCH, arrays
from core.config import Data
from core.days import DAY, midnight
from monitoring.tasks import task_for_data
from training import to_table_values

NEVER = np.iinfo(np.int64).max


class Piece(NamedTuple):
    """The consecutive rows `start` to `stop` of one part."""

    part: int
    start: int
    stop: int


@dataclass(frozen=True)
class RowsPart:
    """Rows of one schema in the order of time, without scores; their times, and when each label arrived (or NEVER).

    Like a source, a replay keeps rows with other columns or types (text in a numeric column) in batches of their own.
    """

    batch: pa.RecordBatch
    times: NDArray[np.int64]
    arrived: NDArray[np.int64]


def micros(moment: dt.datetime) -> int:
    """Return the microseconds since 1970."""
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


class ReplayRows:
    """All rows of a replay.

    Args:
        batches: in any order, with all columns that `data` names except score and version; times in UTC.
        data: the section [data] of the config, with a column `labelled_at`.
    """

    def __init__(self, batches: Iterable[pa.RecordBatch], data: Data) -> None:
        self.data, self.columns, self.task = data, data.columns, task_for_data(data)
        by_schema: dict[tuple[tuple[str, str], ...], list[pa.RecordBatch]] = {}
        for batch in batches:
            key = tuple((field.name, str(field.type)) for field in batch.schema)
            by_schema.setdefault(key, []).append(batch)
        self.parts = tuple(self._part(group) for group in by_schema.values())
        self._arrived: dict[dt.date, NDArray[np.int64]] = {}

    def _part(self, group: list[pa.RecordBatch]) -> RowsPart:
        table = pa.Table.from_batches(group).sort_by(self.columns.time).combine_chunks()
        batch = table.to_batches(max_chunksize=max(len(table), 1))[0]
        arrived = arrays.plain(batch.column(self.columns.labelled_at))
        moments = np.where(arrays.nulls(arrived), NEVER, arrays.view(arrived, np.int64))
        return RowsPart(batch, arrays.view(batch.column(self.columns.time), np.int64), moments)

    @property
    def first(self) -> dt.date:
        """The day of the first row."""
        return (EPOCH + min(int(part.times[0]) for part in self.parts) * dt.timedelta(microseconds=1)).date()

    @property
    def last(self) -> dt.date:
        """The day of the last row."""
        return (EPOCH + max(int(part.times[-1]) for part in self.parts) * dt.timedelta(microseconds=1)).date()

    def pieces(self, start: dt.datetime, end: dt.datetime) -> list[Piece]:
        """Return the rows with start <= time < end."""
        pieces = []
        for number, part in enumerate(self.parts):
            low, high = np.searchsorted(part.times, [micros(start), micros(end)]).tolist()
            if low < high:
                pieces.append(Piece(number, low, high))
        return pieces

    def of_day(self, day: dt.date) -> list[Piece]:
        """Return the rows of a UTC day."""
        return self.pieces(midnight(day), midnight(day + DAY))

    def plain(self, pieces: Sequence[Piece]) -> list[pa.RecordBatch]:
        """Return these rows without scores."""
        return [self.parts[part].batch.slice(start, stop - start) for part, start, stop in pieces]

    def labels_known(self, day: dt.date, as_of: dt.datetime) -> int:
        """Return how many labels of a day had arrived at an instant."""
        if day not in self._arrived:
            arrived = [self.parts[part].arrived[start:stop] for part, start, stop in self.of_day(day)]
            self._arrived[day] = np.sort(np.concatenate([np.empty(0, np.int64), *arrived]))
        return int(np.searchsorted(self._arrived[day], micros(as_of), side="right"))


class ServedRows:
    """The rows with the scores of one policy's models, as in a monitoring table.

    `fits`: the number of the fit that scored each day; 0 or absent if no fit did.
    """

    def __init__(self, rows: ReplayRows) -> None:
        self.rows = rows
        self.fits: dict[dt.date, int] = {}
        self._scores = [np.full(len(part.times), np.nan) for part in rows.parts]
        self._by = [np.zeros(len(part.times), np.int32) for part in rows.parts]

    def serve(self, day: dt.date, fit: int, scores: Sequence[NDArray[np.float64]]) -> None:
        """Store the scores of all rows of a day, piece by piece."""
        self.fits[day] = fit
        for (part, start, stop), values in zip(self.rows.of_day(day), scores, strict=True):
            self._scores[part][start:stop] = values
            self._by[part][start:stop] = fit

    def batches(self, pieces: Sequence[Piece]) -> list[pa.RecordBatch]:
        """Return these rows with score and, if the table has that column, version (the number of the fit, as text)."""
        return [self._scored(*piece) for piece in pieces]

    def _scored(self, part: int, start: int, stop: int) -> pa.RecordBatch:
        columns, (batch,) = self.rows.columns, self.rows.plain([Piece(part, start, stop)])
        scores = self._scores[part][start:stop]
        missing = np.isnan(scores)
        values = to_table_values(np.where(missing, 0, scores), self.rows.data)
        batch = batch.append_column(columns.score, pa.array(values, mask=missing))
        if columns.version is None:
            return batch
        fits = pa.array(self._by[part][start:stop])
        versions = pc.if_else(pc.equal(fits, 0), pa.scalar(None, pa.string()), pc.cast(fits, pa.string()))
        return batch.append_column(columns.version, versions)

    def history(self, start: dt.date, end: dt.date) -> tuple[int, ...]:
        """Return the fit that scored each of the days start <= day < end."""
        return tuple(self.fits.get(start + n * DAY, 0) for n in range((end - start).days))
