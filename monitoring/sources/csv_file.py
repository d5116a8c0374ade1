"""Reading a CSV file: its compression, encoding, delimiter and quotes. Every field is read as text."""

from __future__ import annotations

import codecs
import gzip
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
from pyarrow import csv

from core.errors import DataError

BLOCK = 8 << 20  # bytes parsed at once; a quoted value must fit into it
HEAD = 1 << 16  # bytes that show the encoding and the delimiter
DELIMITERS = ",;\t|"
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class CsvFile:
    """A CSV file, and how it is written. `name` is its name in messages."""

    path: Path
    name: str
    encoding: str
    delimiter: str

    @classmethod
    def at(cls, path: Path, name: str) -> CsvFile:
        """Return the file after a look at its start.

        Raises:
            DataError: its encoding is not one that can be read.
        """
        with _opened(path) as file:
            head = file.read(HEAD)
        encoding = next((encoding for mark, encoding in MARKS.items() if head.startswith(mark)), "utf-8")
        if encoding == "utf-8" and b"\0" in head:
            raise DataError(
                f"{name} is not a CSV file in UTF-8: it holds zero bytes.",
                why="It is binary, or UTF-16 without a byte order mark.",
                fix=f"If it is text: iconv -f UTF-16LE -t UTF-8 {path.name} > new.csv",
            )
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            raise not_utf8(name, path) from None
        line = re.sub(r'"[^"]*("|$)', "", text).lstrip("\r\n").partition("\n")[0]
        return cls(path, name, encoding, max(DELIMITERS, key=line.count))

    @property
    def decimal_comma(self) -> bool:
        """Return whether numbers may be written as 1,5."""
        return self.delimiter != ","

    def header(self) -> list[str]:
        """Return the names of the columns."""
        with _opened(self.path) as file, self._reader(self._blocks(file), csv.ConvertOptions()) as reader:
            return list(reader.schema.names)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield these columns of all rows, as text; null where a field is empty."""
        options = csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            include_columns=list(columns),
            null_values=[""],
            strings_can_be_null=True,
        )
        with _opened(self.path) as file:
            blocks = self._blocks(file)
            with self._reader(blocks, options) as reader:
                yield from reader
        if blocks.quotes % 2 and self._ends_in_quotes():
            raise open_quote(self.name)

    def _ends_in_quotes(self) -> bool:
        """Return whether the last value holds line breaks; Arrow takes the end of the file as the closing quote."""
        options = csv.ConvertOptions(column_types=dict.fromkeys(self.header(), pa.string()))
        with _opened(self.path) as file, self._reader(self._blocks(file), options) as reader:
            last = [batch.slice(batch.num_rows - 1).to_pylist() for batch in reader if batch.num_rows][-1:]
        return any("\n" in value for rows in last for row in rows for value in row.values())

    def _blocks(self, file: IO[bytes]) -> _Blocks:
        if self.encoding not in {"utf-8", "utf-8-sig"}:
            return _Blocks(_Recoded(io.TextIOWrapper(file, self.encoding, newline="")))
        return _Blocks(file)

    def _reader(self, blocks: _Blocks, options: csv.ConvertOptions) -> csv.CSVStreamingReader:
        return csv.open_csv(
            pa.PythonFile(blocks, mode="r"),
            read_options=csv.ReadOptions(block_size=BLOCK),
            parse_options=csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
            convert_options=options,
        )


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")


def not_utf8(name: str, path: Path) -> DataError:
    """Return the error for text in another encoding, which cannot be known for sure."""
    return DataError(
        f"{name} is not in UTF-8.",
        why='Its bytes look like Windows-1252 (Excel\'s "CSV"), Latin-1 or another encoding with one byte per letter.',
        fix="Write it as UTF-8 (in Excel: CSV UTF-8), or convert it: "
        f"iconv -f WINDOWS-1252 -t UTF-8 {path.name} > new.csv",
    )


def open_quote(name: str) -> DataError:
    """Return the error for a quote without an end."""
    return DataError(
        f"{name} has a quote that is opened and never closed, or a value of more than 8 MiB.",
        why='A value that holds a quote must be quoted itself, with the quote doubled: "5"" pipe".',
        fix="Write the file again with a CSV library.",
    )


class _Recoded:
    """A text file as UTF-8 bytes."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text

    def read(self, size: int) -> bytes:
        """Return at most so many bytes."""
        return self._text.read(max(size // 4, 1)).encode()


class _Blocks:
    """A file of which no block ends with CR: between two blocks, Arrow 25 loses the LF after it (arrow#51368).

    `quotes` is the number of quotes read so far.
    """

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self.quotes = 0

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, none at the end."""
        data: bytes = self._file.read(max(size - 8, 1))  # a character more has up to four bytes
        while data.endswith(b"\r") and len(data) < size and (more := self._file.read(1)):
            data += more
        self.quotes += data.count(b'"')
        return data

    def close(self) -> None:
        """Leave the file open: who opened it closes it."""
