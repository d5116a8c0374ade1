"""Conversion of source rows to the pandas frame that models are trained and judged on, equal for every source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from core.arrow import INSTANT, arrays, spelling
from core.config import Data
from core.errors import DataError
from monitoring.tasks import outcome_columns, task_for_data
from training.scoring import label_type

if TYPE_CHECKING:
    import pandas as pd


def labelled_frame(batches: Iterable[pa.RecordBatch], data: Data, as_of: dt.datetime) -> pd.DataFrame:
    """Return the labelled rows, with features, id, time and label under their names in the source.

    Numeric features are float64 (missing: NaN), categorical features and ids are text (missing: None), times are UTC.
    X

    Raises:
        DataError: a column is missing or has the wrong type (text is never read as a number), or a label is invalid.
    """
    import pandas as pd

    names = [*data.features, *filter(None, [data.columns.id]), data.columns.time]
    parts: dict[str, list[pa.Array]] = {name: [] for name in names}
    label_dtype = label_type(data)
    labels = [np.empty(0, label_dtype)]
    absent: set[str] | None = None
    for batch in batches:
        lacking = {*names, data.columns.label}.difference(batch.schema.names)
        absent = lacking if absent is None else absent & lacking
        batch_labels = _labels(batch, data, as_of)
        labelled = ~np.isnan(batch_labels)
        labels.append(batch_labels[labelled].astype(label_dtype))
        rows = batch if labelled.all() else batch.take(arrays.int_array(np.flatnonzero(labelled)))
        for name in names:
            parts[name].append(arrays.column(rows, name))
    _refuse_absent(absent or ())
    # One column at a time, freed once it is copied: two copies of all columns would double the memory.
    columns = {name: _column(parts.pop(name), name, data) for name in names}
    return pd.DataFrame({**columns, data.columns.label: np.concatenate(labels)}, copy=False)


def batch_features(batch: pa.RecordBatch, data: Data) -> pd.DataFrame:
    """Return the features of every row of a batch, labelled or not, as a model receives them.

    Raises:
        DataError: a feature is missing or has the wrong type.
    """
    import pandas as pd

    _refuse_absent(name for name in data.features if name not in batch.schema.names)
    columns = {name: _column([batch.column(name)], name, data) for name in data.features}
    return features(pd.DataFrame(columns, copy=False), data)


def features(rows: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Return the features in the order of the config, as float64 and text (missing: NaN and None)."""
    import pandas as pd

    numeric = {name: rows[name].astype("float64") for name in data.numeric}
    categorical = {name: rows[name].astype(object).where(rows[name].notna(), None) for name in data.categorical}
    return pd.DataFrame({**numeric, **categorical}, index=rows.index, copy=False)


def _refuse_absent(absent: Iterable[str]) -> None:
    names = ", ".join(map(repr, sorted(absent)))
    if names:
        raise DataError(
            f"The source has no column {names}.",
            why="The feed changed, or the names in model.toml differ from those of the table.",
            fix="Restore the column, or change the section [data] of model.toml.",
        )


def _labels(batch: pa.RecordBatch, data: Data, as_of: dt.datetime) -> np.ndarray[Any, Any]:
    """Return the label of each row as of `as_of`, NaN if it has none; read as the triggers read it."""
    task = task_for_data(data)
    labels, invalid = outcome_columns.labels(batch, data.columns, as_of, task)
    if invalid.any():
        column_type = arrays.plain(batch.column(data.columns.label)).type
        raise DataError(
            f"Column {data.columns.label!r} holds labels that are not {task.label_text}: {int(invalid.sum()):,} of "
            f"{batch.num_rows:,} values of the type {column_type}.",
            why=f"The task in model.toml needs {task.label_text}, or null if the label is unknown.",
            fix="Fix the column, or set data.columns.label in model.toml to another one.",
        )
    return labels


def _column(parts: list[pa.Array], name: str, data: Data) -> Any:
    """Return a column for pandas, with text as Python strings because pandas' text types differ between releases.

    Numbers that float32 holds exactly (float32, booleans, integers of up to 16 bits) take half the memory, and equal
    texts are one object: eight bytes a row.
    """
    import pandas as pd

    if name == data.columns.time:
        return pa.chunked_array([part.cast(INSTANT) for part in parts], INSTANT).to_pandas()
    if name in data.numeric:
        dtype = np.float32 if parts and all(_fits_float32(part.type) for part in parts) else np.float64
        numbers = [_numbers(part, name).astype(dtype, copy=False) for part in parts]
        return np.concatenate(numbers) if numbers else np.empty(0)
    shared: dict[str, str] = {}
    texts = [_shared_texts(part, name, shared) if name in data.categorical else _texts(part, name) for part in parts]
    return pd.Series(np.concatenate(texts) if texts else [], dtype=object)


def _fits_float32(dtype: pa.DataType) -> bool:
    """Return whether float32 holds every value of a type exactly."""
    types = pa.types
    return bool(
        types.is_boolean(dtype)
        or types.is_float32(dtype)
        or types.is_float16(dtype)
        or (types.is_integer(dtype) and dtype.bit_width <= 16)  # noqa: PLR2004 - float32 has 24 bits for a number
    )


def _numbers(values: pa.Array, name: str) -> np.ndarray[Any, Any]:
    numbers, not_numbers = arrays.numbers(values)
    if not_numbers is not None:
        raise _wrong_type(values, name, "numbers are")
    return numbers


def _shared_texts(values: pa.Array, name: str, shared: dict[str, str]) -> np.ndarray[Any, Any]:
    """Return texts of which few differ, each one object; `shared` collects the objects over batches."""
    if not pa.types.is_dictionary(values.type):
        values = _as_text(values, name).dictionary_encode()
    levels = [*(shared.setdefault(text, text) for text in _texts(values.dictionary, name)), None]
    texts: np.ndarray[Any, Any] = np.array(levels, dtype=object)[arrays.places(values)]
    return texts


def _texts(values: pa.Array, name: str) -> np.ndarray[Any, Any]:
    return np.array(_as_text(values, name).to_pylist(), dtype=object)


def _as_text(values: pa.Array, name: str) -> pa.Array:
    texts = spelling.texts(values)
    if texts is None:
        raise _wrong_type(values, name, "text is")
    return texts


def _wrong_type(values: pa.Array, name: str, needed: str) -> DataError:
    return DataError(
        f"Column {name!r} has the type {values.type}, but {needed} required.",
        why="The feed writes numbers as text, or the column is in the wrong list of model.toml.",
        fix="Fix the feed, or move the column between numeric and categorical in [data] of model.toml.",
    )
