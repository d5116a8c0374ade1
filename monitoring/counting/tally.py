"""Daily tallies: counts of rows, from which everything else is computed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.arrow import arrays, spelling
from core.config import Columns
from core.records import Record
from monitoring.axes import Axis, fit_categorical, fit_numeric
from monitoring.counting.column_tally import ColumnTally, JoinedInJson
from monitoring.counting.counts import Counts
from monitoring.counting.holdout import Holdout
from monitoring.counting.row_counter import Day, RowCounter
from monitoring.tasks import BINARY, Task


class DayTally(Record):
    """Counts of one UTC day.

    `duplicates`: rows beyond the first with the same id on this day (rows without an id count as one id).
    `scores`: rows by score and label, in the `shape` of the task. `unscored`: rows whose score is null or not valid.
    `bad_labels`: rows with a label that is not valid.
    """

    date: dt.date
    rows: int
    duplicates: int
    columns: dict[str, ColumnTally]
    scores: Counts
    unscored: int
    bad_labels: int

    def __add__(self, other: DayTally) -> DayTally:
        """Return the sum of two parts of a day. An id that is in both parts is not counted as a duplicate."""
        if self.date != other.date:
            raise ValueError(f"tallies of {self.date} and {other.date} do not add up")
        names = sorted({*self.columns, *other.columns})
        parts = [[tally.columns[name] for tally in (self, other) if name in tally.columns] for name in names]
        return DayTally(
            date=self.date,
            rows=self.rows + other.rows,
            duplicates=self.duplicates + other.duplicates,
            columns={
                name: part[0] if len(part) == 1 else part[0] + part[1] for name, part in zip(names, parts, strict=True)
            },
            scores=self.scores + other.scores,
            unscored=self.unscored + other.unscored,
            bad_labels=self.bad_labels + other.bad_labels,
        )


Days = Annotated[tuple[DayTally, ...], JoinedInJson()]


class Baseline(Record):
    """The rows that a model was trained on: the axes of its columns, and its daily tallies on them.

    It stores only the values that the comparison needs: category names, and the minimum, maximum and bin edges of
    numeric columns. No file and no output contains ids, labels, whole rows, or a value that no model was trained on.
    `scores`: the scores of the model on its holdout; None if an older release trained it.
    """

    VERSION: ClassVar[int] = 2
    READS: ClassVar[tuple[int, ...]] = (1,)

    axes: dict[str, Axis]
    days: Days
    scores: Holdout | None = None

    @property
    def rows(self) -> int:
        """Return the rows of all days."""
        return sum(day.rows for day in self.days)

    def total(self, column: str) -> NDArray[np.int64]:
        """Return rows by cell of the column's axis, over all days."""
        total = np.zeros(self.axes[column].size, np.int64)
        for day in self.days:
            if column in day.columns:
                total += day.columns[column].counts.array
        return total


def merge(days: Iterable[DayTally]) -> tuple[DayTally, ...]:
    """Return one tally for each date, in order; the order of the parts does not matter."""
    merged: dict[dt.date, DayTally] = {}
    for day in days:
        merged[day.date] = merged[day.date] + day if day.date in merged else day
    return tuple(merged[date] for date in sorted(merged))


def count(
    batches: Iterable[pa.RecordBatch],
    axes: Mapping[str, Axis],
    columns: Columns,
    *,
    version: str | None,
    as_of: dt.datetime,
    task: Task = BINARY,
) -> tuple[DayTally, ...]:
    """Return the tallies of all days in `batches`, by date.

    Args:
        batches: rows in any order, the time column as timestamp("us", "UTC").
        axes: by column; one that a batch does not have is absent from the tallies of its days.
        columns: the roles of columns.
        version: the model version whose scores are counted; rows of others count as features only. None: all.
        as_of: labels that arrived later do not count. Of later days only the number of rows is counted.
        task: of the model, see `tasks.task_of`.

    Raises:
        DataError: the time column is missing, of another type, or null somewhere.
    """
    counter = RowCounter(axes, columns, version, as_of, task)
    for batch in batches:
        counter.add(batch)
    return tallies(counter, counter.duplicates())


def tallies(counter: RowCounter, duplicates: Mapping[dt.date, int]) -> tuple[DayTally, ...]:
    """Return the counts of a counter by date, with the number of `duplicates` of each date (absent: 0)."""
    none = Counts.zeros(*counter.task.shape)
    return tuple(_tally(date, day, duplicates.get(date, 0), none) for date, day in sorted(counter.days.items()))


def _tally(date: dt.date, day: Day, duplicates: int, none: Counts) -> DayTally:
    return DayTally(
        date=date,
        rows=day.rows,
        duplicates=duplicates,
        columns={
            name: ColumnTally(counts=Counts(part.counts), outside=part.outside, types=tuple(sorted(part.types)))
            for name, part in sorted(day.columns.items())
        },
        scores=none if day.scores is None else Counts(day.scores),
        unscored=day.unscored,
        bad_labels=day.bad_labels,
    )


def build_baseline(
    batches: Sequence[pa.RecordBatch],
    numeric: Iterable[str],
    categorical: Iterable[str],
    columns: Columns,
    as_of: dt.datetime,
    task: Task = BINARY,
) -> Baseline:
    """Return the baseline of all rows: axes (of no values if no batch has the column) and daily counts."""
    axes: dict[str, Axis] = {}
    for name in numeric:
        parts = [arrays.numbers(batch.column(name))[0] for batch in batches if name in batch.schema.names]
        axes[name] = fit_numeric(np.concatenate(parts) if parts else np.empty(0))
    for name in categorical:
        chunks = [spelling.texts(batch.column(name)) for batch in batches if name in batch.schema.names]
        texts = [chunk for chunk in chunks if chunk is not None]
        axes[name] = fit_categorical(pa.chunked_array(texts, pa.large_string()))
    return Baseline(axes=axes, days=count(batches, axes, columns, version=None, as_of=as_of, task=task))
