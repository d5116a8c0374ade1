"""Read scores, labels and versions of a batch, and what of it counts for the model in service as of a night."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.arrow import Bools, Floats, arrays, times
from core.config import Columns
from core.errors import DataError
from monitoring.tasks.task import Task

CELLS = 1000


class Outcomes(NamedTuple):
    """A batch, row by row: what was said and what came true (NaN where not); rows scored, unscored, badly labelled."""

    scores: Floats
    labels: Floats
    scored: Bools
    unscored: Bools
    bad: Bools


def read(batch: pa.RecordBatch, columns: Columns, version: str | None, as_of: dt.datetime, task: Task) -> Outcomes:
    """The scores of a batch. A configured column that the batch does not have is taken as all null.

    Raises:
        DataError: `labelled_at` holds no times.
    """
    ours = _ours(batch, columns.version, version)
    scores = task.scores(_column(batch, columns.score))
    given, bad = labels(batch, columns, as_of, task)
    missing = np.isnan(scores)
    return Outcomes(scores, given, ours & ~missing, ours & missing, ours & bad)


def labels(batch: pa.RecordBatch, columns: Columns, as_of: dt.datetime, task: Task) -> tuple[Floats, Bools]:
    """The label of each row as known by `as_of` (NaN: none), and which rows have one that cannot be.

    Raises:
        DataError: `labelled_at` holds no times.
    """
    found, bad = task.labels(_column(batch, columns.label))
    if columns.labelled_at is not None:
        known = _known(batch, columns.labelled_at, as_of)
        found, bad = np.where(known, found, np.nan), bad & known
    return found, bad


def cells_of(scores: Floats) -> tuple[NDArray[np.intp], Bools]:
    """The cell of each score, such that cell >= k exactly where score >= k / 1000, and which scores lie in [0, 1]."""
    inside = (scores >= 0) & (scores <= 1)
    safe = np.where(inside, scores, 0.0)
    cells = (safe * CELLS).astype(np.intp)
    # The product is rounded: for a score just under k / 1000 it may be k.
    cells -= safe < cells / CELLS
    return np.minimum(cells, CELLS - 1), inside


def _ours(batch: pa.RecordBatch, name: str | None, version: str | None) -> Bools:
    """Which rows were scored by the version asked for."""
    if name is None or version is None:
        return np.ones(batch.num_rows, np.bool_)
    words = arrays.texts(batch.column(name)) if name in batch.schema.names else None
    if words is None:
        return np.zeros(batch.num_rows, np.bool_)
    return ~arrays.nulls(pc.index_in(words, value_set=arrays.text_array((version,))))


def _known(batch: pa.RecordBatch, name: str, as_of: dt.datetime) -> Bools:
    """Which rows got their label by `as_of`."""
    if name not in batch.schema.names:
        return np.zeros(batch.num_rows, np.bool_)
    found = arrays.plain(batch.column(name))
    try:
        if pa.types.is_timestamp(found.type) and found.type.tz is None:
            found = pc.assume_timezone(found, "UTC")
        found = pc.cast(found, times.INSTANT, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise DataError(
            f"The column {name!r} of type {found.type} holds no times.",
            why="Without the time of a label nobody knows on which night it was known.",
            fix="Mend the feed, or name the right column in data.columns.labelled_at of model.toml.",
        ) from None
    return ~arrays.nulls(found) & (arrays.view(found, np.int64) <= times.micros(as_of))


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    return batch.column(name) if name in batch.schema.names else pa.nulls(batch.num_rows, arrays.DOUBLE)
