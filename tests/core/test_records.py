from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import OutsideError, RecordError
from core.records import Record, write_atomically


class Sample(Record):
    """A record with a field of each common kind."""

    text: str
    number: float | None
    when: dt.datetime
    pair: tuple[int, str]


moments = st.datetimes(min_value=dt.datetime(1970, 1, 1), max_value=dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
samples = st.builds(
    Sample,
    text=st.text(),
    number=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    when=moments,
    pair=st.tuples(st.integers(-(2**53), 2**53), st.text()),
)


@given(samples)
def test_a_record_survives_its_json(sample: Sample) -> None:
    """What is written is what is read, for any text, number and time."""
    assert sample == Sample.from_json(sample.to_json())


def test_a_record_is_frozen() -> None:
    """A stage cannot change what an earlier one said."""
    sample = Sample(text="a", number=1.0, when=dt.datetime(2013, 1, 1, tzinfo=dt.UTC), pair=(1, "b"))

    with pytest.raises(ValueError, match="frozen"):
        sample.text = "b"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"record": "Sample/2"}, "expected 'Sample/1'"),
        ({"record": "Other/1"}, "holds 'Other/1'"),
        ({"extra": 1}, "extra: Extra inputs"),
        ({"number": "1"}, "number: Input should be a valid number"),
        ({"text": None}, "text: Input should be a valid string"),
    ],
)
def test_a_foreign_record_is_refused(change: dict[str, object], said: str) -> None:
    """Another class, version, field or type is an error that names it, never a guess."""
    raw = json.loads(Sample(text="", number=None, when=dt.datetime(2013, 1, 1, tzinfo=dt.UTC), pair=(1, "b")).to_json())

    with pytest.raises(RecordError) as caught:
        Sample.from_json(json.dumps({**raw, **change}))
    assert said in caught.value.what


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"record": 1', "\x00", '"x"'])
def test_damaged_files_are_refused(tmp_path: Path, text: str) -> None:
    """A cut or foreign file gives our error with exit code 2."""
    path = tmp_path / "sample.json"
    path.write_text(text)

    with pytest.raises(RecordError) as caught:
        Sample.read(path)
    assert caught.value.exit_code == 2


def test_a_missing_file_names_the_way_out(tmp_path: Path) -> None:
    """Without the record of the stage before, the error says to run that stage."""
    with pytest.raises(RecordError, match="No such file") as caught:
        Sample.read(tmp_path / "none.json")
    assert "--from" in caught.value.fix


def test_writing_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    """After a write there is one whole file and no temporary one."""
    path = tmp_path / "deep" / "record.json"
    write_atomically(path, "old")
    write_atomically(path, "new")

    assert "new" == path.read_text()
    assert [path] == list(path.parent.iterdir())


def test_an_unwritable_place_is_our_error(tmp_path: Path) -> None:
    """A file where a folder is needed ends with exit code 6 and leaves that file alone."""
    (tmp_path / "file").write_text("kept")

    with pytest.raises(OutsideError) as caught:
        write_atomically(tmp_path / "file" / "record.json", "x")
    assert caught.value.exit_code == 6
    assert "kept" == (tmp_path / "file").read_text()
