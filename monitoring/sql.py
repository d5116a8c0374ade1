"""Say in SQL which rows and columns are wanted, so that the database sends no others."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa

from core.config import Data
from core.errors import DataError
from monitoring import arrays, times
from monitoring.drivers import Driver

Bound = dt.datetime | int | float | str
DATE = "____-__-__%"  # how text starts that sorts among ISO dates


@dataclass(frozen=True)
class Range:
    """A condition on the time column, and the values of its parameters, all of the Arrow type `kind`."""

    where: str
    bounds: tuple[Bound, ...]
    kind: pa.DataType

    def row(self) -> pa.RecordBatch:
        """The parameters as the one row that ADBC binds."""
        arrays_ = [pa.array([bound], self.kind) for bound in self.bounds]
        return pa.record_batch(arrays_, names=[f"p{number}" for number in range(len(arrays_))])


def quoted(name: str, driver: Driver) -> str:
    """A name of a column."""
    return f"{driver.quote}{name.replace(driver.quote, driver.quote * 2)}{driver.quote}"


def table_name(name: str, driver: Driver) -> str:
    """A name of a table, its schema before a dot."""
    return ".".join(quoted(part, driver) for part in name.split("."))


def type_name(field: pa.Field) -> str:
    """The type of a column in the words of the database, where it told them."""
    told = (field.metadata or {}).get(b"POSTGRESQL:type")
    return told.decode() if told else str(field.type)


def value(field: pa.Field, data: Data, driver: Driver) -> str:
    """What to select for a column: numbers, text and times as they are, numerics as float64, uuids as text.

    Raises:
        DataError: its type is none of these.
    """
    name, kind = quoted(field.name, driver), field.type
    if _is_numeric(kind):
        # Their digits would come as text, and text is never read as a number.
        numbers = {*data.numeric, *(role for role in _numbers(data) if role)}
        return f"CAST({name} AS {'DOUBLE PRECISION' if field.name in numbers else driver.text})"
    if getattr(kind, "extension_name", "") == "arrow.uuid":
        return f"CAST({name} AS {driver.text})"
    types = pa.types
    plain = types.is_timestamp, types.is_date, types.is_string, types.is_large_string, types.is_dictionary
    if arrays.is_number(kind) or any(check(kind) for check in plain):
        return name
    raise DataError(
        f"Column {field.name!r} is {type_name(field)}, which is no number, text or time.",
        why="Values with parts inside, and bytes, cannot be counted.",
        fix="Write the part that you mean into a column of its own, perhaps by a view, and name that in model.toml.",
    )


def _numbers(data: Data) -> tuple[str | None, ...]:
    columns = data.columns
    return columns.score, columns.label, columns.time, columns.labelled_at


def _is_numeric(kind: pa.DataType) -> bool:
    """Whether it is PostgreSQL's numeric, which Arrow has no type for."""
    return getattr(kind, "extension_name", "") == "arrow.opaque" and kind.type_name == "numeric"


def select(fields: Collection[pa.Field], table: str, where: str, data: Data, driver: Driver) -> str:
    """The statement for some columns of some rows."""
    listed = ", ".join(f"{value(field, data, driver)} AS {quoted(field.name, driver)}" for field in fields)
    return f"SELECT {listed} FROM {table_name(table, driver)} WHERE {where}"  # noqa: S608 - all names are quoted


def time_range(field: pa.Field, start: dt.datetime, end: dt.datetime | None, driver: Driver) -> Range:
    """The condition that finds all rows with start <= time < end (and of times that are text, a day around them).

    Raises:
        DataError: such a column can hold no times.
    """
    ends: Sequence[dt.datetime] = [start] if end is None else [start, end]
    types, kind = pa.types, field.type
    name = quoted(field.name, driver)
    bounds: list[Bound]
    if is_text(field):
        name += driver.bytewise
        low, high = times.text_range(start, end)
        bounds = [low] if high is None else [low, high]
        return Range(_between(name, len(bounds), driver, driver.text), tuple(bounds), pa.string())
    if types.is_integer(kind):
        # Bounds of the column's own type, so that an index can be used.
        bounds = [math.ceil(moment.timestamp()) for moment in ends]
        return Range(_between(name, len(bounds), driver, "BIGINT"), tuple(bounds), pa.int64())
    if types.is_floating(kind) or types.is_decimal(kind) or _is_numeric(kind):
        bounds = [moment.timestamp() for moment in ends]
        exact = "NUMERIC" if _is_numeric(kind) else "DOUBLE PRECISION"
        return Range(_between(name, len(bounds), driver, exact), tuple(bounds), pa.float64())
    times.to_utc(pa.array([], kind), field.name, None)  # refuses what is no time
    if getattr(kind, "tz", None):
        return Range(_between(name, len(ends), driver, "TIMESTAMPTZ"), tuple(ends), times.INSTANT)
    bounds = [moment.astimezone(dt.UTC).replace(tzinfo=None) for moment in ends]
    return Range(_between(name, len(bounds), driver, "TIMESTAMP"), tuple(bounds), pa.timestamp("us"))


def odd_times(field: pa.Field, driver: Driver) -> str | None:
    """A condition for values beside null that lie in no range of times: text in another form, milliseconds."""
    name = quoted(field.name, driver)
    if is_text(field):
        return f"{name} NOT LIKE '{DATE}'"
    if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
        return None
    return f"{name} > {times.LAST_SECOND}"


def is_text(field: pa.Field) -> bool:
    """Whether a column holds text."""
    return bool(pa.types.is_string(field.type) or pa.types.is_large_string(field.type))


def _between(name: str, bounds: int, driver: Driver, kind: str) -> str:
    places = [f"CAST(current_setting('mlops.p{n}') AS {kind})" if driver.settings else "?" for n in range(bounds)]
    return " AND ".join(f"{name} {sign} {place}" for sign, place in zip((">=", "<"), places, strict=False))
