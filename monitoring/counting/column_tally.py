"""Compact JSON for the days of a table: one array for each column over all days instead of one for each day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from core.records import Record
from monitoring.counting.counts import MOST_CELLS, Counts


class ColumnTally(Record):
    """One column on one day: rows by cell of its axis, number of finite values outside its range, Arrow types."""

    counts: Counts
    outside: int
    types: tuple[str, ...]

    def __add__(self, other: ColumnTally) -> ColumnTally:
        return ColumnTally(
            counts=self.counts + other.counts,
            outside=self.outside + other.outside,
            types=tuple(sorted({*self.types, *other.types})),
        )


class Joined(Record):
    """One column on all days that have it: the positions of these days, and the fields of `ColumnTally` for each."""

    days: tuple[Annotated[int, Field(ge=0)], ...]
    counts: Counts
    outside: tuple[int, ...]
    types: tuple[tuple[str, ...], ...]


class JoinedInJson:
    """Annotation for days, records with `columns: dict[str, ColumnTally]`, that changes their JSON.

    `{"days": the days without their columns, "columns": {name: Joined}}`. A column with other cells on some days
    stays in the days. A plain list of days, as written by older releases, can be read too.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema that reads and writes days."""
        days = handler(source)
        columns = core_schema.dict_schema(core_schema.str_schema(), handler.generate_schema(Joined))
        joined = core_schema.typed_dict_schema(
            {"days": core_schema.typed_dict_field(days), "columns": core_schema.typed_dict_field(columns)},
            extra_behavior="forbid",
        )
        forms = {"joined": core_schema.no_info_after_validator_function(_parted, joined), "list": days}
        return core_schema.json_or_python_schema(
            json_schema=core_schema.tagged_union_schema(forms, _form),
            python_schema=days,
            serialization=core_schema.wrap_serializer_function_ser_schema(_joined, schema=days, when_used="json"),
        )


def _form(value: Any) -> str:
    return "joined" if isinstance(value, dict) else "list"


def _joined(days: Sequence[Any], written: Callable[[Any], Any]) -> dict[str, Any]:
    """Return days as written in JSON."""
    by_name: dict[str, list[tuple[int, ColumnTally]]] = {}
    for place, day in enumerate(days):
        for name, part in day.columns.items():
            by_name.setdefault(name, []).append((place, part))
    columns = {name: _column(parts) for name, parts in by_name.items() if _alike([part.counts for _, part in parts])}
    rest = [{name: part for name, part in day.columns.items() if name not in columns} for day in days]
    bare = tuple(day.model_copy(update={"columns": parts}) for day, parts in zip(days, rest, strict=True))
    return {"days": written(bare), "columns": columns}


def _alike(counts: Sequence[Counts]) -> bool:
    shape = counts[0].array.shape
    return all(tally.array.shape == shape for tally in counts) and len(counts) * counts[0].array.size <= MOST_CELLS


def _column(parts: Sequence[tuple[int, ColumnTally]]) -> Joined:
    return Joined(
        days=tuple(place for place, _ in parts),
        counts=Counts([part.counts.array for _, part in parts]),
        outside=tuple(part.outside for _, part in parts),
        types=tuple(part.types for _, part in parts),
    )


def _parted(read: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the days from JSON."""
    columns = [dict(day.columns) for day in read["days"]]
    for name, part in read["columns"].items():
        for place, counts, outside, types in zip(part.days, part.counts.rows(), part.outside, part.types, strict=True):
            if place >= len(columns) or name in columns[place]:
                raise ValueError(f"column {name!r} has a day twice, or one that is not there")
            columns[place][name] = ColumnTally(counts=counts, outside=outside, types=types)
    return tuple(day.model_copy(update={"columns": own}) for day, own in zip(read["days"], columns, strict=True))
