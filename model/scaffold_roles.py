"""Make sure of the id: a column that tells rows apart, named by the user or found."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import DataError
from core.policy import is_name
from model.scaffold_columns import ID, counts_on, is_time, unique
from model.scaffold_sample import Column, Sample


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
    if not is_name(column.name) or not unique(column) or any(map(is_time, column.kinds)):
        return False
    return not column.numeric or (column.whole and bool(ID.search(column.name) or counts_on(column)))
