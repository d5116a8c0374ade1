"""Conversion of the times in a table, whatever their form, into instants in UTC; ambiguous times are errors."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import arrays
from core.days import DAY
from core.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


INSTANT = pa.timestamp("us", "UTC")
LAST_SECOND = 253_402_300_799  # the end of the year 9999
FIRST = dt.datetime.min.replace(tzinfo=dt.UTC)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
MICROSECONDS_A_DAY = 86_400_000_000
NEVER = np.iinfo(np.int64).max
FIRST_DATE, LAST_DATE = 19_000_101, 21_001_231
UNITS = {"milliseconds": LAST_SECOND * 1e3, "microseconds": LAST_SECOND * 1e6, "nanoseconds": 2.0**64}
EXAMPLES = {unit: f"1706695200{'0' * zeros}" for unit, zeros in zip(UNITS, (3, 6, 9), strict=True)}
FIX = "Fix the feed, or name the right column under data.columns in model.toml."
# Forms of text that are refused: a pattern, 10 o'clock on 31 January 2024 in this form, and what to write instead.
FORMS = (
    (r"\d{4}/\d", "2024/01/31", "Write 2024-01-31, with hyphens."),
    (r"\d{4}\.\d{2}\.\d", "2024.01.31", "Write 2024-01-31, with hyphens."),
    (r"\d{8}$", "20240131", "Write 2024-01-31, with hyphens."),
    (r"\d{8}T", "20240131T100000Z", "Write 2024-01-31T10:00:00Z, with hyphens and colons."),
    (r"\d{4}-\d{1,2}-\d{1,2}\b", "2024-1-31 or 2024-01-31 10h", "Write 2024-01-31 or 2024-01-31T10:00:00Z."),
    (r"\d{1,2}[./-]\d{1,2}[./-]\d", "31/01/2024", "Write 2024-01-31: day and month could be exchanged."),
    (r"[+-]?\d+(\.\d*)?$", "1706695200 as text", "Write 2024-01-31T10:00:00Z, or numbers in a column of numbers."),
    (r"[A-Za-z]{3,}\.? \d|\d{1,2}[ -][A-Za-z]{3}", "31 Jan 2024", "Write 2024-01-31T10:00:00Z."),
)
ISO = (
    r"^(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[Tt ](?P<time>\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?\s*$"
)


def to_utc(values: pa.Array, name: str, timezone: str | None) -> pa.Array:
    """Return times as timestamp("us", "UTC"), null where null or empty text.

    Args:
        values: timestamps, dates, seconds since 1970, or ISO 8601 text with "T" or a space, in mixed forms.
        name: the column, for messages.
        timezone: "UTC" if times without a zone are in UTC; None if they are an error.

    Raises:
        DataError: not times, without a zone, or out of range. The message has no value of a row.
    """
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(values, name, timezone)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _from_seconds(values, name)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_null(kind):
        if getattr(kind, "tz", None) is None:
            _refuse_naive(len(values) - values.null_count, values, name, timezone)
        return _from_timestamps(values, name)
    raise DataError(
        f"Column {name!r} of type {kind} does not hold times.",
        why="The feed changed, or model.toml names a wrong column.",
        fix=FIX,
    )


def _from_timestamps(values: pa.Array, name: str) -> pa.Array:
    if values.type == INSTANT:
        return values
    finer = getattr(values.type, "unit", "") == "ns"  # loses digits; coarser units may overflow instead
    try:
        return pc.cast(pc.cast(values, pa.timestamp("us", getattr(values.type, "tz", None)), safe=not finer), INSTANT)
    except pa.ArrowInvalid:
        raise unreadable(name, None) from None


def _from_seconds(values: pa.Array, name: str) -> pa.Array:
    """Return seconds since 1970, whole or not, as instants; refuse other units, and dates written as numbers."""
    floats = pc.cast(values, pa.float64(), safe=False)
    floats = pc.if_else(pc.is_nan(floats), None, floats)
    widest = pc.max(pc.abs(floats)).as_py()
    if widest is not None and widest > LAST_SECOND:
        unit = next((unit for unit, most in UNITS.items() if widest <= most), "numbers that are too large")
        raise DataError(
            f"Column {name!r} holds {unit} since 1970, such as {EXAMPLES.get(unit, 'numbers with 20 digits')}.",
            why="Numbers are read as seconds since 1970; as seconds, these are after the year 9999.",
            fix="Write seconds, such as 1706695200 or 1706695200.25, or ISO 8601 text such as 2024-01-31T10:00:00Z.",
        )
    if _are_dates(floats):
        raise DataError(
            f"Column {name!r} holds dates written as numbers, such as 20240131.",
            why="Numbers are read as seconds since 1970; as seconds, these are all of August 1970.",
            fix="Write them as text: 2024-01-31.",
        )
    if pa.types.is_integer(values.type):
        micros = pc.multiply(pc.cast(values, pa.int64()), 1_000_000)
    else:
        micros = pc.cast(pc.round(pc.multiply(floats, 1e6)), pa.int64())
    return pc.cast(micros, INSTANT)


def _are_dates(numbers: pa.Array) -> bool:
    """Return whether all numbers are dates from 1900 to 2100 written as YYYYMMDD."""
    ends = [end.as_py() for end in pc.min_max(numbers).values()]
    if None in ends or not FIRST_DATE <= ends[0] <= ends[1] <= LAST_DATE:
        return False
    values = arrays.view(pc.drop_null(numbers), np.float64)
    month, day = values // 100 % 100, values % 100
    return bool(((values == np.floor(values)) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all())  # noqa: PLR2004 - of a date


def _from_text(values: pa.Array, name: str, timezone: str | None) -> pa.Array:
    """Return instants from ISO 8601 text. Arrow reads the usual forms itself, and rejects text without a zone."""
    try:
        return pc.cast(values, INSTANT)
    except pa.ArrowInvalid:
        pass
    text = pc.cast(values, pa.string())
    text = pc.if_else(pc.equal(pc.utf8_trim_whitespace(text), ""), None, text)
    parts = pc.extract_regex(text, ISO)
    unread = text.filter(pc.and_(pc.is_null(parts), pc.is_valid(text)))
    if len(unread):
        raise unreadable(name, len(unread), len(values), example=unread[0].as_py())
    date, time, zone = (pc.struct_field(parts, field) for field in ("date", "time", "zone"))
    _refuse_naive(pc.sum(pc.equal(zone, "")).as_py() or 0, values, name, timezone)
    zone = pc.if_else(pc.match_substring_regex(zone, "^[+-]"), zone, "Z")
    time = pc.if_else(pc.equal(time, ""), "00:00", pc.replace_substring_regex(time, r"(\.\d{6})\d+", r"\1"))
    try:
        return pc.cast(pc.binary_join_element_wise(pc.binary_join_element_wise(date, time, "T"), zone, ""), INSTANT)
    except pa.ArrowInvalid:
        raise unreadable(name, None) from None


def _refuse_naive(naive: int, values: pa.Array, name: str, timezone: str | None) -> None:
    if naive and timezone is None:
        raise DataError(
            f"{naive:,} of {len(values):,} times in column {name!r} have no time zone.",
            why="Without a time zone the day of a row is ambiguous.",
            fix='If they are UTC, add timezone = "UTC" under [data] in model.toml; else write times with an offset.',
        )


def unreadable(name: str, unread: int | None, rows: int | None = None, example: str = "") -> DataError:
    """Return the error for values that are not times; `unread` is None if they were not counted.

    Of `example`, one of these values, only the form is shown.
    """
    of_all = "" if rows is None else f" of {rows:,}"
    count = "A value" if unread is None else f"{unread:,}{of_all} value{'s' if (rows or unread) != 1 else ''}"
    shown, fix = next(((f", such as {shown}", fix) for form, shown, fix in FORMS if re.match(form, example)), ("", FIX))
    return DataError(
        f"{count} in column {name!r} cannot be read as a time{shown}.",
        why="Times are ISO 8601 text such as 2013-03-04T10:15:00Z, timestamps, or seconds since 1970.",
        fix=fix,
    )


def text_range(start: dt.datetime, end: dt.datetime | None) -> tuple[str, str | None]:
    """Return ISO dates between which all texts for instants in [start, end) sort, whatever their zone and separator.

    An offset moves the written date by at most one day, so the range is wider by a day on either side.
    """
    try:
        low = (start.date() - DAY).isoformat()
    except OverflowError:
        low = ""
    try:
        return low, None if end is None else (end.date() + 2 * DAY).isoformat()
    except OverflowError:
        return low, None


def select(batch: pa.RecordBatch, time: str, start: dt.datetime, end: dt.datetime | None) -> pa.RecordBatch:
    """Return the rows with start <= time < end.

    Raises:
        DataError: a row has no time.
    """
    times = batch.column(time)
    if times.null_count:
        raise no_time(time, times.null_count)
    instants = arrays.view(times, np.int64)
    first, last = micros(start), NEVER if end is None else micros(end) - 1
    if not len(instants) or (instants.min() >= first and instants.max() <= last):
        return batch
    return batch.take(arrays.int_array(np.flatnonzero((instants >= first) & (instants <= last))))


def micros(moment: dt.datetime) -> int:
    """Return microseconds since 1970, as arrays of INSTANT store them."""
    return (moment - EPOCH) // MICROSECOND


def moments(values: pa.Array, name: str) -> list[dt.datetime | None]:
    """Return instants as Python objects.

    Raises:
        DataError: an instant is before the year 1 or after the year 9999.
    """
    try:
        instants: list[dt.datetime | None] = values.to_pylist()
    except (ValueError, OverflowError):
        raise unreadable(name, None) from None
    return instants


def newest(batches: Iterable[pa.RecordBatch], name: str) -> dt.datetime | None:
    """Return the newest time in batches; None if there are no rows. Errors as in `moments`."""
    ends = [pc.max(batch.column(name)).value for batch in batches if batch.num_rows]
    return moments(pa.array([max(ends)], INSTANT), name)[0] if ends else None


def no_time(name: str, rows: int) -> DataError:
    """Return the error for rows whose time is null."""
    return DataError(
        f"{rows:,} row{'s' if rows != 1 else ''} without a time in column {name!r}.",
        why="Without a time the day of a row is unknown.",
        fix=f"Fill in {name!r} or delete these rows, then run the nightly job again.",
    )
