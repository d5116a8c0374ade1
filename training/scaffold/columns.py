"""Say what each column of a new table is: a number, a category, or nothing that a model should see, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import spelling, times
from core.config import is_name
from core.errors import DataError, UsageError
from training.scaffold.leaks import leak
from training.scaffold.sample import Column, Ints, Sample

Kind = Literal["numeric", "categorical", "left out"]
FEW = 12  # different numbers that may be codes: months, ratings, classes
CODES = 1000  # different numbers that may be codes where the name says so
CODED = re.compile(r"(^|[ _.-])(id|code|type|class|category|group|zip|postcode|kind)$", re.IGNORECASE)
ID = re.compile(r"(^|[ _.-])(id|key|uuid|guid|number|no)$|ID$", re.IGNORECASE)
MOST_MISSING = 0.7
MANY = 0.5  # of the texts are different
NEW = 0.3  # of the later rows have a text that the earlier ones do not
IN_STEP = 0.95  # rank correlation with the time
LARGE = 10**8


@dataclass(frozen=True)
class ColumnChoice:
    """What a column is taken as, and the number that led to it; `moving`: its later values are other ones."""

    name: str
    kind: Kind
    why: str
    moving: bool = False


def judge(sample: Sample, names: Sequence[str], keep: Sequence[str] = ()) -> list[ColumnChoice]:
    """What each of these columns is, in their order; those to `keep` are features, whatever they look like.

    Raises:
        UsageError: one of them can be none.
    """
    return [_judge(sample.column(name), sample, keep=name in keep) for name in names]


def _judge(column: Column, sample: Sample, *, keep: bool) -> ColumnChoice:
    barred = next(_bars(column), None)
    if barred is not None and keep:
        raise UsageError(f"--keep {column.name!r} is impossible: {barred}.", fix="Leave it out, or fix the table.")
    reason = barred or next(_doubts(column, sample), None)
    if reason is not None and not keep:
        return ColumnChoice(column.name, "left out", reason)
    kind, why = _kind(column)
    if reason is None:
        return ColumnChoice(column.name, kind, why)
    moving = reason in _identities(column, sample)
    return ColumnChoice(column.name, kind, f"kept by --keep, although {reason}", moving)


def _kind(column: Column) -> tuple[Kind, str]:
    """What a feature is taken as, and why."""
    said = f"{column.different:,} different values"
    if not column.numeric:
        return "categorical", f"text, {said}"
    if pa.types.is_boolean(column.kinds[0]):
        return "categorical", "true or false"
    if column.different <= FEW and column.known >= 10 * column.different:
        return "categorical", f"few numbers: {said}"
    codes = column.whole and CODED.search(column.name) and column.different <= CODES
    if codes and column.known >= 20 * column.different:
        return "categorical", f"whole numbers that are codes by their name, {said}"
    return "numeric", said


def _bars(column: Column) -> Iterator[str]:
    """Why a column can be no feature; the first reason counts."""
    if column.levels is None:
        yield f"its type {', '.join(map(str, column.kinds))} is not a number, text or time: write the parts"
        return
    if not is_name(column.name):
        yield "its name has characters that model.toml does not allow: rename it"
    if not column.known:
        yield "it is missing in every row"
    if any(map(is_time, column.kinds)) or _dates(column):
        yield "it is a date: write what you mean by it, such as an age in days or the weekday, as a number or text"


def _doubts(column: Column, sample: Sample) -> Iterator[str]:
    """Why a column had better be none; the first reason counts."""
    if column.different == 1 and column.missing < 0.01:  # noqa: PLR2004 - else that it is missing says something
        yield "it has one value only"
    if column.missing > MOST_MISSING:
        yield f"it is missing in {column.missing:.0%} of the rows: a limit that allows this would let anything pass"
    yield from _identities(column, sample)
    known, labels = column.codes >= 0, sample.labels
    reason = leak(column.codes, column.levels if column.numeric else None, sample.times, labels, sample.task)
    if reason:
        yield reason
    unlabelled = np.isnan(labels)
    if unlabelled.sum() >= 20 and known[~unlabelled].mean() > 0.9 and known[unlabelled].mean() < 0.01:  # noqa: PLR2004
        yield "it is missing just where the target is: it is known no earlier"


def _identities(column: Column, sample: Sample) -> Iterator[str]:
    """Reasons of columns that name a row or count on, which no later row repeats."""
    if column.numeric:
        if unique(column) and (ID.search(column.name) or counts_on(column)):
            yield "it is an id: every value is different"
        elif column.different > FEW and abs(step(column, sample.times)) > IN_STEP:
            yield f"it moves with the time (rank correlation {step(column, sample.times):.2f}): later rows are all new"
        return
    share, new = column.different / column.known, new_share(column, sample.times)
    if 20 * column.different > column.known and _share(column, spelling.FLOAT) > MANY:  # else they may be codes
        yield "its numbers are written as text, or mixed with text: write numbers, and null where one is missing"
    elif unique(column):
        yield "it is an id: every value is different"
    elif share > MANY and column.different > FEW:
        yield f"{share:.0%} of its texts are different: nothing could be learned from a value"
    elif new > NEW:
        yield f"{new:.0%} of the latest rows have a text that no earlier row has: it is closer to an id"


def unique(column: Column) -> bool:
    """Whether every row has a value of its own."""
    return column.known == len(column.codes) == column.different and column.different > FEW


def counts_on(column: Column) -> bool:
    """Whether whole numbers lie as close as a running number's, or are larger than what is measured."""
    if not column.whole or column.levels is None:
        return False
    return bool(column.levels[-1] - column.levels[0] < 2 * column.different or column.levels[0] >= LARGE)


def step(column: Column, moments: Ints) -> float:
    """The rank correlation of numbers with the time."""
    known = column.codes >= 0
    mine, its = (np.unique(values[known], return_inverse=True)[1].astype(float) for values in (column.codes, moments))
    if len(mine) < 3 or not np.ptp(mine) or not np.ptp(its):  # noqa: PLR2004 - two points are always in step
        return 0.0
    return float(np.corrcoef(mine, its)[0, 1])


def new_share(column: Column, moments: Ints) -> float:
    """The share of the latest fifth of the rows whose value none of the earlier ones has."""
    order = np.argsort(moments, kind="stable")
    codes = column.codes[order]
    cut = len(codes) * 4 // 5
    later = codes[cut:][codes[cut:] >= 0]
    return float((~np.isin(later, codes[:cut])).mean()) if len(later) else 0.0


def is_time(kind: pa.DataType) -> bool:
    """Whether values of this type are dates, times or spans of time."""
    return bool(pa.types.is_temporal(kind))


def _dates(column: Column) -> bool:
    """Whether texts are dates, but for a few."""
    return not column.numeric and _share(column, times.ISO) > 0.9  # noqa: PLR2004


def _share(column: Column, pattern: str) -> float:
    """Of the first different texts, the share that has this form."""
    some = pa.array([] if column.levels is None else column.levels[:1000].tolist(), pa.large_string())
    return float(pc.mean(pc.cast(pc.match_substring_regex(some, pattern), pa.float64())).as_py() or 0.0)


def by_kind(judged: Sequence[ColumnChoice]) -> Mapping[Kind, list[str]]:
    """The names of each kind."""
    kinds: tuple[Kind, ...] = ("numeric", "categorical", "left out")
    return {kind: [one.name for one in judged if one.kind == kind] for kind in kinds}


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
