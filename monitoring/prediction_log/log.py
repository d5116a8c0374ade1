"""PredictionLog, with which a service or batch job writes predictions, and later their labels, each once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import INSTANT, spelling
from core.config import Data
from core.errors import ConfigError, DataError
from monitoring.prediction_log.stores import FileLedger, PostgresLedger, SqliteLedger
from monitoring.sources import driver_of, files_of, is_csv, is_data, shown
from monitoring.tasks import task_for_data

Rows = Sequence[Mapping[str, Any]]
# Booleans become numbers or text, numbers become text, as the sources read them; text is kept as it is.
CONVERT = {
    pa.string(): lambda value: value if isinstance(value, str) else spelling.text_of(value),
    pa.float64(): spelling.number_of,
}
DATABASES = (".db", ".sqlite", ".sqlite3")


class Ledger(Protocol):
    """A store of rows by id."""

    def add(self, rows: pa.Table) -> None:
        """Add the rows whose id is new, all or none of them."""

    def label(self, labels: Mapping[str, object], at: dt.datetime) -> list[str]:
        """Write labels to rows, all or none. Return the ids that no row has."""


class PredictionLog:
    """Writer of one model's monitoring table, for the service of that model.

    Args:
        ledger: the store of the table.
        data: the columns of the table.
    """

    def __init__(self, ledger: Ledger, data: Data) -> None:
        self._ledger = ledger
        self._data = data

    def predictions(self, rows: Rows, scores: Sequence[Any], version: int) -> None:
        """Add predictions. A row whose id exists is kept, so logging a batch again changes nothing.

        Args:
            rows: id, time (with a zone) and features of each row, by column name; a missing feature is null.
            scores: the prediction for each row: a probability, the name of a class, or a number.
            version: the registered version that made them.

        Raises:
            DataError: a row lacks id or time, or has an unknown column or a wrong type. Nothing is written then.
        """
        columns = self._data.columns
        if len(rows) != len(scores):
            raise DataError(f"{len(rows)} rows have {len(scores)} scores.", fix="Pass one score per row.")
        unknown = sorted({name for row in rows for name in row} - {columns.id, columns.time, *self._data.features})
        if unknown:
            raise DataError(
                f"Rows have columns that model.toml does not name: {', '.join(map(repr, unknown[:5]))}.",
                fix="Leave them out, or add them under [data].",
            )
        named = {columns.score: scores, **({columns.version: [str(version)] * len(rows)} if columns.version else {})}
        values = {
            field.name: named.get(field.name) or [row.get(field.name) for row in rows] for field in schema(self._data)
        }
        self._ledger.add(typed_rows(values, schema(self._data)))

    def labels(self, labels: Mapping[str, object], at: dt.datetime) -> list[str]:
        """Write labels. The same label again changes nothing; another label replaces the first.

        Args:
            labels: by id; 0 or 1, the name of a class, or a number.
            at: the time at which they became known, with a zone.

        Returns:
            The ids that no row has. Their labels are not kept, so pass them again once the row exists.

        Raises:
            DataError: a label does not fit the task, or `at` has no zone. Nothing is written then.
        """
        if at.tzinfo is None:
            raise DataError("The time of the labels has no zone.", fix="Write datetime.now(UTC), not datetime.now().")
        field, task = schema(self._data).field(self._data.columns.label), task_for_data(self._data)
        true = [_label(label, field.type) for label in labels.values()]
        column = typed_rows({field.name: true}, pa.schema([field])).column(0).combine_chunks()
        wrong = int(np.count_nonzero(np.isnan(task.labels(column)[0])))
        if wrong:
            raise DataError(
                f"{wrong} of {len(labels)} labels are not {task.label_text}.",
                fix="Pass 0 or 1, the name of a class, or a number, depending on the task.",
            )
        return self._ledger.label(dict(zip(labels, column.to_pylist(), strict=True)), at.astimezone(dt.UTC))

    def history(self, batch: pa.RecordBatch) -> None:
        """Add rows that a source has read, with their scores, versions and labels. A row whose id exists is kept.

        Raises:
            DataError: a row has no id, or a value has another type. Nothing of the batch is written then.
        """
        self._ledger.add(stored_rows(batch, self._data))


def _label(label: object, kind: pa.DataType) -> object:
    """Return the label as the type that is written; None if it has another type or would lose digits."""
    label = label.item() if isinstance(label, np.generic) else label
    if pa.types.is_string(kind):
        return spelling.text_of(label)
    if not isinstance(label, int | float):
        return None
    if isinstance(label, float):
        return label if pa.types.is_floating(kind) else None
    return int(label)


def open_log(url: str, data: Data, root: Path) -> PredictionLog:
    """Return the log at `url`, the monitoring source; creates the table or folder if it does not exist.

    Args:
        url: a SQLite file, a folder for Parquet files (both relative to `root`), or postgresql://.
        data: columns and table.
        root: the repository.

    Raises:
        ConfigError: predictions cannot be written there.
    """
    fields, roles = schema(data), data.columns
    if driver_of(url) is not None and url.startswith("postgres"):
        return PredictionLog(PostgresLedger(url, _table_name(data, shown(url)), fields, roles), data)
    scheme, separator, rest = url.partition("://")
    if separator and scheme not in {"sqlite", "file"}:
        raise ConfigError(
            f"Predictions cannot be logged to {shown(url)}.",
            why="Supported are SQLite, PostgreSQL and folders of Parquet files.",
            fix="Log to one of these, or load the rows into the warehouse with its own tools.",
        )
    path = root / (rest[1:] if scheme == "sqlite" else rest) if separator else root / url
    if scheme == "sqlite" or path.suffix in DATABASES:
        return PredictionLog(SqliteLedger(path, _table_name(data, path.name), fields, roles), data)
    if is_data(path) or (path.is_dir() and any(map(is_csv, files_of(path)))):
        raise ConfigError(
            f"Predictions cannot be logged to {path.name}.",
            why="Rows and labels are written to SQLite, PostgreSQL and folders of Parquet files only.",
            fix="Name an SQLite file or PostgreSQL URL as data.source in model.toml, and a data.table. Then type "
            f"mlops import --from {path.name}, which copies the rows.",
        )
    return PredictionLog(FileLedger(path, fields, roles), data)


def _table_name(data: Data, place: str) -> str:
    if data.table is None:
        raise ConfigError(f"data.table is missing: {place} may hold many tables.", fix="Name it under [data].")
    return data.table


def schema(data: Data) -> pa.Schema:
    """Return the columns of the monitoring table, with the types that are written."""
    columns = data.columns
    if columns.id is None:
        raise ConfigError(
            "data.columns.id is missing: predictions cannot be logged.",
            why="A label finds its row by the id, and a row that is sent twice is written once.",
            fix="Name the column that identifies rows as id under [data.columns] in model.toml.",
        )
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


def stored_rows(batch: pa.RecordBatch, data: Data) -> pa.Table:
    """Return a batch of a source as the log stores its rows. A column that the batch does not have is null.

    Raises:
        DataError: a row has no id, or a value has another type. The message holds no value.
    """
    columns = []
    for field in schema(data):
        values = batch.column(field.name) if field.name in batch.schema.names else pa.nulls(batch.num_rows)
        try:
            if field.name == data.columns.version:
                column = spelling.versions(values)
            elif pa.types.is_string(field.type):
                column = spelling.texts(values)
            elif field.type == INSTANT or pa.types.is_null(values.type):
                column = values
            else:
                numbers = pc.cast(values, pa.float64())
                column = pc.if_else(pc.is_nan(numbers), None, numbers)
            column = pc.cast(column, field.type)
        except (pa.ArrowException, TypeError):
            raise DataError(
                f"Column {field.name!r} holds a value that is not a {field.type}.",
                why="The rows are of another table, or model.toml names a wrong column.",
                fix="Fix the rows, or the columns under [data] in model.toml.",
            ) from None
        if column.null_count and not field.nullable:
            raise DataError(f"{column.null_count} rows have no {field.name!r}.", fix="Give every row one.")
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema(data))


def typed_rows(values: Mapping[str, Sequence[Any]], fields: pa.Schema) -> pa.Table:
    """Return the columns as an Arrow table.

    Raises:
        DataError: a value has another type, or a required value is missing. The message holds no value.
    """
    arrays = []
    for field in fields:
        convert = CONVERT.get(field.type, lambda value: value)
        try:
            array = pa.array([convert(value) for value in values[field.name]], field.type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            raise DataError(
                f"Column {field.name!r} holds a value that is not a {field.type}.",
                why="The service changed, or passes another column under this name.",
                fix="Convert the value before logging; times need a zone.",
            ) from None
        if array.null_count and not field.nullable:
            raise DataError(f"{array.null_count} rows have no {field.name!r}.", fix="Give every row one.")
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=fields)
