"""A folder of Parquet and CSV files as a source: each file with its own columns and types, read in batches."""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet as pq

from core.arrow import arrays, times
from core.config import Data
from core.days import DAY
from core.errors import DataError
from monitoring.sources import typed
from monitoring.sources.csv_file import CsvFile, not_utf8, open_quote

BATCH = 65_536  # rows at once, fewer for wide tables:
VALUES = 1 << 22  # values at once, 32 MiB of floats
BUFFER = 1 << 18  # bytes read ahead per column, fewer for wide tables; without it a whole row group is in memory
AHEAD = 1 << 26  # bytes read ahead of all columns
PARQUET, CSV = (".parquet", ".pq"), (".csv", ".tsv", ".csv.gz", ".tsv.gz")
KINDS = (*PARQUET, *CSV)
# Files of these kinds in the folder probably hold rows that would be missing if the files were skipped.
NOT_READ = re.compile(r"\.(jsonl|ndjson|xlsx?|feather|arrow|orc|avro|(csv|tsv|parquet|pq)\.\w+)$", re.IGNORECASE)


def is_data(file: Path) -> bool:
    """Return whether a file has a name that is read, in upper or lower case."""
    return file.name.lower().endswith(KINDS)


def is_csv(file: Path) -> bool:
    """Return whether a file has the name of a CSV file."""
    return file.name.lower().endswith(CSV)


class FileSource:
    """All Parquet and CSV files of a folder and the folders below it, or one file. `shown` is its name in messages."""

    def __init__(self, path: Path, data: Data, shown: str) -> None:
        self._data, self._shown, self._root = data, shown, path
        self._csv: dict[Path, CsvFile] = {}
        self._files = {file: self._schema(file) for file in files_of(path)}
        self._refuse_skipped()
        if not self._files:
            raise DataError(
                f"{shown} holds no .parquet or .csv file.",
                why="Nothing has arrived yet, or the files have other names.",
                fix="Check data.source in model.toml, or the variable MONITORING_URL.",
            )
        for file, columns in self._files.items():
            typed.require(columns, data, self._name(file))

    @property
    def columns(self) -> dict[str, str]:
        """Return the type of each column; several types, separated by a bar, if files differ."""
        types: dict[str, set[str]] = {}
        for schema in self._files.values():
            for name, kind in schema.items():
                types.setdefault(name, set()).add(kind)
        return {name: " | ".join(sorted(kinds)) for name, kinds in types.items()}

    def batches(self, columns: Sequence[str], start: dt.datetime, end: dt.datetime | None) -> Iterator[pa.RecordBatch]:
        """Yield the rows with start <= time < end; see `source.Source`."""
        time = self._data.columns.time
        for file, schema in self._files.items():
            names = [name for name in columns if name in schema]
            read = list(dict.fromkeys([time, *names]))
            with self._reading(file):
                for raw in self._text(file, read) if file in self._csv else self._parquet(file, read, start, end):
                    batch = typed.instants(raw, self._data)
                    if batch.column(time).null_count:
                        raise times.no_time(time, self._without_time())
                    inside = times.select(batch, time, start, end)
                    if inside.num_rows:
                        yield inside.select(names)

    def latest(self) -> dt.datetime | None:
        """Return the newest time."""
        name = self._data.columns.time
        return times.newest(self.batches([name], times.FIRST, None), name)

    def _schema(self, file: Path) -> dict[str, str]:
        with self._reading(file):
            if file.name.lower().endswith(PARQUET):
                schema = pq.read_schema(file)
            else:
                text = self._csv[file] = CsvFile.at(file, self._name(file))
                schema = pa.schema([(name, pa.string()) for name in text.header()])
        typed.require_once(schema.names, self._data, self._name(file))
        return {field.name: str(field.type) for field in schema}

    def _parquet(
        self, file: Path, read: list[str], start: dt.datetime, end: dt.datetime | None
    ) -> Iterator[pa.RecordBatch]:
        buffer = max(min(BUFFER, AHEAD // len(read)), 1 << 12)
        rows = max(min(BATCH, VALUES // len(read)), 1)
        metadata = pq.read_metadata(file)
        kind = metadata.schema.to_arrow_schema().field(self._data.columns.time).type
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        wanted = [n for n, group in enumerate(groups) if self._may_hold(_chunks(group), kind, start, end)]
        if not wanted:
            return
        coded = [name for name in read if all(_is_coded(_chunks(groups[number]).get(name)) for number in wanted)]
        with pq.ParquetFile(
            file, metadata=metadata, read_dictionary=coded, buffer_size=buffer, pre_buffer=False
        ) as parquet:
            for batch in parquet.iter_batches(rows, row_groups=wanted, columns=read):
                for column in batch.columns:
                    _validate(column)
                yield batch

    def _may_hold(self, chunks: Mapping[str, Any], kind: Any, start: dt.datetime, end: dt.datetime | None) -> bool:
        """Return whether a row group can hold rows with start <= time < end, by its smallest and largest time."""
        name = self._data.columns.time
        statistics = chunks[name].statistics if name in chunks else None
        if statistics is None or not statistics.has_min_max:
            return True
        if statistics.has_null_count and statistics.null_count:
            raise times.no_time(name, self._without_time())
        try:
            ends = times.to_utc(_ends(statistics, kind), name, self._data.timezone)
        except OverflowError:  # later than Python's years: reading the rows reports it
            return True
        if ends.null_count:
            return True
        low, high = arrays.view(ends, np.int64).tolist()
        # Text sorts by its characters, up to a day off the instant in UTC at either end.
        slack = 2 * times.micros(times.EPOCH + DAY) if statistics.physical_type == "BYTE_ARRAY" else 0
        return high >= times.micros(start) - slack and (end is None or low < times.micros(end) + slack)

    def _text(self, file: Path, read: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a CSV file, read as text: types guessed from the first rows may not fit later ones."""
        text = self._csv[file]
        for batch in text.batches(read):
            yield from typed.from_text(batch, self._data, decimal_comma=text.decimal_comma)

    def _without_time(self) -> int:
        """Return how many rows of all files have no time."""
        name, rows = self._data.columns.time, 0
        for file in self._files:
            text = self._csv.get(file)
            with self._reading(file):
                batches = text.batches([name]) if text else pq.ParquetFile(file).iter_batches(columns=[name])
                for batch in batches:
                    rows += times.to_utc(batch.column(0), name, self._data.timezone).null_count
        return rows

    def _refuse_skipped(self) -> None:
        """Make sure that no file of the folder is left out that probably holds rows.

        Raises:
            DataError: there is one.
        """
        skipped = [file for file in visible_files(self._root) if NOT_READ.search(file.name) and not is_data(file)]
        if skipped:
            some = ", ".join(self._name(file) for file in skipped[:5]) + (", ..." if len(skipped) > 5 else "")  # noqa: PLR2004
            raise DataError(
                f"{self._shown} holds {len(skipped)} file{'s' if len(skipped) != 1 else ''} of other types: {some}.",
                why=f"Files ending in {', '.join(KINDS)} are read. Rows in other files would be left out.",
                fix="Convert these files, or move them out of the folder.",
            )

    def _name(self, file: Path) -> str:
        return self._shown if file == self._root else f"{self._shown}/{file.relative_to(self._root).as_posix()}"

    @contextmanager
    def _reading(self, file: Path) -> Iterator[None]:
        """Turn errors of Arrow into errors without values of rows."""
        try:
            yield
        except (pa.ArrowException, OSError, EOFError, zlib.error, UnicodeError) as err:
            raise self._explained(file, err) from None

    def _explained(self, file: Path, err: Exception) -> DataError:
        name, text = self._name(file), str(err)
        if file in self._csv and ("UTF8" in text or isinstance(err, UnicodeError)):
            return not_utf8(name, file)
        if "straddling" in text:
            return open_quote(name)
        shape = re.search(r"Expected (\d+) columns, got (\d+)", text)
        return DataError(
            f"{name} cannot be read"
            + (f": a line has {shape[2]} columns instead of {shape[1]}." if shape else f" ({type(err).__name__})."),
            why="A value holds the delimiter or a quote without being quoted, or the file is still being written."
            if shape
            else f"It is damaged, still being written, not readable for this user, or not a {file.suffix[1:]} file.",
            fix="Write it again under another name and rename it when it is complete, or remove it.",
        )


def _validate(column: pa.Array) -> None:
    """Check that text is UTF-8 and that indices are in their dictionary: Arrow itself accepts any bytes for either."""
    if not pa.types.is_dictionary(column.type):
        column.validate(full=True)
        return
    column.dictionary.validate(full=True)
    least, most = pc.min_max(column.indices).values()  # a fifth of what Arrow takes for the same
    if least.is_valid and not 0 <= least.as_py() <= most.as_py() < len(column.dictionary):
        raise pa.ArrowInvalid("an index that is not in its dictionary")


def _chunks(group: Any) -> dict[str, Any]:
    """Return the metadata of each column of a row group."""
    columns = (group.column(index) for index in range(group.num_columns))
    return {column.path_in_schema: column for column in columns}


def _is_coded(chunk: Any) -> bool:
    """Return whether texts are stored as indices of a dictionary: plain texts take four bytes each for their length.

    None for a nested column, which has no chunk of its name.
    """
    return bool(chunk and chunk.physical_type == "BYTE_ARRAY" and chunk.total_uncompressed_size < 4 * chunk.num_values)


def _ends(statistics: Any, kind: pa.DataType) -> pa.Array:
    """Return the smallest and largest value in the type that is read; usual types without Python objects or pandas."""
    if statistics.physical_type == "INT64" and (pa.types.is_timestamp(kind) or pa.types.is_int64(kind)):
        return arrays.int_array(np.array([statistics.min_raw, statistics.max_raw])).view(kind)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return arrays.text_array([statistics.min, statistics.max])
    return pa.array([statistics.min, statistics.max])


def files_of(path: Path) -> list[Path]:
    """Return the data files at `path`, by name: the file itself, or all below the folder."""
    return [path] if path.is_file() else [file for file in visible_files(path) if is_data(file)]


def visible_files(path: Path) -> list[Path]:
    """Return all files below a folder, by name, without hidden ones (a dot or underscore first in a name or folder)."""
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
    )
