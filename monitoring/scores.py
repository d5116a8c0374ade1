"""Read scores, labels and versions of a batch, and what of it counts for the model in service as of a night."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.config import Columns
from core.errors import DataError
from monitoring import arrays, times

CELLS = 1000
UNLABELLED = 2


class Scores(NamedTuple):
    """A batch, row by row: score cell, label (0, 1, 2 for none); which rows are scored, unscored, badly labelled."""

    cells: NDArray[np.intp]
    labels: NDArray[np.intp]
    scored: NDArray[np.bool_]
    unscored: NDArray[np.bool_]
    bad: NDArray[np.bool_]


def read(batch: pa.RecordBatch, columns: Columns, version: str | None, as_of: dt.datetime) -> Scores:
    """The scores of a batch. A configured column that the batch does not have is taken as all null.

    Raises:
        DataError: `labelled_at` holds no times.
    """
    ours = _ours(batch, columns.version, version)
    cells, inside = cells_of(_numbers(batch, columns.score)[0])
    labels, bad = _labels(batch, columns, as_of)
    return Scores(cells, labels, ours & inside, ours & ~inside, ours & bad)


def cells_of(scores: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The cell of each score, such that cell >= k exactly where score >= k / 1000, and which scores lie in [0, 1]."""
    inside = (scores >= 0) & (scores <= 1)
    safe = np.where(inside, scores, 0.0)
    cells = (safe * CELLS).astype(np.intp)
    # The product is rounded: for a score just under k / 1000 it may be k.
    cells -= safe < cells / CELLS
    return np.minimum(cells, CELLS - 1), inside


def _ours(batch: pa.RecordBatch, name: str | None, version: str | None) -> NDArray[np.bool_]:
    """Which rows were scored by the version asked for."""
    if name is None or version is None:
        return np.ones(batch.num_rows, np.bool_)
    words = arrays.texts(batch.column(name)) if name in batch.schema.names else None
    if words is None:
        return np.zeros(batch.num_rows, np.bool_)
    return ~arrays.nulls(pc.index_in(words, value_set=arrays.text_array((version,))))


def _labels(batch: pa.RecordBatch, columns: Columns, as_of: dt.datetime) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The label of each row as known by `as_of`, and which rows have one that is neither 0 nor 1."""
    numbers, invalid = _numbers(batch, columns.label)
    good = (numbers == 0) | (numbers == 1)
    bad = ~good & ~np.isnan(numbers)
    if invalid is not None:
        bad |= invalid
    if columns.labelled_at is not None:
        known = _known(batch, columns.labelled_at, as_of)
        good, bad = good & known, bad & known
    return np.where(good, np.where(good, numbers, 0).astype(np.intp), UNLABELLED), bad


def _known(batch: pa.RecordBatch, name: str, as_of: dt.datetime) -> NDArray[np.bool_]:
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


def _numbers(batch: pa.RecordBatch, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    if name in batch.schema.names:
        return arrays.numbers(batch.column(name))
    return np.full(batch.num_rows, np.nan), None
