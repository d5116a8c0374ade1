"""Count a partition of the rows where it lies, and add up what all partitions gave: what a cluster's workers run."""

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
from monitoring.tasks import select

Group = tuple[str, bytes]  # what a group of results is about, and one of them
Work = Callable[[Iterable[pa.RecordBatch]], Iterator[Group]]
SCHEMA = pa.schema([("key", pa.string()), ("value", pa.binary())])
DAY_COLUMN, IDS, NEWEST, ERROR = "day", "ids", "newest", "error"


@dataclass(frozen=True)
class Span:
    """Some columns of the rows with start <= time < end; `names` are what they are called in the order they arrive."""

    data: Data
    names: tuple[str, ...]
    start: dt.datetime
    end: dt.datetime | None

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Those of a batch whose columns are named by position, their times in UTC.

        Raises:
            DataError: a row has no time, an unreadable one, or one without a zone.
        """
        named = batch.rename_columns(list(self.names))
        return times.select(typed.instants(named, self.data), self.data.columns.time, self.start, self.end)


@dataclass(frozen=True)
class Count:
    """Counts the rows of a partition; arguments as in `tally.count`.

    Calling it gives a row for each day (its tally as JSON) and for each part of the ids (64-bit hashes with their day).
    """

    span: Span
    axes: Mapping[str, Axis]
    version: str | None
    as_of: dt.datetime

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Group]:
        """Count."""
        kernel = RowCounter(
            self.axes, self.span.data.columns, self.version, self.as_of, select.task_for_data(self.span.data)
        )
        for batch in batches:
            kernel.add(self.span.of(batch))
        for day in tallies(kernel, {}):
            yield f"{DAY_COLUMN} {day.date}", day.to_json().encode()
        for number, pairs in enumerate(kernel.ids.parts()):
            if len(pairs):
                yield f"{IDS} {number}", pairs.tobytes()


@dataclass(frozen=True)
class Newest:
    """Finds the newest time of a partition, as ISO text."""

    span: Span

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Group]:
        """Look at all rows."""
        found = (pc.max(self.span.of(batch).column(self.span.data.columns.time)).as_py() for batch in batches)
        newest = max((moment for moment in found if moment is not None), default=None)
        if newest is not None:
            yield NEWEST, newest.isoformat().encode()


def run(work: Work, batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """What a partition gives, as `SCHEMA`; an error of ours becomes a result, because clusters lose its parts."""
    try:
        return table(work(batches))
    except DataError as err:
        return table([(ERROR, json.dumps([err.what, err.why, err.fix]).encode())])


def merge(group: pa.Table) -> pa.Table:
    """One result for all results of a group: the sum of a day, the ids that are there twice, the newest time."""
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
    """Results as Arrow."""
    pairs = list(groups)
    return pa.table(
        [pa.array([pair[number] for pair in pairs], field.type) for number, field in enumerate(SCHEMA)], SCHEMA
    )


def counted(groups: Sequence[Group]) -> tuple[DayTally, ...]:
    """The tallies by date, from the merged results of `Count`.

    Raises:
        DataError: a partition met rows that cannot be counted.
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
    """The newest time, from the merged results of `Newest`.

    Raises:
        DataError: a partition met a time that cannot be read.
    """
    refuse(groups)
    return next((dt.datetime.fromisoformat(value.decode()) for _, value in groups), None)


def refuse(groups: Sequence[Group]) -> None:
    """Raise what a partition could not raise here."""
    for key, value in groups:
        if key == ERROR:
            what, why, fix = json.loads(value)
            raise DataError(what, why=why, fix=fix)
