"""CSV files of other programs are read for what they mean, or the error says how they are written."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from core.errors import DataError
from monitoring.sources import csv_file
from monitoring.sources.csv_file import CsvFile
from tests.monitoring.sources.test_files import START, opened, rows

HEADER = "id,timestamp,wind,town"


def read(path: Path, name: str) -> list[str]:
    """One column of a file."""
    batches = CsvFile.at(path, path.name).batches([name])
    return [value for batch in batches for value in batch.column(0).to_pylist()]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_breaks_in_quotes_are_part_of_the_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line_end: str
) -> None:
    """Wherever a block of the file ends, a quoted value keeps its line breaks to the last byte (arrow#51368)."""
    monkeypatch.setattr(csv_file, "BLOCK", 1024)
    for padding in range(40):
        towns = [f"{'z' * padding}{line_end}{number}" for number in range(100)]
        lines = [f'a{number},,,"{town}"' for number, town in enumerate(towns)]
        (tmp_path / "a.csv").write_bytes(line_end.join([HEADER, *lines, ""]).encode())

        assert towns == read(tmp_path / "a.csv", "town"), padding


def test_line_breaks_in_quotes_are_read_in_large_files(tmp_path: Path) -> None:
    """A file of more than one block is read as a small one."""
    town = "two\nlines" * 20
    lines = [f'a{number},2013-03-04T01:00:00Z,1,"{town}"' for number in range(60_000)]
    (tmp_path / "rows.csv").write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    source = opened(tmp_path, "rows.csv")

    assert (tmp_path / "rows.csv").stat().st_size > csv_file.BLOCK
    assert {town: 60_000} == {
        name: sum(batch.column("town").to_pylist().count(town) for batch in source.batches(["town"], START, None))
        for name in [town]
    }


@pytest.mark.parametrize("lines_after", [1, 400_000])
def test_a_quote_that_is_never_closed_is_named(tmp_path: Path, lines_after: int) -> None:
    """The rest of the file is not taken as one value, however short it is; the error says what is wrong."""
    lines = ['a,2013-03-04T01:00:00Z,1,"5 feet', *["b,2013-03-04T01:00:00Z,1,secret"] * lines_after]
    (tmp_path / "rows.csv").write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    with pytest.raises(DataError, match="a quote that is opened and never closed") as caught:
        rows(opened(tmp_path, "rows.csv"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters_are_recognized(tmp_path: Path, encoding: str, delimiter: str) -> None:
    """A byte order mark names the encoding, the header shows the delimiter; but for commas, 1,5 is a number."""
    number = "1.5" if delimiter == "," else "1,5"
    lines = [HEADER.replace(",", delimiter), delimiter.join(["a", "2013-03-04T01:00:00Z", number, "Zürich"])]
    (tmp_path / "rows.csv").write_bytes("\r\n".join(lines).encode(encoding))

    (row,) = rows(opened(tmp_path, "rows.csv"))
    assert ("a", 1.5, "Zürich") == (row["id"], row["wind"], row["town"])


def test_a_decimal_comma_is_no_number_in_a_file_with_commas(tmp_path: Path) -> None:
    """Quoted, "1,5" could be a number of thousands: it stays text, which is a finding."""
    (tmp_path / "rows.csv").write_text(f'{HEADER}\na,2013-03-04T01:00:00Z,"1,500",x\n', encoding="utf-8")
    (batch,) = opened(tmp_path, "rows.csv").batches(["wind"], START, None)
    assert pa.string() == batch.schema.field("wind").type


def test_a_quote_in_the_middle_of_a_value_is_part_of_it(tmp_path: Path) -> None:
    """An odd number of quotes is no error by itself."""
    (tmp_path / "rows.csv").write_text(f'{HEADER}\na,2013-03-04T01:00:00Z,1,5" pipe\n', encoding="utf-8")
    assert ['5" pipe'] == read(tmp_path / "rows.csv", "town")


@pytest.mark.parametrize(
    ("content", "what", "fix"),
    [
        (
            f"{HEADER}\na,2013-03-04T01:00:00Z,1,secretZürich\n".encode("cp1252"),
            "not in UTF-8",
            "iconv -f WINDOWS-1252",
        ),
        (f"{HEADER}\na,2013-03-04T01:00:00Z,1,secret\n".encode("utf-16-le"), "not a CSV file in UTF-8", "UTF-16LE"),
    ],
)
def test_other_encodings_are_named(tmp_path: Path, content: bytes, what: str, fix: str) -> None:
    """What cannot be known is not guessed: the error names the likely encoding and the command to convert it."""
    (tmp_path / "rows.csv").write_bytes(content)
    with pytest.raises(DataError, match=what) as caught:
        rows(opened(tmp_path, "rows.csv"))
    assert fix in caught.value.fix
    assert "secret" not in str(caught.value)


def test_a_byte_of_another_encoding_is_named_wherever_it_is(tmp_path: Path) -> None:
    """Also behind the part of the file that is looked at first."""
    lines = [f"a{number},2013-03-04T01:00:00Z,1,x" for number in range(5000)]
    (tmp_path / "rows.csv").write_bytes("\n".join([HEADER, *lines, "b,2013-03-04T01:00:00Z,1,é"]).encode("latin-1"))
    with pytest.raises(DataError, match=r"rows\.csv is not in UTF-8"):
        rows(opened(tmp_path, "rows.csv"))


@pytest.mark.parametrize("name", ["b.csv.gz", "b.CSV", "b.pq", "b.PARQUET", "b.tsv", "b.Csv.Gz"])
def test_files_with_usual_names_are_read(tmp_path: Path, name: str) -> None:
    """Compressed files, capital letters and short names are no reason to leave rows out."""
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "a.csv").write_text(f"{HEADER}\na,2013-03-04T01:00:00Z,1,x\n", encoding="utf-8")
    text = f"{HEADER}\nb,2013-03-04T01:00:00Z,1,x\n"
    place = tmp_path / "rows" / name
    if place.suffix.lower() in {".pq", ".parquet"}:
        parquet.write_table(pa.table({"id": ["b"], "timestamp": [START]}), place)
    elif place.suffix.lower() == ".gz":
        place.write_bytes(gzip.compress(text.encode()))
    else:
        place.write_text(text.replace(",", "\t") if place.suffix == ".tsv" else text, encoding="utf-8")

    assert ["a", "b"] == sorted(row["id"] for row in rows(opened(tmp_path)))
    assert ["b"] == [row["id"] for row in rows(opened(tmp_path, f"rows/{name}"))]


@pytest.mark.parametrize("name", ["b.csv.zip", "b.xlsx", "b.jsonl", "b.csv.bz2", "b.feather", "b.parquet.gz"])
def test_files_that_are_not_read_are_named(tmp_path: Path, name: str) -> None:
    """A file that probably holds rows is an error, and not left out in silence; notes and marks are left out."""
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "a.csv").write_text(f"{HEADER}\na,2013-03-04T01:00:00Z,1,x\n", encoding="utf-8")
    for other in ("README.md", "_SUCCESS", ".a.csv.crc", "schema.json"):
        (tmp_path / "rows" / other).write_text("x")
    assert 1 == len(rows(opened(tmp_path)))

    (tmp_path / "rows" / name).write_bytes(b"x")
    with pytest.raises(DataError, match=f"1 file of other types: rows/{name}"):
        opened(tmp_path)


def test_a_cut_gz_file_is_an_error(tmp_path: Path) -> None:
    """A file that is still being written is not read as a shorter one."""
    lines = [f"a{number},2013-03-04T01:00:00Z,1,x" for number in range(9000)]
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress("\n".join([HEADER, *lines]).encode())[:-500])
    with pytest.raises(DataError, match=r"rows\.csv\.gz cannot be read"):
        rows(opened(tmp_path, "rows.csv.gz"))
