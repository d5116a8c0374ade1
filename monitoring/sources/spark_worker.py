"""The code that Spark workers run: count a partition of the rows, and merge the counts of all partitions."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import times
from core.config import Data
from core.errors import DataError
from monitoring.axes import Axis
from monitoring.counting import DayTally, RowCounter, date, duplicates, tallies
from monitoring.sources import typed
from monitoring.tasks import task_for_data

Group = tuple[str, bytes]  # what a group of results is about, and one of them
Work = Callable[[Iterable[pa.RecordBatch]], Iterator[Group]]
SCHEMA = pa.schema([("key", pa.string()), ("value", pa.binary())])
DAY_COLUMN, IDS, NEWEST, ERROR = "day", "ids", "newest", "error"


@dataclass(frozen=True)
class Span:
    """Some columns of the rows with start <= time < end; `names` are their names, in the order in which they arrive."""

    data: Data
    names: tuple[str, ...]
    start: dt.datetime
    end: dt.datetime | None

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows in the span of a batch whose columns are named by position, with times in UTC.

        Raises:
            DataError: a row has no time, an unreadable time, or a time without a zone.
        """
        named = batch.rename_columns(list(self.names))
        return times.select(typed.instants(named, self.data), self.data.columns.time, self.start, self.end)


@dataclass(frozen=True)
class Count:
    """Counts the rows of a partition; arguments as in `tally.count`.

    A call yields a row for each day (its tally as JSON) and for each part of the ids (64-bit hashes with their day).
    """

    span: Span
    axes: Mapping[str, Axis]
    version: str | None
    as_of: dt.datetime

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Group]:
        """Yield the tallies and the parts of the ids."""
        counter = RowCounter(self.axes, self.span.data.columns, self.version, self.as_of, task_for_data(self.span.data))
        for batch in batches:
            counter.add(self.span.of(batch))
        for day in tallies(counter, {}):
            yield f"{DAY_COLUMN} {day.date}", day.to_json().encode()
        for number, pairs in enumerate(counter.ids.parts()):
            if len(pairs):
                yield f"{IDS} {number}", pairs.tobytes()


@dataclass(frozen=True)
class Newest:
    """Finds the newest time of a partition, as ISO text."""

    span: Span

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Group]:
        """Yield the newest time, nothing if there are no rows."""
        newest_of_batches = (
            pc.max(self.span.of(batch).column(self.span.data.columns.time)).as_py() for batch in batches
        )
        newest = max((moment for moment in newest_of_batches if moment is not None), default=None)
        if newest is not None:
            yield NEWEST, newest.isoformat().encode()


def run(work: Work, batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """Return the results of a partition, as `SCHEMA`. A DataError is a result, because Spark would lose its fields."""
    try:
        return table(work(batches))
    except DataError as err:
        return table([(ERROR, json.dumps([err.what, err.why, err.fix]).encode())])


def merge(group: pa.Table) -> pa.Table:
    """Return one result for a group: the sum of a day, the repeated ids, or the newest time."""
    key: str = group.column("key")[0].as_py()
    values = group.column("value").to_pylist()
    if key.startswith(DAY_COLUMN):
        merged = reduce(add, (DayTally.from_json(value) for value in values)).to_json()
    elif key.startswith(IDS):
        pairs = np.concatenate([np.frombuffer(value, duplicates.PAIR) for value in values])
        merged = json.dumps(duplicates.repeated(pairs["key"], lambda: pairs["day"]))
    elif key == NEWEST:
        merged = max(dt.datetime.fromisoformat(value.decode()) for value in values).isoformat()
    else:
        return table([(key, min(values))])
    return table([(key, merged.encode())])


def table(groups: Iterable[Group]) -> pa.Table:
    """Return the results as an Arrow table."""
    pairs = list(groups)
    return pa.table(
        [pa.array([pair[number] for pair in pairs], field.type) for number, field in enumerate(SCHEMA)], SCHEMA
    )


def counted(groups: Sequence[Group]) -> tuple[DayTally, ...]:
    """Return the tallies by date, from the merged results of `Count`.

    Raises:
        DataError: a partition has rows that cannot be counted.
    """
    refuse(groups)
    repeated: dict[dt.date, int] = {}
    for key, value in groups:
        if key.startswith(IDS):
            for number, rows in json.loads(value).items():
                repeated[date(int(number))] = repeated.get(date(int(number)), 0) + rows
    days = [DayTally.from_json(value) for key, value in groups if key.startswith(DAY_COLUMN)]
    return tuple(
        day.model_copy(update={"duplicates": repeated.get(day.date, 0)})
        for day in sorted(days, key=lambda day: day.date)
    )


def newest(groups: Sequence[Group]) -> dt.datetime | None:
    """Return the newest time, from the merged results of `Newest`.

    Raises:
        DataError: a partition has a time that cannot be read.
    """
    refuse(groups)
    return next((dt.datetime.fromisoformat(value.decode()) for _, value in groups), None)


def refuse(groups: Sequence[Group]) -> None:
    """Raise the error that a partition returned as a result, if any."""
    for key, value in groups:
        if key == ERROR:
            what, why, fix = json.loads(value)
            raise DataError(what, why=why, fix=fix)
