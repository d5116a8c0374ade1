"""Make sure of the columns that are no features: a target of 0 and 1, and an id in every row."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import DataError
from core.policy import NAME
from model.scaffold_columns import ID, counts_on, is_time, unique
from model.scaffold_sample import Column, Sample

SHOWN = 4  # values of a target


def require_binary(target: Column) -> None:
    """Make sure that a target has the values 0 and 1, or false and true, and null where it is not known.

    Raises:
        DataError: it has others; with what was found and what to do.
    """
    levels = [] if target.levels is None else list(target.levels)
    if levels == [0, 1]:
        return
    some = ", ".join(f"{level:g}" if target.numeric else repr(level)[:40] for level in levels[:SHOWN])
    more = f" and {len(levels) - SHOWN} more" if len(levels) > SHOWN else ""
    raise DataError(
        f"The target {target.name!r} has {len(levels)} different value{'s' if len(levels) != 1 else ''}"
        + (f": {some}{more}." if levels else "."),
        why=_why(target),
        fix="Write 0 and 1 into the column (null where it is not known yet): which value becomes 1 is your choice, it "
        "is what the model foresees."
        if len(levels) != 1
        else "Name another target, or wait until both values have occurred.",
    )


def _why(target: Column) -> str:
    only = "Only targets of 0 and 1 are supported now (false and true are read as these)"
    if target.different < 2:  # noqa: PLR2004 - two classes
        return f"{only}; with one value there is nothing to tell apart."
    if target.different == 2:  # noqa: PLR2004
        return f"{only}; which of these two means 1 cannot be known."
    if target.numeric and not target.whole:
        return f"{only}, no regression."
    return f"{only}, no more than two classes."


def require_id(column: Column) -> None:
    """Make sure that the column that was named as id tells rows apart.

    Raises:
        DataError: it does not.
    """
    empty, twice = len(column.codes) - column.known, column.known - column.different
    if not empty and not twice:
        return
    raise DataError(
        f"The id {column.name!r} is missing in {empty:,} and repeated in {twice:,} of {len(column.codes):,} rows.",
        why="A label finds its row by the id, and a row that is delivered twice is known by it.",
        fix="Name another column with --id, or write one that is different in every row: docs/serving.md.",
    )


def find_id(sample: Sample, names: Sequence[str], shown: str) -> str:
    """The column that tells rows apart: by its name, else a text, else a number that counts on.

    Raises:
        DataError: there is none.
    """
    found = [column for column in map(sample.column, names) if _tells_apart(column)]
    if found:
        return min(found, key=lambda one: (not ID.search(one.name), one.numeric)).name
    raise DataError(
        f"No column of {shown} is an id: a text, or a running number, that is different in every row.",
        why="A label finds its row by the id, and a row that is delivered twice is known by it.",
        fix="Write one into the table (a running number will do), or name a column with --id: docs/serving.md.",
    )


def _tells_apart(column: Column) -> bool:
    if not NAME.fullmatch(column.name) or not unique(column) or any(map(is_time, column.kinds)):
        return False
    return not column.numeric or (column.whole and bool(ID.search(column.name) or counts_on(column)))
