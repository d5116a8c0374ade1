from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from core.config.model import Columns, Data
from core.errors import DataError
from monitoring.sources import files
from monitoring.sources.source import Source, open_source

START = dt.datetime(2013, 3, 4, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
DATA = Data(source="rows", numeric=("wind",), categorical=("town",))
ROOT = Path(__file__).parents[3]
COUNTS = """
import datetime as dt, sys
from pathlib import Path
import numpy as np
from core.config import Data
from monitoring.axes import CategoricalAxis, fit_numeric
from monitoring.sources import open_source
from monitoring.counting.tally import count
data = Data(source="rows", numeric=("wind",), categorical=("town",))
axes = {"wind": fit_numeric(np.arange(9.0)), "town": CategoricalAxis(levels=("ANC",))}
start = dt.datetime(2013, 3, 4, tzinfo=dt.UTC)
batches = open_source("rows", data, Path(sys.argv[1])).batches([*data.features, *data.roles], start, None)
days = count(batches, axes, data.columns, version=None, as_of=start + dt.timedelta(days=1))
print(days[0].rows, "pandas" in sys.modules)
"""
NAMES = ["id", "timestamp", "prediction", "actual", "wind", "town"]


def opened(root: Path, url: str = "rows", **other: Any) -> Source:
    """The source at `url`, with a config changed in some places."""
    return open_source(url, DATA.model_copy(update=other), root)


def rows(source: Source, start: dt.datetime = START, end: dt.datetime | None = None) -> list[dict[str, Any]]:
    """All rows from the start on."""
    return [row for batch in source.batches(NAMES, start, end) for row in batch.to_pylist()]


def write(path: Path, columns: dict[str, Any]) -> None:
    """A Parquet file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), path)


def text(path: Path, *lines: str, header: str = "id,timestamp,prediction,actual,wind,town") -> None:
    """A CSV file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    """No file, or only hidden and unfinished ones: nothing has arrived."""
    for name in ("_SUCCESS", ".part.csv", "_temporary/0.csv", "notes.txt"):
        text(tmp_path / "rows" / name)
    with pytest.raises(DataError, match=r"rows holds no \.parquet or \.csv file"):
        opened(tmp_path)


def test_files_of_all_folders_are_one_table(tmp_path: Path) -> None:
    """Parquet and CSV files lie side by side, in folders of any depth."""
    write(tmp_path / "rows" / "2013" / "03" / "a.parquet", {"id": ["a"], "timestamp": [START]})
    text(tmp_path / "rows" / "b.csv", "b,2013-03-04T01:00:00Z,0.5,,1,ANC")

    assert {"a", "b"} == {row["id"] for row in rows(opened(tmp_path))}


@pytest.mark.parametrize("rows", [4, 40_000])
def test_words_that_repeat_are_read_as_a_dictionary(tmp_path: Path, rows: int) -> None:
    """Where the file has them as numbers of a dictionary; what is written out, such as ids, is read as text."""
    moments = [START] * rows
    towns = ["ANC", None, "BGR", "ANC"] * (rows // 4)
    names = [f"prediction-{number:012}" for number in range(rows)]
    path = tmp_path / "rows" / "a.parquet"
    path.parent.mkdir()
    parquet.write_table(pa.table({"id": names, "timestamp": moments, "town": towns}), path, use_dictionary=["town"])
    batches = list(opened(tmp_path).batches(NAMES, START, None))

    assert {"string"} == {str(batch.schema.field("id").type) for batch in batches}
    assert towns == [word for batch in batches for word in batch.column("town").to_pylist()]
    if rows > 4:
        assert all(pa.types.is_dictionary(batch.schema.field("town").type) for batch in batches)


@pytest.mark.parametrize("kind", [("us", "UTC"), ("ms", "UTC"), ("ns", "+02:00")], ids=str)
def test_only_groups_of_the_range_are_read(tmp_path: Path, kind: tuple[str, str]) -> None:
    """The smallest and largest time noted of a row group count in their own unit."""
    days = [START + number * DAY for number in range(30)]
    moments = pa.array(days, pa.timestamp("us", "UTC")).cast(pa.timestamp(*kind))
    (tmp_path / "rows").mkdir()
    table = pa.table({"id": [str(day) for day in days], "timestamp": moments})
    parquet.write_table(table, tmp_path / "rows" / "a.parquet", row_group_size=1)
    asked: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        iterate = parquet.ParquetFile.iter_batches

        def noted(self: Any, size: int, row_groups: list[int], columns: list[str]) -> Any:
            asked.extend(row_groups)
            return iterate(self, size, row_groups=row_groups, columns=columns)

        patch.setattr(parquet.ParquetFile, "iter_batches", noted)
        found = [row["id"] for row in rows(opened(tmp_path), days[10], days[12])]

    assert [str(day) for day in days[10:12]] == found
    assert [10, 11] == asked


def test_a_window_is_counted_without_pandas(tmp_path: Path) -> None:
    """Importing it takes longer than counting a million rows."""
    write(tmp_path / "rows" / "a.parquet", {"id": ["a"], "timestamp": [START], "wind": [1.0], "town": ["ANC"]})
    said = subprocess.run(
        [sys.executable, "-c", COUNTS, str(tmp_path)], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert "1 False" == said.stdout.strip()


def test_each_file_keeps_its_own_columns_and_types(tmp_path: Path) -> None:
    """A conflict of types is seen as text where the text is, and the other files stay numbers."""
    write(tmp_path / "rows" / "a.parquet", {"id": ["a"], "timestamp": [START], "wind": [1]})
    write(tmp_path / "rows" / "b.parquet", {"id": ["b"], "timestamp": [START], "wind": ["1"], "town": ["ANC"]})
    write(tmp_path / "rows" / "c.parquet", {"id": ["c"], "timestamp": [START], "wind": [1.0]})
    source = opened(tmp_path)

    assert "double | int64 | string" == source.columns["wind"]
    assert [["id", "wind"], ["id", "wind", "town"], ["id", "wind"]] == [
        batch.schema.names for batch in source.batches(["id", "wind", "town"], START, None)
    ]
    assert [pa.int64(), pa.string(), pa.float64()] == [
        batch.schema.field("wind").type for batch in source.batches(["wind"], START, None)
    ]


def test_a_file_without_the_time_column_is_named(tmp_path: Path) -> None:
    """One bad file among good ones is found by its name."""
    write(tmp_path / "rows" / "a.parquet", {"id": ["a"], "timestamp": [START]})
    write(tmp_path / "rows" / "b.parquet", {"id": ["b"], "time": [START]})
    with pytest.raises(DataError, match=r"rows/b.parquet has no column 'timestamp'"):
        opened(tmp_path)


def test_damaged_files_are_named_without_their_rows(tmp_path: Path) -> None:
    """A file that is cut off, empty, or of another kind stops the night."""
    write(tmp_path / "good.parquet", {"id": ["a"], "timestamp": [START]})
    good = (tmp_path / "good.parquet").read_bytes()
    for name, content in (
        ("cut.parquet", good[:-20]),
        ("other.parquet", b"secret"),
        ("empty.parquet", b""),
        ("empty.csv", b""),
        ("ragged.csv", b"id,timestamp\na,2013-03-04T01:00:00Z\nsecret,2013-03-04T01:00:00Z,secret\n"),
        ("latin.csv", b"id,timestamp\nsecret\xff,2013-03-04T01:00:00Z\n"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=name) as caught:
            rows(opened(tmp_path, name))
        assert "secret" not in str(caught.value)
        assert caught.value.fix
    with pytest.raises(DataError, match="a line has 3 columns instead of 2"):
        rows(opened(tmp_path, "ragged.csv"))


def test_row_groups_outside_the_range_are_not_read(tmp_path: Path) -> None:
    """Only groups that can hold such times are decoded, and none that can is left out, also where times are text."""
    moments = [START + DAY * i for i in range(10)]
    for kind, column in (
        ("instant", pa.array(moments)),
        ("seconds", pa.array([int(moment.timestamp()) for moment in moments])),
        ("text", pa.array([(m - DAY / 2).astimezone(dt.timezone(DAY / 2)).isoformat() for m in moments])),
    ):
        table = pa.table({"id": [f"r{i}" for i in range(10)], "timestamp": column})
        parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=1)
        source = opened(tmp_path, "rows.parquet")
        shift = DAY / 2 if kind == "text" else DAY * 0
        found = list(source.batches(["id"], START + 4 * DAY - shift, START + 6 * DAY - shift))

        assert ["r4", "r5"] == [name for batch in found for name in batch.column("id").to_pylist()]


def test_text_of_several_zones_in_a_row_group_is_found(tmp_path: Path) -> None:
    """The smallest and largest text of a group need not be its first and last instant."""
    times = ["2013-03-05T01:00:00+14:00", "2013-03-04T23:00:00-12:00"]  # 4 March 11:00 and 5 March 11:00 UTC
    parquet.write_table(pa.table({"id": ["a", "b"], "timestamp": times}), tmp_path / "rows.parquet")
    source, hour = opened(tmp_path, "rows.parquet"), DAY / 24

    assert ["a"] == [row["id"] for row in rows(source, START + 10 * hour, START + 12 * hour)]
    assert ["b"] == [row["id"] for row in rows(source, START + 34 * hour, START + 36 * hour)]


def test_null_times_are_seen_in_groups_that_are_not_read(tmp_path: Path) -> None:
    """The note of a row group says how many times are missing in it."""
    table = pa.table({"id": ["a", "b"], "timestamp": pa.array([START, None])})
    parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=1)
    with pytest.raises(DataError, match="1 row without a time"):
        rows(opened(tmp_path, "rows.parquet"), START + 9 * DAY)


def test_csv_text_becomes_what_the_config_says(tmp_path: Path) -> None:
    """Numbers, booleans, infinities and the usual words for missing are read in numeric columns, and only there."""
    text(
        tmp_path / "rows" / "a.csv",
        "NA,2013-03-04T01:00:00Z,0.5,1,1e3,NA",
        "b,2013-03-04T01:00:00+00:00,NaN,true, 7 ,012",
        "c,2013-03-04 01:00:00Z,,False,-inf,",
        'd,2013-03-04 01:00:00 UTC,null,0,N/A,"a,b"',
    )
    found = rows(opened(tmp_path))

    assert ["NA", "b", "c", "d"] == [row["id"] for row in found]
    assert [0.5, None, None, None] == [row["prediction"] for row in found]
    assert [1.0, 1.0, 0.0, 0.0] == [row["actual"] for row in found]
    assert [1000.0, 7.0, float("-inf"), None] == [row["wind"] for row in found]
    assert ["NA", "012", None, "a,b"] == [row["town"] for row in found]
    assert {START + DAY / 24} == {row["timestamp"] for row in found}


def test_seconds_in_csv_are_times_and_short_numbers_are_not(tmp_path: Path) -> None:
    """1362358800 is a time; 20130304 could as well be a date, and is refused."""
    text(tmp_path / "rows" / "a.csv", "a,1362358800,,,,")
    assert [START + DAY / 24] == [row["timestamp"] for row in rows(opened(tmp_path))]
    text(tmp_path / "rows" / "a.csv", "a,20130304,,,,")
    with pytest.raises(DataError, match="cannot be read as a time"):
        rows(opened(tmp_path))


@pytest.mark.parametrize("time", ["1362358800.0", "1362358800", "1.3623588e+09", "2013-03-04T01:00:00Z"])
def test_times_in_csv_may_be_seconds_with_decimals(tmp_path: Path, time: str) -> None:
    """Also those of labels: pandas writes seconds with nulls as floats."""
    header = "id,timestamp,known"
    text(tmp_path / "rows" / "a.csv", f"a,{time},{time}", f"b,{time},", header=header)
    source = opened(tmp_path, columns=Columns(labelled_at="known"))
    (batch,) = source.batches(["timestamp", "known"], START, None)

    assert {"timestamp": [START + DAY / 24] * 2, "known": [START + DAY / 24, None]} == batch.to_pydict()


def test_all_rows_without_a_time_are_counted(tmp_path: Path) -> None:
    """In all files, not in the first batch only."""
    for name in ("a", "b"):
        text(tmp_path / "rows" / f"{name}.csv", *[f"{name}{n},,,,," for n in range(160)])
    with pytest.raises(DataError, match="320 rows without a time"):
        rows(opened(tmp_path))


def test_the_table_is_a_folder_or_file_in_the_folder(tmp_path: Path) -> None:
    """data.table chooses among several; where the folder itself holds the files it needs none."""
    write(tmp_path / "lake" / "flights" / "a.parquet", {"id": ["a"], "timestamp": [START]})
    text(tmp_path / "lake" / "trains.csv", "b,2013-03-04T01:00:00Z,,,,")
    lake, trains = opened(tmp_path, "lake", table="flights"), opened(tmp_path, "lake", table="trains")

    assert ["a"] == [row["id"] for row in rows(lake)]
    assert ["b"] == [row["id"] for row in rows(trains)]
    assert ["a"] == [row["id"] for row in rows(opened(tmp_path, "lake/flights", table="predictions"))]
    (tmp_path / "lake" / "trains.csv").rename(tmp_path / "lake" / "flights" / "trains.csv")
    with pytest.raises(DataError, match="lake has no table 'ships'") as caught:
        opened(tmp_path, "lake", table="ships")
    assert "flights" in caught.value.why


def test_wide_tables_come_in_fewer_rows_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch holds so many values, not so many rows: thousands of columns need no more memory than a few."""
    monkeypatch.setattr(files, "VALUES", 40)
    columns = {
        "id": [f"r{i}" for i in range(100)],
        "timestamp": [START] * 100,
        "wind": [0.5] * 100,
        "town": ["A"] * 100,
    }
    write(tmp_path / "rows" / "a.parquet", columns)

    assert [10] * 10 == [batch.num_rows for batch in opened(tmp_path).batches(list(columns), START, None)]
    assert [20] * 5 == [batch.num_rows for batch in opened(tmp_path).batches(["id"], START, None)]


@pytest.mark.parametrize("times", [1, 100], ids=["written out", "in a dictionary"])
def test_text_that_is_not_utf8_is_an_error(tmp_path: Path, times: int) -> None:
    """Arrow takes any bytes for text: a Parquet file with others than UTF-8 is refused before they are counted."""
    broken = pa.array([b"Z\xfcrich"] * times, pa.binary()).view(pa.string())
    ids = [f"{number}" for number in range(times)]
    write(tmp_path / "rows" / "a.parquet", {"id": ids, "timestamp": pa.array([START] * times), "town": broken})
    with pytest.raises(DataError, match=r"a\.parquet cannot be read"):
        rows(opened(tmp_path))


def test_a_word_beyond_its_dictionary_is_an_error(tmp_path: Path) -> None:
    """Arrow reads numbers of words without a look at how many there are: any byte of theirs may be broken."""
    path, towns = tmp_path / "rows" / "a.parquet", ["ANC", "BGR", "CLT"] * 40
    columns = {"id": [f"{n}" for n in range(120)], "timestamp": pa.array([START] * 120), "town": towns}
    path.parent.mkdir()
    parquet.write_table(pa.table(columns), path, compression="none")
    whole, last = path.read_bytes(), parquet.read_metadata(path).row_group(0).column(2)
    refused = 0
    for place in range(last.data_page_offset, last.dictionary_page_offset + last.total_compressed_size):
        path.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        try:
            assert towns == [row["town"] for row in rows(opened(tmp_path))]
        except DataError:
            refused += 1

    assert refused > 30  # the numbers themselves: four to a byte, and 255 is four times the word after the last
