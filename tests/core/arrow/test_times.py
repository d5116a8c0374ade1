from __future__ import annotations

import datetime as dt
import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.arrow.times import select, text_range, to_utc
from core.errors import DataError

UTC = dt.UTC
MOMENT = dt.datetime(2013, 3, 4, 10, 15, tzinfo=UTC)


def read(
    values: list[object], timezone: str | None = None, kind: pa.DataType | None = None
) -> list[dt.datetime | None]:
    """What a column of these values means."""
    found: list[dt.datetime | None] = to_utc(pa.array(values, kind), "timestamp", timezone).to_pylist()
    return found


@pytest.mark.parametrize(
    "text",
    [
        "2013-03-04T10:15:00Z",
        "2013-03-04 10:15:00Z",
        "2013-03-04T10:15Z",
        "2013-03-04t10:15:00z",
        "2013-03-04 10:15:00+00:00",
        "2013-03-04T15:45:00+05:30",
        "2013-03-04T15:45:00+0530",
        "2013-03-04T05:15:00 -05:00",
        "2013-03-05 00:15:00+14",
        "2013-03-04 10:15:00 UTC",
        "2013-03-04T10:15:00.000Z",
        "2013-03-04T10:15:00.000000999Z",
    ],
)
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_the_usual_forms_of_text_mean_the_same_instant(text: str, kind: pa.DataType) -> None:
    """ISO 8601 text is read with T or blank, any offset, and any number of digits, alone or mixed."""
    assert [MOMENT] == read([text], kind=kind)
    assert [MOMENT, MOMENT] == read([text, "2013-03-04 10:15:00 +00:00"], kind=kind)


@pytest.mark.parametrize(
    "values",
    [
        pa.array([MOMENT], pa.timestamp("ns", "America/New_York")),
        pa.array([MOMENT], pa.timestamp("s", "UTC")),
        pa.array([1362392100]),
        pa.array([1362392100.0]),
        pa.array([1362392100], pa.uint32()),
    ],
    ids=lambda values: str(values.type),
)
def test_timestamps_of_any_unit_and_seconds_are_instants(values: pa.Array) -> None:
    """Timestamps keep their instant whatever their zone and unit; numbers are seconds since 1970."""
    assert [MOMENT] == to_utc(values, "timestamp", None).to_pylist()


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["2013-03-04 10:15:00"]),
        pa.array(["2013-03-04T10:15"]),
        pa.array([MOMENT.replace(tzinfo=None)], pa.timestamp("us")),
        pa.array(["2013-03-04T10:15:00", "2013-03-04T10:15:00Z"]),
    ],
    ids=lambda values: str(values.type),
)
def test_a_time_without_zone_is_utc_only_where_the_config_says_so(values: pa.Array) -> None:
    """Without data.timezone it is an error that says what to write there, and how many rows it concerns."""
    assert {MOMENT} == set(to_utc(values, "timestamp", "UTC").to_pylist())
    with pytest.raises(DataError) as caught:
        to_utc(values, "timestamp", None)
    assert f"1 of {len(values)} times in column 'timestamp' have no time zone." == caught.value.what
    assert 'timezone = "UTC"' in caught.value.fix


def test_dates_are_midnights() -> None:
    """A date means its first instant."""
    assert [dt.datetime(2013, 3, 4, tzinfo=UTC)] == read([dt.date(2013, 3, 4)], "UTC")
    assert [dt.datetime(2013, 3, 4, tzinfo=UTC)] == read(["2013-03-04"], "UTC")


def test_null_and_empty_text_stay_null() -> None:
    """Where there is no time there is none; that is the caller's to judge."""
    assert [None, None, MOMENT] == read([None, "", "2013-03-04T10:15:00Z"])
    assert [None] == read([None])
    assert [None, None] == read([None, float("nan")], kind=pa.float64())


@pytest.mark.parametrize(
    "values",
    [
        ["secret"],
        ["2013-03-04T10:15:00Z", "secret 2013-03-04"],
        ["2013-02-30T00:00:00Z"],
        ["2013/03/04"],
        ["20130304T101500Z"],
        [" 2013-03-04T10:15:00Z"],
        [1362392100000],
        [float("inf")],
        [True],
        [b"secret"],
    ],
    ids=repr,
)
def test_what_is_no_time_is_an_error_without_the_value_in_it(values: list[object]) -> None:
    """Other text, days that do not exist, milliseconds and other types are refused, and no value is quoted."""
    with pytest.raises(DataError, match="'timestamp'") as caught:
        read(values, "UTC")
    assert "secret" not in str(caught.value)
    assert caught.value.fix


def test_an_overflowing_timestamp_is_refused() -> None:
    """Seconds that do not fit into microseconds do not turn into another time."""
    with pytest.raises(DataError):
        to_utc(pa.array([2**62], pa.timestamp("s", "UTC")), "timestamp", None)


@given(
    moment=st.datetimes(dt.datetime(1970, 1, 3), dt.datetime(2100, 1, 1)),  # noqa: DTZ001 - the zone is drawn too
    offset=st.integers(-14 * 60, 14 * 60),
    separator=st.sampled_from("T "),
    start=st.datetimes(dt.datetime(1970, 1, 3), dt.datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    length=st.timedeltas(dt.timedelta(0), dt.timedelta(days=40)),
)
@settings(max_examples=300, deadline=None)
def test_comparing_text_loses_no_row(
    moment: dt.datetime, offset: int, separator: str, start: dt.datetime, length: dt.timedelta
) -> None:
    """Whatever its offset and separator, a time inside [start, end) is written between the two ends for text."""
    written = moment.replace(tzinfo=dt.timezone(dt.timedelta(minutes=offset)))
    for begin, end in ((start, start + length), (written.astimezone(UTC), written.astimezone(UTC) + length)):
        low, high = text_range(begin, end)
        text = written.isoformat(separator)

        assert [written.astimezone(UTC)] == read([text])
        assert high is not None
        assert low <= text < high or not begin <= written < end


def test_ends_of_time_are_open() -> None:
    """A range that starts in the year 1 or ends in 9999 is open there."""
    assert ("", None) == text_range(dt.datetime.min.replace(tzinfo=UTC), dt.datetime.max.replace(tzinfo=UTC))
    assert ("2013-03-03", None) == text_range(MOMENT, None)


def test_select_takes_the_start_and_not_the_end() -> None:
    """Ranges are half open, and rows without a time are an error."""
    second = dt.timedelta(seconds=1)
    batch = pa.record_batch(
        {"timestamp": pa.array([MOMENT - second, MOMENT, MOMENT + second], pa.timestamp("us", "UTC"))}
    )

    assert [MOMENT] == select(batch, "timestamp", MOMENT, MOMENT + second).column(0).to_pylist()
    assert [MOMENT, MOMENT + second] == select(batch, "timestamp", MOMENT, None).column(0).to_pylist()
    with pytest.raises(DataError, match="2 rows without a time"):
        select(pa.record_batch({"timestamp": pa.nulls(2, pa.timestamp("us", "UTC"))}), "timestamp", MOMENT, None)


@pytest.mark.parametrize(
    ("values", "form", "fix"),
    [
        (pa.array([1_362_358_800_000]), "milliseconds since 1970, such as 1706695200000", "Write seconds"),
        (pa.array([1_362_358_800_000.5]), "milliseconds since 1970", "Write seconds"),
        (pa.array([1_362_358_800_000_000]), "microseconds since 1970", "Write seconds"),
        (pa.array([1_362_358_800_000_000_000]), "nanoseconds since 1970", "Write seconds"),
        (pa.array([20130304, 20130305]), "dates written as numbers, such as 20240131", "2024-01-31"),
        (pa.array([20130304.0, None]), "dates written as numbers", "2024-01-31"),
        (pa.array(["2013/03/04"]), "such as 2024/01/31", "2024-01-31"),
        (pa.array(["20130304"]), "such as 20240131", "2024-01-31"),
        (pa.array(["2013.03.04 10:00"]), "such as 2024.01.31", "2024-01-31"),
        (pa.array(["20130304T101500Z"]), "such as 20240131T100000Z", "2024-01-31T10:00:00Z"),
        (pa.array(["04.03.2013"]), "such as 31/01/2024", "day and month could be exchanged"),
        (pa.array(["3/4/13 10:00"]), "such as 31/01/2024", "day and month could be exchanged"),
        (pa.array(["1362358800"]), "such as 1706695200 as text", "numbers in a column of numbers"),
        (pa.array(["4 Mar 2013"]), "such as 31 Jan 2024", "2024-01-31T10:00:00Z"),
        (pa.array(["secret"]), "cannot be read as a time.", "Fix the feed"),
    ],
)
def test_other_forms_of_time_are_named(values: pa.Array, form: str, fix: str) -> None:
    """The error shows the form with a date of its own, never the value of a row, and the nearest form that works."""
    with pytest.raises(DataError) as caught:
        to_utc(values, "when", "UTC")
    assert form in caught.value.what
    assert fix in caught.value.fix
    assert not re.search("1362358800|20130304|2013/|secret", str(caught.value))


def test_seconds_near_a_date_written_as_a_number_are_times() -> None:
    """Numbers of August 1970 are seconds if they cannot be dates."""
    (moment,) = to_utc(pa.array([20130299]), "when", None).to_pylist()
    assert (1970, 8) == (moment.year, moment.month)
