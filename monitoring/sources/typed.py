"""Arrow types for rows without types: values of SQLite, text of a CSV file. Values that do not fit are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import arrays, spelling, times
from core.config import Data
from core.errors import DataError

Values = Sequence[Any]
NUMBER = arrays.DOUBLE
OLDER = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
SECONDS = r"^(\d{9,}(\.\d*)?|\d\.\d+[eE]\+?\d+)$"  # from 1973 on; fewer digits could as well be a date


def require(columns: Collection[str], data: Data, shown: str) -> None:
    """Check that rows have a time and an id.

    Raises:
        DataError: one is missing; lists the columns.
    """
    for role in ("time", "id"):
        name = getattr(data.columns, role)
        if name is not None and name not in columns:
            some = ", ".join(sorted(columns)[:30])
            raise DataError(
                f"{shown} has no column {name!r}, which is data.columns.{role} in model.toml.",
                why=f"Its columns are: {some or 'none'}.",
                fix=f"Restore it, or name the right column as {role} under data.columns in model.toml.",
            )


def require_once(columns: Sequence[str], data: Data, shown: str) -> None:
    """Check that no column in model.toml occurs twice.

    Raises:
        DataError: a column does.
    """
    repeated = sorted({name for name in (*data.features, *data.roles) if columns.count(name) > 1})
    if repeated:
        raise DataError(
            f"{shown} has several columns named {', '.join(map(repr, repeated))}.",
            why="Two tables were joined, or a header names a column twice.",
            fix="Write each column once, or rename one of them.",
        )


def instants(batch: pa.RecordBatch, data: Data) -> pa.RecordBatch:
    """Return the batch with its times and label times as timestamp("us", "UTC"), and without views.

    Raises:
        DataError: values are not times, or have no zone.
    """
    batch = _without_views(batch)
    for name in (data.columns.time, data.columns.labelled_at):
        if name is not None and name in batch.schema.names:
            index = batch.schema.names.index(name)
            values = times.to_utc(batch.column(index), name, data.timezone)
            batch = batch.set_column(index, pa.field(name, times.INSTANT), values)
    return batch


def _without_views(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return text and bytes in Arrow's older form, because many functions of Arrow do not support views yet."""
    for index, field in enumerate(batch.schema):
        kind = OLDER.get(field.type)
        if kind is not None:
            batch = batch.set_column(index, field.with_type(kind), batch.column(index).cast(kind))
    return batch


def from_values(rows: Sequence[tuple[Any, ...]], names: Sequence[str], data: Data) -> Iterator[pa.RecordBatch]:
    """Yield batches of Python values (None, int, float, str, bytes), rows in any order.

    Numeric columns are float64, and so are score and label unless they are classes. If a column mixes numbers with
    text or bytes, rows are grouped by type: a bad value arrives as text in a batch of its own and leaves the others
    unchanged.
    """
    wanted = [NUMBER if name in _numeric(data) else None for name in names]
    columns: list[Values] = list(zip(*rows, strict=True))
    arrays_ = [_array(values, kind) for values, kind in zip(columns, wanted, strict=True)]
    mixed = [index for index, array in enumerate(arrays_) if array is None]
    if not mixed:
        yield pa.record_batch(arrays_, names=list(names))
        return
    groups: dict[tuple[type, ...], list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        groups[tuple(_kind(row[index]) for index in mixed)].append(number)
    for numbers in groups.values():
        yield pa.record_batch(
            [
                uniform([values[number] for number in numbers], kind)
                if array is None
                else array.take(pa.array(numbers))
                for values, kind, array in zip(columns, wanted, arrays_, strict=True)
            ],
            names=list(names),
        )


def _array(values: Values, kind: pa.DataType | None) -> pa.Array | None:
    """Return an array of one type, None if the values have several."""
    try:
        array = pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return None
    # Arrow would read text next to bytes as bytes.
    if pa.types.is_binary(array.type) and any(isinstance(value, str) for value in values):
        return None
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def uniform(values: Values, kind: pa.DataType | None = None) -> pa.Array:
    """Return an array of values that are all numbers, all text or all bytes; of `kind` if possible."""
    for wanted in (kind, None):
        array = _array(values, wanted)
        if array is not None:
            return array
    # Arrow refuses integers beyond 2**53 next to floats, because they would lose digits.
    return pa.array([None if value is None else float(value) for value in values], NUMBER)


def _kind(value: Any) -> type:
    return float if value is None or isinstance(value, int | float) else type(value)


def _numeric(data: Data) -> set[str]:
    """Return the columns that are read as numbers; classes are text."""
    outcomes = () if data.classes else (data.columns.score, data.columns.label)
    return {*data.numeric, *outcomes}


def from_text(batch: pa.RecordBatch, data: Data, *, decimal_comma: bool = False) -> Iterator[pa.RecordBatch]:
    """Yield batches of a batch of text (of a CSV file), with numbers in numeric columns, null where empty.

    As in `from_values`, rows with text in a numeric column come in batches of their own, where that column is text.
    """
    parsed: dict[str, pa.Array] = {}
    with_text: dict[str, arrays.Bools] = {}
    for name in _numeric(data) & set(batch.schema.names):
        parsed[name], unread = spelling.numbers(batch.column(name), decimal_comma=decimal_comma)
        if unread is not None:
            with_text[name] = unread
    roles = data.columns
    for name in {roles.time, roles.labelled_at or roles.time} & set(batch.schema.names):
        if pc.all(pc.match_substring_regex(batch.column(name), SECONDS)).as_py():
            parsed[name] = spelling.numbers(batch.column(name))[0]
    if roles.id and roles.id in batch.schema.names and roles.id not in parsed:
        parsed[roles.id] = spelling.without_zero_decimals(batch.column(roles.id))
    if not with_text:
        yield _replaced(batch, parsed)
        return
    kinds, kind = np.unique(np.stack([*with_text.values()]), axis=1, return_inverse=True)
    for number, flags in enumerate(kinds.T):
        text = {name for name, flag in zip(with_text, flags, strict=True) if flag}
        rows = _replaced(batch, {name: values for name, values in parsed.items() if name not in text})
        yield rows.filter(pa.array(kind.ravel() == number))


def _replaced(batch: pa.RecordBatch, columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    names = batch.schema.names
    return pa.record_batch([columns.get(name, batch.column(name)) for name in names], names=names)
