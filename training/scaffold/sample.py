"""What a new model is proposed from: the roles of the table's columns, its days, and a sample of its rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.arrow import arrays, spelling
from core.config import Columns
from monitoring.tasks import Task, outcome_columns
from training.scaffold.target import Target, coded_numbers
from training.scaffold.windows import Counts, Days

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TableSample:
    """What a new model is proposed from.

    `source` and `table` are the values for model.toml, `shown` is the name for readers. `utc`: times without a zone are
    taken as UTC. `existing` are all columns of the table. `names` are the columns that may be features, `unread` those
    that the source cannot read, `keep` those that are features despite any doubt. `delays` are the delays of the
    labels in microseconds.
    """

    source: str
    table: str | None
    shown: str
    utc: bool
    roles: Columns
    target: Target
    existing: tuple[str, ...]
    names: tuple[str, ...]
    unread: tuple[str, ...]
    keep: tuple[str, ...]
    days: Days
    sample: Sample
    delays: Counts | None


@dataclass(frozen=True)
class Column:
    """A column of the sample: the position of each row's value in `levels`, -1 where null.

    `levels` are the different numbers, sorted, or the different texts; None if the values are neither.
    """

    name: str
    types: tuple[pa.DataType, ...]
    codes: Ints
    levels: NDArray[Any] | None

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.levels is not None and self.levels.dtype == np.float64

    @property
    def whole(self) -> bool:
        """Whether the values are whole numbers."""
        return self.numeric and self.levels is not None and bool((self.levels == np.floor(self.levels)).all())

    @cached_property
    def known(self) -> int:
        """Number of rows with a value."""
        return int((self.codes >= 0).sum())

    @property
    def different(self) -> int:
        """Number of different values."""
        return 0 if self.levels is None else len(self.levels)

    @property
    def missing(self) -> float:
        """Share of rows without a value."""
        return 1 - self.known / max(len(self.codes), 1)


@dataclass(frozen=True)
class Sample:
    """Rows in any order: their times in microseconds since 1970, their labels (NaN: none), and the batches."""

    batches: tuple[pa.RecordBatch, ...]
    times: Ints
    labels: NDArray[np.float64]
    task: Task

    @classmethod
    def of(cls, batches: Sequence[pa.RecordBatch], roles: Columns, task: Task) -> Sample:
        """Return the sample in these batches; `roles` are the names of its columns as in the config."""
        end = dt.datetime.max.replace(tzinfo=dt.UTC)
        labels = [outcome_columns.labels(batch, roles, end, task)[0] for batch in batches]
        moments = [arrays.view(batch.column(roles.time), np.int64) for batch in batches]
        return cls(tuple(batches), np.concatenate(moments), np.concatenate(labels), task)

    def column(self, name: str) -> Column:
        """Return one column."""
        parts = [arrays.plain(arrays.column(batch, name)) for batch in self.batches]
        types = tuple(dict.fromkeys(part.type for part in parts))
        all_null = np.full(len(self.times), -1, np.int64)
        if all(pa.types.is_null(dtype) for dtype in types):
            return Column(name, types, all_null, np.empty(0))
        if all(arrays.is_number(dtype) or pa.types.is_null(dtype) for dtype in types):
            return Column(name, types, *_coded(parts))
        texts = [None if _has_no_text(part.type) else spelling.texts(part) for part in parts]
        if any(text is None for text in texts):
            return Column(name, types, all_null, None)
        coded = pa.chunked_array(texts).combine_chunks().dictionary_encode()
        codes = np.asarray(pc.fill_null(coded.indices, -1), np.int64)
        return Column(name, types, codes, np.array(coded.dictionary.to_pylist(), object))


def _coded(parts: Sequence[pa.Array]) -> tuple[Ints, NDArray[np.float64]]:
    """Return the positions of the numbers, and the different numbers. 64-bit ids are compared exactly."""
    if any(pa.types.is_integer(part.type) for part in parts):
        try:
            whole = pa.chunked_array([part.cast(pa.int64()) for part in parts]).combine_chunks()
        except pa.ArrowInvalid:
            pass
        else:
            known = ~arrays.nulls(whole)
            codes = np.full(len(whole), -1, np.int64)
            levels, codes[known] = np.unique(arrays.view(whole, np.int64)[known], return_inverse=True)
            return codes, levels.astype(np.float64)
    return coded_numbers(np.concatenate([arrays.numbers(part)[0] for part in parts]))


def _has_no_text(dtype: pa.DataType) -> bool:
    """Return whether the text form of values of this type has no use as a category."""
    types = pa.types
    return bool(types.is_nested(dtype) or types.is_binary(dtype) or types.is_large_binary(dtype))
