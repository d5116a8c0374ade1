"""Count rows into daily tallies once, so that everything decided later is arithmetic on counts."""

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
    """All of one UTC day.

    `duplicates`: rows beyond the first with the same id on this day (rows without an id count as one id).
    `scores`: rows by what the model said and what came true, in the `shape` of the task. `unscored`: rows whose score
    is null, or nothing that such a model says. `bad_labels`: rows with a label that cannot be one.
    """

    date: dt.date
    rows: int
    duplicates: int
    columns: dict[str, ColumnTally]
    scores: Counts
    unscored: int
    bad_labels: int

    def __add__(self, other: DayTally) -> DayTally:
        """Both parts of a day. An id that occurs in both parts is not seen as a duplicate."""
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

    Of the values themselves it has, because nothing could be compared without them, the levels of categorical columns,
    and of numeric ones the smallest, the largest and where bins begin. Ids, labels and whole rows are in nothing that
    we keep or print, nor is a value that no model was trained on.
    `scores`: what the model said of its holdout; None where an older release kept no such thing.
    """

    VERSION: ClassVar[int] = 2
    READS: ClassVar[tuple[int, ...]] = (1,)

    axes: dict[str, Axis]
    days: Days
    scores: Holdout | None = None

    @property
    def rows(self) -> int:
        """Rows of all days."""
        return sum(day.rows for day in self.days)

    def total(self, column: str) -> NDArray[np.int64]:
        """Rows by cell of the column's axis, over all days."""
        total = np.zeros(self.axes[column].size, np.int64)
        for day in self.days:
            if column in day.columns:
                total += day.columns[column].counts.array
        return total


def merge(days: Iterable[DayTally]) -> tuple[DayTally, ...]:
    """One tally a date, by date; the same whatever the order of the parts."""
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
    """The tallies of all days in `batches`, by date.

    Args:
        batches: rows in any order, the time column as timestamp("us", "UTC").
        axes: by column; one that a batch does not have is absent from the tallies of its days.
        columns: which column means what.
        version: the model version whose scores are counted; rows of others count as features only. None: all.
        as_of: labels count when they were known by then. Of later days only the rows are counted.
        task: of the model, see `tasks.counting`.

    Raises:
        DataError: the time column is missing, of another type, or null somewhere.
    """
    kernel = RowCounter(axes, columns, version, as_of, task)
    for batch in batches:
        kernel.add(batch)
    return tallies(kernel, kernel.duplicates())


def tallies(kernel: RowCounter, duplicates: Mapping[dt.date, int]) -> tuple[DayTally, ...]:
    """What a kernel has counted, by date, and how many `duplicates` a date has (none: absent)."""
    none = Counts.zeros(*kernel.task.shape)
    return tuple(_tally(date, day, duplicates.get(date, 0), none) for date, day in sorted(kernel.days.items()))


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
    """Fit an axis to each column on all rows (a column that no batch has gets that of an empty one), then count."""
    axes: dict[str, Axis] = {}
    for name in numeric:
        parts = [arrays.numbers(batch.column(name))[0] for batch in batches if name in batch.schema.names]
        axes[name] = fit_numeric(np.concatenate(parts) if parts else np.empty(0))
    for name in categorical:
        chunks = [spelling.texts(batch.column(name)) for batch in batches if name in batch.schema.names]
        found = [chunk for chunk in chunks if chunk is not None]
        axes[name] = fit_categorical(pa.chunked_array(found, pa.large_string()))
    return Baseline(axes=axes, days=count(batches, axes, columns, version=None, as_of=as_of, task=task))
