"""Give rows without types (SQLite's values, the text of a CSV file) Arrow types, and never hide what does not fit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.arrow import arrays, times
from core.config import Data
from core.errors import DataError

Values = Sequence[Any]
NUMBER = pa.float64()
OLDER = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
MISSING = arrays.text_array(["", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "Null", "null", "None"]).cast(pa.string())
FLOAT = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^(?i)[+-]?(inf|infinity)$"
SECONDS = r"^\d{9,10}$"  # 1973 to 2286; fewer digits could as well be a date


def require(columns: Collection[str], data: Data, shown: str) -> None:
    """Make sure that rows have a time and an id.

    Raises:
        DataError: they have not; with the columns that there are.
    """
    for role in ("time", "id"):
        name = getattr(data.columns, role)
        if name is not None and name not in columns:
            some = ", ".join(sorted(columns)[:30])
            raise DataError(
                f"{shown} has no column {name!r}, which is data.columns.{role} in model.toml.",
                why=f"Its columns are: {some or 'none'}.",
                fix=f"Bring it back, or name the right column as {role} under data.columns in model.toml.",
            )


def require_once(columns: Sequence[str], data: Data, shown: str) -> None:
    """Make sure that no column which model.toml names is there twice: nobody knows which one is meant.

    Raises:
        DataError: one is.
    """
    twice = sorted({name for name in (*data.features, *data.roles) if columns.count(name) > 1})
    if twice:
        raise DataError(
            f"{shown} has several columns named {', '.join(map(repr, twice))}.",
            why="Two tables were joined, or a file was written with one heading twice.",
            fix="Write each column once, or give them names of their own.",
        )


def instants(batch: pa.RecordBatch, data: Data) -> pa.RecordBatch:
    """The batch with its times (and the times of its labels) as timestamp("us", "UTC"), and without views.

    Raises:
        DataError: they are no times, or have no zone.
    """
    batch = _without_views(batch)
    for name in (data.columns.time, data.columns.labelled_at):
        if name is not None and name in batch.schema.names:
            index = batch.schema.names.index(name)
            values = times.to_utc(batch.column(index), name, data.timezone)
            batch = batch.set_column(index, pa.field(name, times.INSTANT), values)
    return batch


def _without_views(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Text and bytes in Arrow's older form: much of Arrow does not know the views of newer writers yet."""
    for index, field in enumerate(batch.schema):
        kind = OLDER.get(field.type)
        if kind is not None:
            batch = batch.set_column(index, field.with_type(kind), batch.column(index).cast(kind))
    return batch


def from_values(rows: Sequence[tuple[Any, ...]], names: Sequence[str], data: Data) -> Iterator[pa.RecordBatch]:
    """Batches of Python values (None, int, float, str, bytes), rows in any order.

    Numeric columns are float64, and so are score and label where they are no classes. Where a column mixes numbers with
    text or bytes, the rows are parted by what they hold: one bad value arrives as text in a batch of its own, and
    leaves the others as they are.
    """
    wanted = [NUMBER if name in _numeric(data) else None for name in names]
    columns: list[Values] = list(zip(*rows, strict=True))
    found = [_array(values, kind) for values, kind in zip(columns, wanted, strict=True)]
    mixed = [index for index, array in enumerate(found) if array is None]
    if not mixed:
        yield pa.record_batch(found, names=list(names))
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
                for values, kind, array in zip(columns, wanted, found, strict=True)
            ],
            names=list(names),
        )


def _array(values: Values, kind: pa.DataType | None) -> pa.Array | None:
    """An array of one type, None where the values have several."""
    try:
        array = pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return None
    # Arrow would take text beside bytes as bytes.
    if pa.types.is_binary(array.type) and any(isinstance(value, str) for value in values):
        return None
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def uniform(values: Values, kind: pa.DataType | None = None) -> pa.Array:
    """An array of values that are all numbers, all text or all bytes; of `kind`, if they can be."""
    for wanted in (kind, None):
        array = _array(values, wanted)
        if array is not None:
            return array
    # Arrow refuses integers beyond 2**53 beside floats, because they lose digits.
    return pa.array([None if value is None else float(value) for value in values], NUMBER)


def _kind(value: Any) -> type:
    return float if value is None or isinstance(value, int | float) else type(value)


def _numeric(data: Data) -> set[str]:
    """What is read as numbers; classes are read as text."""
    outcomes = () if data.classes else (data.columns.score, data.columns.label)
    return {*data.numeric, *outcomes}


def from_text(batch: pa.RecordBatch, data: Data) -> Iterator[pa.RecordBatch]:
    """Batches of what a batch of text (of a CSV file) means: numbers where the config says so, null where empty.

    As in `from_values`, rows with text in a numeric column come in batches of their own, where that column is text.
    """
    parsed: dict[str, pa.Array] = {}
    odd: dict[str, NDArray[np.bool_]] = {}
    for name in _numeric(data) & set(batch.schema.names):
        parsed[name], unread = _numbers(batch.column(name))
        if unread is not None:
            odd[name] = unread
    time = data.columns.time
    if time in batch.schema.names and pc.all(pc.match_substring_regex(batch.column(time), SECONDS)).as_py():
        parsed[time] = pc.cast(batch.column(time), pa.int64())
    if not odd:
        yield _replaced(batch, parsed)
        return
    kinds, kind = np.unique(np.stack([*odd.values()]), axis=1, return_inverse=True)
    for number, flags in enumerate(kinds.T):
        text = {name for name, flag in zip(odd, flags, strict=True) if flag}
        rows = _replaced(batch, {name: values for name, values in parsed.items() if name not in text})
        yield rows.filter(pa.array(kind.ravel() == number))


def _replaced(batch: pa.RecordBatch, columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    names = batch.schema.names
    return pa.record_batch([columns.get(name, batch.column(name)) for name in names], names=names)


def _numbers(text: pa.Array) -> tuple[pa.Array, NDArray[np.bool_] | None]:
    """Text as float64, and where it is no number (None: nowhere)."""
    try:
        return pc.cast(text, NUMBER), None
    except pa.ArrowInvalid:
        text = pc.utf8_trim_whitespace(text)
    text = pc.if_else(pc.is_in(text, MISSING), None, text)
    lower = pc.utf8_lower(text)
    text = pc.if_else(pc.equal(lower, "true"), "1", pc.if_else(pc.equal(lower, "false"), "0", text))
    read = pc.fill_null(pc.match_substring_regex(text, FLOAT), True)
    numbers = pc.cast(pc.if_else(read, text, None), NUMBER)
    return numbers, None if pc.all(read, min_count=0).as_py() else ~arrays.mask(read)
