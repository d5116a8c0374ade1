"""Turn the rows of a source into the frame that models are trained and judged on, the same whatever the source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from core.arrow import INSTANT, arrays
from core.config import Data
from core.errors import DataError
from monitoring.tasks import outcome_columns, task_for_data
from training.scoring import label_type

if TYPE_CHECKING:
    import pandas as pd


def labelled_frame(batches: Iterable[pa.RecordBatch], data: Data, as_of: dt.datetime) -> pd.DataFrame:
    """The labelled rows, with features, id, time and label under their names in the source.

    Numeric features are float64 (missing: NaN), categorical ones and ids text (missing: None), times UTC, labels 0 and
    1, places of classes, or numbers. A label counts when it is not null and, where `labelled_at` is configured, had
    arrived by `as_of`.

    Raises:
        DataError: a column is missing or of the wrong kind (text is never read as a number), or labels cannot be ones.
    """
    import pandas as pd

    names = [*data.features, data.columns.id, data.columns.time]
    parts: dict[str, list[pa.Array]] = {name: [] for name in names}
    kind = label_type(data)
    labels = [np.empty(0, kind)]
    for batch in batches:
        _complete(batch, [*names, data.columns.label])
        label = _labels(batch, data, as_of)
        known = ~np.isnan(label)
        labels.append(label[known].astype(kind))
        rows = batch if known.all() else batch.take(arrays.int_array(np.flatnonzero(known)))
        for name in names:
            parts[name].append(rows.column(name))
    # A column at a time, each given up once it is copied: never are all of them in memory twice.
    columns = {name: _column(parts.pop(name), name, data) for name in names}
    return pd.DataFrame({**columns, data.columns.label: np.concatenate(labels)}, copy=False)


def batch_features(batch: pa.RecordBatch, data: Data) -> pd.DataFrame:
    """What a model receives of a batch: the features of every row, labelled or not.

    Raises:
        DataError: a feature is missing or of the wrong kind.
    """
    import pandas as pd

    _complete(batch, list(data.features))
    columns = {name: _column([batch.column(name)], name, data) for name in data.features}
    return features(pd.DataFrame(columns, copy=False), data)


def features(rows: pd.DataFrame, data: Data) -> pd.DataFrame:
    """What a model receives: the features in the order of the config, as float64 and text (missing: NaN and None)."""
    import pandas as pd

    numeric = {name: rows[name].astype("float64") for name in data.numeric}
    categorical = {name: rows[name].astype(object).where(rows[name].notna(), None) for name in data.categorical}
    return pd.DataFrame({**numeric, **categorical}, index=rows.index, copy=False)


def _complete(batch: pa.RecordBatch, names: list[str]) -> None:
    absent = [name for name in names if name not in batch.schema.names]
    if absent:
        raise DataError(
            f"The source has no column {', '.join(map(repr, absent))}.",
            why="The feed changed, or the names in model.toml differ from those of the table.",
            fix="Bring the column back, or change the section [data] of model.toml.",
        )


def _labels(batch: pa.RecordBatch, data: Data, as_of: dt.datetime) -> np.ndarray[Any, Any]:
    """The label of each row as known by `as_of`, NaN for none; read as the triggers read it."""
    task = task_for_data(data)
    found, bad = outcome_columns.labels(batch, data.columns, as_of, task)
    if bad.any():
        kind, odd = arrays.plain(batch.column(data.columns.label)).type, int(bad.sum())
        raise DataError(
            f"Column {data.columns.label!r} holds labels that are not {task.label_text}: {odd:,} of "
            f"{batch.num_rows:,} values of the type {kind}.",
            why=f"The task in model.toml needs {task.label_text}, or null where the label is not known.",
            fix="Mend the column, or name another one as label in model.toml.",
        )
    return found


def _column(parts: list[pa.Array], name: str, data: Data) -> Any:
    """A column as pandas takes it; with text as Python's, whose own text types differ between releases.

    Numbers that float32 holds exactly (float32, booleans, integers of up to 16 bits) take half the memory of others,
    and equal texts are one object: eight bytes a row.
    """
    import pandas as pd

    if name == data.columns.time:
        return pa.chunked_array([part.cast(INSTANT) for part in parts], INSTANT).to_pandas()
    if name in data.numeric:
        small = all(_is_small(part.type) for part in parts) and bool(parts)
        numbers = [_numbers(part, name).astype(np.float32 if small else np.float64, copy=False) for part in parts]
        return np.concatenate(numbers) if numbers else np.empty(0)
    known: dict[str, str] = {}
    repeated = name in data.categorical
    words = [_words(part, name, known) if repeated else _texts(part, name) for part in parts]
    return pd.Series(np.concatenate(words) if words else [], dtype=object)


def _is_small(kind: pa.DataType) -> bool:
    """Whether float32 holds every value of a type."""
    types = pa.types
    return bool(
        types.is_boolean(kind)
        or types.is_float32(kind)
        or types.is_float16(kind)
        or (types.is_integer(kind) and kind.bit_width <= 16)  # noqa: PLR2004 - float32 has 24 bits for a number
    )


def _numbers(values: pa.Array, name: str) -> np.ndarray[Any, Any]:
    numbers, odd = arrays.numbers(values)
    if odd is not None:
        raise _misfit(values, name, "numbers")
    return numbers


def _words(values: pa.Array, name: str, known: dict[str, str]) -> np.ndarray[Any, Any]:
    """Texts of which few differ, each once in memory; `known` are those met so far."""
    if not pa.types.is_dictionary(values.type):
        values = _as_text(values, name).dictionary_encode()
    levels = [*(known.setdefault(word, word) for word in _texts(values.dictionary, name)), None]
    found: np.ndarray[Any, Any] = np.array(levels, dtype=object)[arrays.places(values)]
    return found


def _texts(values: pa.Array, name: str) -> np.ndarray[Any, Any]:
    return np.array(_as_text(values, name).to_pylist(), dtype=object)


def _as_text(values: pa.Array, name: str) -> pa.Array:
    found = arrays.texts(values)
    if found is None:
        raise _misfit(values, name, "text")
    return found


def _misfit(values: pa.Array, name: str, needed: str) -> DataError:
    return DataError(
        f"Column {name!r} holds {values.type}, but {needed} are needed.",
        why="The feed writes numbers as text, or the column is listed under the wrong kind.",
        fix="Mend the feed, or move the column in the section [data] of model.toml.",
    )
