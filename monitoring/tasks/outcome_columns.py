"""Scores, labels and versions of a batch, and which rows count for the model in service as of a nightly run."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.arrow import Bools, Floats, arrays, spelling, times
from core.config import Columns
from core.errors import DataError
from monitoring.tasks.task import Task

CELLS = 1000


class Outcomes(NamedTuple):
    """Scores and labels of a batch (NaN if none), and which rows are scored, not scored, or have an invalid label."""

    scores: Floats
    labels: Floats
    scored: Bools
    unscored: Bools
    bad: Bools


def read(batch: pa.RecordBatch, columns: Columns, version: str | None, as_of: dt.datetime, task: Task) -> Outcomes:
    """Return scores and labels of a batch. A configured column that the batch does not have counts as all null.

    Raises:
        DataError: `labelled_at` does not hold times.
    """
    of_version = _ours(batch, columns.version, version)
    scores = task.scores(_column(batch, columns.score))
    given, bad = labels(batch, columns, as_of, task)
    missing = np.isnan(scores)
    return Outcomes(scores, given, of_version & ~missing, of_version & missing, of_version & bad)


def labels(batch: pa.RecordBatch, columns: Columns, as_of: dt.datetime, task: Task) -> tuple[Floats, Bools]:
    """Return the label of each row as known at `as_of` (NaN: none), and which rows have an invalid one.

    Raises:
        DataError: `labelled_at` does not hold times.
    """
    found, bad = task.labels(_column(batch, columns.label))
    if columns.labelled_at is not None:
        known = _known(batch, columns.labelled_at, as_of)
        found, bad = np.where(known, found, np.nan), bad & known
    return found, bad


def cells_of(scores: Floats) -> tuple[NDArray[np.intp], Bools]:
    """Return the cell of each score (cell >= k if and only if score >= k / 1000), and which scores are in [0, 1]."""
    inside = (scores >= 0) & (scores <= 1)
    safe = np.where(inside, scores, 0.0)
    cells = (safe * CELLS).astype(np.intp)
    # The product is rounded: for a score just under k / 1000 it may be k.
    cells -= safe < cells / CELLS
    return np.minimum(cells, CELLS - 1), inside


def _ours(batch: pa.RecordBatch, name: str | None, version: str | None) -> Bools:
    """Return which rows were scored by this version."""
    if name is None or version is None:
        return np.ones(batch.num_rows, np.bool_)
    words = spelling.versions(batch.column(name)) if name in batch.schema.names else None
    if words is None:
        return np.zeros(batch.num_rows, np.bool_)
    return ~arrays.nulls(pc.index_in(words, value_set=arrays.text_array((spelling.version(version),))))


def _known(batch: pa.RecordBatch, name: str, as_of: dt.datetime) -> Bools:
    """Return which rows had their label at `as_of`."""
    if name not in batch.schema.names:
        return np.zeros(batch.num_rows, np.bool_)
    arrived = arrays.plain(batch.column(name))
    try:
        if pa.types.is_timestamp(arrived.type) and arrived.type.tz is None:
            arrived = pc.assume_timezone(arrived, "UTC")
        arrived = pc.cast(arrived, times.INSTANT, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise DataError(
            f"Column {name!r} of type {arrived.type} does not hold times.",
            why="Without the time of a label it is unknown which nightly run could use it.",
            fix="Fix the feed, or name the right column in data.columns.labelled_at of model.toml.",
        ) from None
    return ~arrays.nulls(arrived) & (arrays.view(arrived, np.int64) <= times.micros(as_of))


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    return batch.column(name) if name in batch.schema.names else pa.nulls(batch.num_rows, arrays.DOUBLE)
