"""Conversion of the times in a table, whatever their form, into instants in UTC; ambiguous times are errors."""

from __future__ import annotations

import datetime as dt
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
        fix="Fix the feed, or name the right column under data.columns in model.toml.",
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
    """Return instants from seconds since 1970, whole or not."""
    floats = pc.cast(values, pa.float64(), safe=False)
    floats = pc.if_else(pc.is_nan(floats), None, floats)
    widest = pc.max(pc.abs(floats)).as_py()
    if widest is not None and widest > LAST_SECOND:
        raise DataError(
            f"Column {name!r} holds numbers that cannot be seconds since 1970: they are after the year 9999.",
            why="They are probably milliseconds, or another unit.",
            fix="Write whole seconds, or ISO 8601 text such as 2013-03-04T10:15:00Z.",
        )
    if pa.types.is_integer(values.type):
        micros = pc.multiply(pc.cast(values, pa.int64()), 1_000_000)
    else:
        micros = pc.cast(pc.round(pc.multiply(floats, 1e6)), pa.int64())
    return pc.cast(micros, INSTANT)


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
        raise unreadable(name, len(unread), len(values))
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


def unreadable(name: str, unread: int | None, rows: int | None = None) -> DataError:
    """Return the error for values that are not times; `unread` is how many, None if they were not counted."""
    of_all = "" if rows is None else f" of {rows:,}"
    count = "A value" if unread is None else f"{unread:,}{of_all} value{'s' if (rows or unread) != 1 else ''}"
    return DataError(
        f"{count} in column {name!r} cannot be read as a time.",
        why="Times are ISO 8601 text such as 2013-03-04T10:15:00Z, timestamps, or seconds since 1970.",
        fix="Fix the feed, or name the right column under data.columns in model.toml.",
    )


def text_range(start: dt.datetime, end: dt.datetime | None) -> tuple[str, str | None]:
    """Return ISO dates between which all texts for instants in [start, end) sort, whatever their zone and separator.

    An offset moves the written date by at most one day, so comparing text with dates a day further out loses nothing.
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
