"""Say how a monitoring table is laid out that is ours to write, and bring values into its types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from core.config import Data
from core.errors import DataError
from monitoring.times import INSTANT


def schema(data: Data) -> pa.Schema:
    """The columns of the monitoring table, with the types that are written."""
    columns = data.columns
    fields = [pa.field(columns.id, pa.string(), nullable=False), pa.field(columns.time, INSTANT, nullable=False)]
    fields += [pa.field(name, pa.float64()) for name in data.numeric]
    fields += [pa.field(name, pa.string()) for name in data.categorical]
    fields.append(pa.field(columns.score, pa.string() if data.classes else pa.float64()))
    if columns.version:
        fields.append(pa.field(columns.version, pa.string()))
    number = pa.float64() if data.label_range else pa.int64()
    fields.append(pa.field(columns.label, pa.string() if data.classes else number))
    if columns.labelled_at:
        fields.append(pa.field(columns.labelled_at, INSTANT))
    return pa.schema(fields)


def typed_rows(values: Mapping[str, Sequence[Any]], fields: pa.Schema) -> pa.Table:
    """Columns as Arrow has them.

    Raises:
        DataError: a value is of another type, or missing where it must not be. No value is in the text.
    """
    arrays = []
    for field in fields:
        try:
            array = pa.array(values[field.name], field.type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            raise DataError(
                f"Column {field.name!r} holds a value that is no {field.type}.",
                why="The service changed, or hands over another column under this name.",
                fix="Convert it before logging; times need a zone.",
            ) from None
        if array.null_count and not field.nullable:
            raise DataError(f"{array.null_count} rows have no {field.name!r}.", fix="Give every row one.")
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=fields)
