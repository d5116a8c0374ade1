"""Turn the rows of a source into the frame that models are trained and judged on, the same whatever the source."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from core.config import Data
from core.errors import DataError
from monitoring import arrays, scores

if TYPE_CHECKING:
    import pandas as pd

INSTANT = pa.timestamp("us", "UTC")


def frame(batches: Iterable[pa.RecordBatch], data: Data, as_of: dt.datetime) -> pd.DataFrame:
    """The labelled rows, with features, id, time and label under their names in the source.

    Numeric features are float64 (missing: NaN), categorical ones and ids text (missing: None), times UTC, labels 0, 1.
    A label counts when it is not null and, where `labelled_at` is configured, had arrived by `as_of`.

    Raises:
        DataError: a column is missing or of the wrong kind (text is never read as a number), or labels are not 0 and 1.
    """
    import pandas as pd

    names = [*data.features, data.columns.id, data.columns.time]
    parts: dict[str, list[pa.Array]] = {name: [] for name in names}
    labels = [np.empty(0, np.int8)]
    for batch in batches:
        _complete(batch, [*names, data.columns.label])
        label = _labels(batch, data, as_of)
        known = label != scores.UNLABELLED
        labels.append(label[known])
        rows = batch.filter(pa.array(known))
        for name in names:
            parts[name].append(_column(rows.column(name), name, _kind(name, data)))
    columns = {name: pa.chunked_array(part, type=_kind(name, data)) for name, part in parts.items()}
    result = pd.DataFrame({name: _series(column) for name, column in columns.items()})
    return result.assign(**{data.columns.label: np.concatenate(labels)})


def scorable(batch: pa.RecordBatch, data: Data) -> pd.DataFrame:
    """What a model receives of a batch: the features of every row, labelled or not.

    Raises:
        DataError: a feature is missing or of the wrong kind.
    """
    import pandas as pd

    _complete(batch, list(data.features))
    columns = {name: pa.chunked_array([_column(batch.column(name), name, _kind(name, data))]) for name in data.features}
    return features(pd.DataFrame({name: _series(column) for name, column in columns.items()}), data)


def features(rows: pd.DataFrame, data: Data) -> pd.DataFrame:
    """What a model receives: the features in the order of the config, as float64 and text (missing: NaN and None)."""
    import pandas as pd

    numeric = {name: rows[name].astype("float64") for name in data.numeric}
    categorical = {name: rows[name].astype(object).where(rows[name].notna(), None) for name in data.categorical}
    return pd.DataFrame({**numeric, **categorical}, index=rows.index)


def data_digest(rows: pd.DataFrame) -> str:
    """SHA-256 over names, kinds and every value of `rows`; the order of rows and columns does not matter.

    Two frames have the same digest when they hold the same rows, each as often.
    """
    names = sorted(rows.columns, key=lambda name: (rows[name].dtype.kind != "M", name))
    ordered = rows.sort_values(names, kind="stable")
    digest = hashlib.sha256(json.dumps([len(rows), names]).encode())
    for name in names:
        digest.update(_bytes(ordered[name]))
    return digest.hexdigest()


def _bytes(column: pd.Series) -> bytes:
    """The values of a column, so that no two different columns have the same bytes."""
    kind = column.dtype.kind
    if kind == "M":
        moments: np.ndarray[Any, Any] = column.dt.tz_convert(None).to_numpy("datetime64[us]")
        return b"time" + moments.astype("<i8").tobytes()
    if kind in "fiub":
        numbers = column.to_numpy("<f8") + 0.0  # makes -0.0 a 0.0
        return b"number" + np.where(np.isnan(numbers), np.nan, numbers).tobytes()
    texts = [None if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)]
    return b"text" + json.dumps(texts).encode()


def _complete(batch: pa.RecordBatch, names: list[str]) -> None:
    absent = [name for name in names if name not in batch.schema.names]
    if absent:
        raise DataError(
            f"The source has no column {', '.join(map(repr, absent))}.",
            why="The feed changed, or the names in model.toml differ from those of the table.",
            fix="Bring the column back, or change the section [data] of model.toml.",
        )


def _labels(batch: pa.RecordBatch, data: Data, as_of: dt.datetime) -> np.ndarray[Any, Any]:
    """The label of each row as known by `as_of`: 0, 1, or 2 for none; counted as the triggers count it."""
    found = scores.read(batch, data.columns, None, as_of)
    if found.bad.any():
        kind, odd = arrays.plain(batch.column(data.columns.label)).type, int(found.bad.sum())
        raise DataError(
            f"Column {data.columns.label!r} holds labels other than 0 and 1: {odd:,} of {batch.num_rows:,} values of "
            f"the type {kind}.",
            why="A binary task needs 0 and 1 (or false and true, or null where the label is not known).",
            fix="Write 0 or 1 into the column, or name another one as label in model.toml.",
        )
    return found.labels.astype(np.int8)


def _kind(name: str, data: Data) -> pa.DataType:
    """The type to which a column is brought."""
    if name in data.numeric:
        return pa.float64()
    return INSTANT if name == data.columns.time else pa.large_string()


def _column(values: pa.Array, name: str, kind: pa.DataType) -> pa.Array:
    """The column in its one type."""
    if kind == INSTANT:
        return values.cast(kind)
    if kind == pa.large_string():
        found, odd = arrays.texts(values), None
    else:
        numbers, odd = arrays.numbers(values)
        found = pa.array(numbers)
    if found is None or odd is not None:
        needed = "numbers" if kind == pa.float64() else "text"
        raise DataError(
            f"Column {name!r} holds {values.type}, but {needed} are needed.",
            why="The feed writes numbers as text, or the column is listed under the wrong kind.",
            fix="Mend the feed, or move the column in the section [data] of model.toml.",
        )
    return found


def _series(column: pa.ChunkedArray) -> pd.Series:
    """As pandas, with text as Python's: its own text types differ between releases."""
    import pandas as pd

    if column.type == pa.large_string():
        return pd.Series(np.array(column.to_pylist(), dtype=object), dtype=object)
    series: pd.Series = column.to_pandas()
    return series
