"""Reach a folder of Parquet and CSV files: each file with its own columns and types, a batch at a time."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from pyarrow import parquet as pq

from core.arrow import arrays, times
from core.config import Data
from core.days import DAY
from core.errors import DataError
from monitoring.sources import typed

BATCH = 65_536  # rows at once, fewer of wide tables:
VALUES = 1 << 22  # values at once, 32 MiB of floats
BUFFER = 1 << 18  # bytes read ahead a column, fewer of wide tables; without it a whole row group lies in memory
AHEAD = 1 << 26  # bytes read ahead of all columns
BLOCK = 8 << 20  # bytes of a CSV file parsed at once
KINDS = (".parquet", ".csv")


class FileSource:
    """All Parquet and CSV files of a folder and the folders below it, or one file. `shown` is its name in messages."""

    def __init__(self, path: Path, data: Data, shown: str) -> None:
        self._data, self._shown, self._root = data, shown, path
        self._files = {file: self._schema(file) for file in files_of(path)}
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
        """The type of each column; several, parted by a bar, where files differ."""
        found: dict[str, set[str]] = {}
        for schema in self._files.values():
            for name, kind in schema.items():
                found.setdefault(name, set()).add(kind)
        return {name: " | ".join(sorted(kinds)) for name, kinds in found.items()}

    def batches(self, columns: Sequence[str], start: dt.datetime, end: dt.datetime | None) -> Iterator[pa.RecordBatch]:
        """Rows with start <= time < end; see `source.Source`."""
        time = self._data.columns.time
        for file, schema in self._files.items():
            names = [name for name in columns if name in schema]
            read = list(dict.fromkeys([time, *names]))
            with self._reading(file):
                for raw in (
                    self._parquet(file, read, start, end) if file.suffix == ".parquet" else self._csv(file, read)
                ):
                    inside = times.select(typed.instants(raw, self._data), time, start, end)
                    if inside.num_rows:
                        yield inside.select(names)

    def latest(self) -> dt.datetime | None:
        """The newest time."""
        name = self._data.columns.time
        return times.newest(self.batches([name], times.FIRST, None), name)

    def _schema(self, file: Path) -> dict[str, str]:
        with self._reading(file):
            if file.suffix == ".parquet":
                schema = pq.read_schema(file)
            else:
                with csv.open_csv(file) as reader:
                    schema = pa.schema([(name, pa.string()) for name in reader.schema.names])
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
        """Whether a row group can hold rows with start <= time < end, by the smallest and largest time noted in it."""
        name = self._data.columns.time
        noted = chunks[name].statistics if name in chunks else None
        if noted is None or not noted.has_min_max:
            return True
        if noted.has_null_count and noted.null_count:
            raise times.no_time(name, noted.null_count)
        try:
            ends = times.to_utc(_ends(noted, kind), name, self._data.timezone)
        except OverflowError:  # later than Python's years: whoever looks at the rows will see
            return True
        if ends.null_count:
            return True
        low, high = arrays.view(ends, np.int64).tolist()
        # Text is ordered by what is written, up to a day off what it means in UTC at either end.
        slack = 2 * times.micros(times.EPOCH + DAY) if noted.physical_type == "BYTE_ARRAY" else 0
        return high >= times.micros(start) - slack and (end is None or low < times.micros(end) + slack)

    def _csv(self, file: Path, read: list[str]) -> Iterator[pa.RecordBatch]:
        """Everything is read as text first: types guessed from the first rows would not fit the later ones."""
        options = csv.ConvertOptions(
            column_types=dict.fromkeys(read, pa.string()),
            include_columns=read,
            null_values=[""],
            strings_can_be_null=True,
        )
        with csv.open_csv(file, read_options=csv.ReadOptions(block_size=BLOCK), convert_options=options) as reader:
            for batch in reader:
                yield from typed.from_text(batch, self._data)

    def _name(self, file: Path) -> str:
        return self._shown if file == self._root else f"{self._shown}/{file.relative_to(self._root).as_posix()}"

    @contextmanager
    def _reading(self, file: Path) -> Iterator[None]:
        """What Arrow says becomes an error without values of rows in it."""
        try:
            yield
        except (pa.ArrowException, OSError, UnicodeDecodeError) as err:
            shape = re.search(r"Expected (\d+) columns, got (\d+)", str(err))
            raise DataError(
                f"{self._name(file)} cannot be read"
                + (f": a line has {shape[2]} columns instead of {shape[1]}." if shape else f" ({type(err).__name__})."),
                why=f"It is damaged, still being written, not readable for this user, or no {file.suffix[1:]} file.",
                fix="Write it again under another name and rename it when it is complete, or remove it.",
            ) from None


def _validate(column: pa.Array) -> None:
    """Make sure that text is text, and words are in their dictionary: Arrow itself takes any bytes for either."""
    if not pa.types.is_dictionary(column.type):
        column.validate(full=True)
        return
    column.dictionary.validate(full=True)
    least, most = pc.min_max(column.indices).values()  # a fifth of what Arrow takes for the same
    if least.is_valid and not 0 <= least.as_py() <= most.as_py() < len(column.dictionary):
        raise pa.ArrowInvalid("a word that is not in its dictionary")


def _chunks(group: Any) -> dict[str, Any]:
    """What is noted of each column of a row group."""
    found = (group.column(index) for index in range(group.num_columns))
    return {column.path_in_schema: column for column in found}


def _is_coded(chunk: Any) -> bool:
    """Whether texts lie there as numbers of a dictionary: written out, each would have four bytes for its length.

    None for a nested column, which has no chunk of its name.
    """
    return bool(chunk and chunk.physical_type == "BYTE_ARRAY" and chunk.total_uncompressed_size < 4 * chunk.num_values)


def _ends(noted: Any, kind: pa.DataType) -> pa.Array:
    """The smallest and largest value, of the type that is read; the usual ones without Python objects, or pandas."""
    if noted.physical_type == "INT64" and (pa.types.is_timestamp(kind) or pa.types.is_int64(kind)):
        return arrays.int_array(np.array([noted.min_raw, noted.max_raw])).view(kind)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return arrays.text_array([noted.min, noted.max])
    return pa.array([noted.min, noted.max])


def files_of(path: Path) -> list[Path]:
    """The data files at `path`, by name; none whose name, or folder below `path`, starts with a dot or underscore."""
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.suffix in KINDS
        and file.is_file()
        and not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
    )
