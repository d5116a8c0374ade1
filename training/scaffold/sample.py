"""Hold what a new model is made from, once its table was looked at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class TableSample:
    """What a new model is made from.

    `source` and `table` are as model.toml says them, `shown` as the reader knows them. `utc`: times without a zone are
    taken as UTC. `names` are the columns that may be features, `unread` those that the source cannot give, `keep` those
    that are features whatever they look like. `delays` are those of the labels, in microseconds.
    """

    source: str
    table: str | None
    shown: str
    utc: bool
    roles: Columns
    target: Target
    names: tuple[str, ...]
    unread: tuple[str, ...]
    keep: tuple[str, ...]
    days: Days
    sample: Sample
    delays: Counts | None


Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Column:
    """A column of the sample: the place of each row's value in `levels`, -1 where null.

    `levels` are different numbers, sorted, or different texts; None where the values can be neither.
    """

    name: str
    kinds: tuple[pa.DataType, ...]
    codes: Ints
    levels: NDArray[Any] | None

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.levels is not None and self.levels.dtype == np.float64

    @property
    def whole(self) -> bool:
        """Whether they are whole numbers."""
        return self.numeric and self.levels is not None and bool((self.levels == np.floor(self.levels)).all())

    @property
    def known(self) -> int:
        """How many rows have a value."""
        return int((self.codes >= 0).sum())

    @property
    def different(self) -> int:
        """How many different values there are."""
        return 0 if self.levels is None else len(self.levels)

    @property
    def missing(self) -> float:
        """The share of rows without a value."""
        return 1 - self.known / max(len(self.codes), 1)


@dataclass(frozen=True)
class Sample:
    """Rows in any order: their microseconds since 1970, their labels (NaN: none), and the batches themselves."""

    batches: tuple[pa.RecordBatch, ...]
    times: Ints
    labels: NDArray[np.float64]
    task: Task

    @classmethod
    def of(cls, batches: Sequence[pa.RecordBatch], roles: Columns, task: Task) -> Sample:
        """The sample in these batches; `roles` are the names of its columns as in the config."""
        end = dt.datetime.max.replace(tzinfo=dt.UTC)
        found = [outcome_columns.labels(batch, roles, end, task)[0] for batch in batches]
        moments = [arrays.view(batch.column(roles.time), np.int64) for batch in batches]
        return cls(tuple(batches), np.concatenate(moments), np.concatenate(found), task)

    def column(self, name: str) -> Column:
        """One column."""
        parts = [arrays.plain(arrays.column(batch, name)) for batch in self.batches]
        kinds = tuple(dict.fromkeys(part.type for part in parts))
        nothing = np.full(len(self.times), -1, np.int64)
        if all(pa.types.is_null(kind) for kind in kinds):
            return Column(name, kinds, nothing, np.empty(0))
        if all(arrays.is_number(kind) or pa.types.is_null(kind) for kind in kinds):
            return Column(name, kinds, *_coded(parts))
        texts = [None if _odd(part.type) else spelling.texts(part) for part in parts]
        if any(text is None for text in texts):
            return Column(name, kinds, nothing, None)
        coded = pa.chunked_array(texts).combine_chunks().dictionary_encode()
        codes = np.asarray(pc.fill_null(coded.indices, -1), np.int64)
        return Column(name, kinds, codes, np.array(coded.dictionary.to_pylist(), object))


def _coded(parts: Sequence[pa.Array]) -> tuple[Ints, NDArray[np.float64]]:
    """Return the places of the numbers and the different numbers; 64-bit ids stay exact."""
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


def _odd(kind: pa.DataType) -> bool:
    """Whether values of this type have a text form that is not meant."""
    check = pa.types
    return bool(check.is_nested(kind) or check.is_binary(kind) or check.is_large_binary(kind))
