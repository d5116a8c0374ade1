"""What each column of a new table is taken as (a number, a category, or left out), with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import MICROSECONDS_A_DAY, spelling, times
from core.config import name_problem
from core.errors import DataError, UsageError
from training.scaffold.leaks import leak
from training.scaffold.sample import Column, Ints, Sample

Kind = Literal["numeric", "categorical", "left out"]
FEW = 12  # different numbers that may be codes: months, ratings, classes
CODES = 1000  # different numbers that may be codes if the name says so
CODED = re.compile(r"(^|[ _.-])(id|code|type|class|category|group|zip|postcode|kind)$", re.IGNORECASE)
ID = re.compile(r"(^|[ _.-])(id|key|uuid|guid|number|no)$|ID$", re.IGNORECASE)
OLD_PREDICTION = re.compile(r"(^|[ _.-])(preds?|predicted|predictions?|proba|yhat|y_hat)($|[ _.-])", re.IGNORECASE)
MOST_MISSING = 0.7
MANY = 0.5  # share of different texts
NEW = 0.3  # share of later rows with a text that no earlier row has
MOST_NEW_OF_DAY = 0.5  # share of the rows of one day with a value that the training window before it does not have
OF_DAY = 0.95  # share of a day's rows with that day's most frequent value, from which the date decides the value
IN_STEP = 0.95  # rank correlation with time
LARGE = 10**8
STEP = 100  # columns from one report to the next
Report = Callable[[str], None]


@dataclass(frozen=True)
class ColumnChoice:
    """What a column is taken as, and the reason. `moving`: its later values differ from its earlier ones."""

    name: str
    kind: Kind
    why: str
    moving: bool = False


def judge(
    sample: Sample, names: Sequence[str], keep: Sequence[str], window_days: int, report: Report
) -> list[ColumnChoice]:
    """Return what each of these columns is taken as; those in `keep` are features despite any doubt.

    Raises:
        UsageError: a column in `keep` cannot be a feature.
    """
    choices = []
    for number, name in enumerate(names):
        if number and not number % STEP:
            report(f"judged {number:,} of {len(names):,} columns")
        choices.append(_judge(sample.column(name), sample, keep=name in keep, window_days=window_days))
    return choices


def _judge(column: Column, sample: Sample, *, keep: bool, window_days: int) -> ColumnChoice:
    obstacle = next(_obstacles(column), None)
    if obstacle is not None and keep:
        raise UsageError(f"--keep {column.name!r} is impossible: {obstacle}.", fix="Leave it out, or fix the table.")
    reason = obstacle or next(_doubts(column, sample, window_days), None)
    if reason is not None and not keep:
        return ColumnChoice(column.name, "left out", reason)
    kind, why = _kind(column)
    if reason is None:
        return ColumnChoice(column.name, kind, why)
    moving = reason in (*_identities(column, sample), *_periodic(column, sample, window_days))
    return ColumnChoice(column.name, kind, f"kept by --keep, although {reason}", moving)


def _kind(column: Column) -> tuple[Kind, str]:
    """Return what a feature is taken as, and the reason."""
    values = f"{column.different:,} different values"
    if not column.numeric:
        return "categorical", f"text, {values}"
    if pa.types.is_boolean(column.types[0]):
        return "categorical", "true or false"
    if column.different <= FEW and column.known >= 10 * column.different:
        return "categorical", f"few numbers: {values}"
    codes = column.whole and CODED.search(column.name) and column.different <= CODES
    if codes and column.known >= 20 * column.different:
        return "categorical", f"whole numbers that are codes by their name, {values}"
    return "numeric", values


def _obstacles(column: Column) -> Iterator[str]:
    """Yield the reasons why a column cannot be a feature; the first one is shown."""
    if column.levels is None:
        types = ", ".join(map(str, column.types))
        yield f"its type {types} is not a number, text or time: write the parts that you need into columns"
        return
    problem = name_problem(column.name)
    if problem:
        yield f"its name is not valid in model.toml: {problem}. Rename it"
    if not column.known:
        yield "it is missing in every row"
    if any(map(is_time, column.types)) or _dates(column):
        yield "it is a date: write what matters of it, such as an age in days or the weekday, as a number or text"


def _doubts(column: Column, sample: Sample, window_days: int) -> Iterator[str]:
    """Yield the reasons why a column should not be a feature; the first one is shown."""
    if column.different == 1 and column.missing < 0.01:  # noqa: PLR2004 - else a missing value has information
        yield "it has only one value"
    if column.missing > MOST_MISSING:
        yield f"it is missing in {column.missing:.0%} of the rows: a limit that allows this would not stop anything"
    if OLD_PREDICTION.search(column.name):
        yield (
            "its name says that it is a prediction of an older model. If it is the score of the model in service, name "
            "it with --score"
        )
    yield from _periodic(column, sample, window_days)
    yield from _identities(column, sample)
    known, labels = column.codes >= 0, sample.labels
    problem = leak(column.codes, column.levels if column.numeric else None, sample.times, labels, sample.task)
    if problem:
        yield problem
    unlabelled = np.isnan(labels)
    if unlabelled.sum() >= 20 and known[~unlabelled].mean() > 0.9 and known[unlabelled].mean() < 0.01:  # noqa: PLR2004
        yield "it is missing exactly where the target is: it becomes known together with the target"


def _identities(column: Column, sample: Sample) -> Iterator[str]:
    """Yield the reasons of columns that identify rows or count up: no later row repeats their values."""
    if column.numeric:
        if unique(column) and (ID.search(column.name) or counts_up(column)):
            yield "it is an id: every value is different"
        elif column.different > FEW and abs(step(column, sample.times)) > IN_STEP:
            yield f"it moves with time (rank correlation {step(column, sample.times):.2f}): later values are all new"
        return
    share, new = column.different / max(column.known, 1), new_share(column, sample.times)
    if 20 * column.different > column.known and _share(column, spelling.FLOAT) > MANY:  # else they may be codes
        yield "its numbers are written as text, or mixed with text: write numbers, and null if one is missing"
    elif unique(column):
        yield "it is an id: every value is different"
    elif share > MANY and column.different > FEW:
        yield f"{share:.0%} of its texts are different: nothing can be learned from a value"
    elif new > NEW:
        yield f"{new:.0%} of the latest rows have a text that no earlier row has: it is similar to an id"


def _periodic(column: Column, sample: Sample, window_days: int) -> Iterator[str]:
    """Yield a reason if the date decides the value, and some days have a value that their training window lacks."""
    if not 1 < column.different <= CODES:
        return
    days, positions = np.unique(sample.times // MICROSECONDS_A_DAY, return_inverse=True)
    known = column.codes >= 0
    shape = len(days), column.different
    counts = np.bincount(positions[known] * shape[1] + column.codes[known], minlength=shape[0] * shape[1]).reshape(
        shape
    )
    rows = counts.sum(axis=1)
    if counts.max(axis=1).sum() < OF_DAY * rows.sum() or np.median(rows) < 2:  # noqa: PLR2004 - one row a day
        return
    later = np.flatnonzero((days - days[0] >= window_days) & (rows > 0))
    until = np.vstack([np.zeros(shape[1], np.int64), counts.cumsum(axis=0)])
    in_window = until[later] - until[np.searchsorted(days, days[later] - window_days)]
    new = (counts[later] * (in_window == 0)).sum(axis=1) > MOST_NEW_OF_DAY * rows[later]
    if new.any():
        yield (
            f"it follows the calendar, as month, season or quarter do: on {new.sum():,} of {len(later):,} days most "
            f"rows have a value that the {window_days} days before lack, which stops a nightly run or looks like drift"
        )


def unique(column: Column) -> bool:
    """Return whether every row has its own value."""
    return column.known == len(column.codes) == column.different and column.different > FEW


def counts_up(column: Column) -> bool:
    """Return whether whole numbers are as dense as a running number's, or larger than measured values are."""
    if not column.whole or column.levels is None:
        return False
    return bool(column.levels[-1] - column.levels[0] < 2 * column.different or column.levels[0] >= LARGE)


def step(column: Column, moments: Ints) -> float:
    """Return the rank correlation of numbers with time."""
    known = column.codes >= 0
    codes, ranks = (
        np.unique(values[known], return_inverse=True)[1].astype(float) for values in (column.codes, moments)
    )
    if len(codes) < 3 or not np.ptp(codes) or not np.ptp(ranks):  # noqa: PLR2004 - two points always correlate
        return 0.0
    return float(np.corrcoef(codes, ranks)[0, 1])


def new_share(column: Column, moments: Ints) -> float:
    """Return the share of the latest fifth of the rows whose value no earlier row has."""
    codes = column.codes[np.argsort(moments, kind="stable")]
    cut = len(codes) * 4 // 5
    later = codes[cut:][codes[cut:] >= 0]
    return float((~np.isin(later, codes[:cut])).mean()) if len(later) else 0.0


def is_time(dtype: pa.DataType) -> bool:
    """Return whether values of this type are dates, times or durations."""
    return bool(pa.types.is_temporal(dtype))


def _dates(column: Column) -> bool:
    """Return whether nearly all texts are dates."""
    return not column.numeric and _share(column, times.ISO) > 0.9  # noqa: PLR2004


def _share(column: Column, pattern: str) -> float:
    """Return the share of the first different texts that match a pattern."""
    texts = pa.array([] if column.levels is None else column.levels[:1000].tolist(), pa.large_string())
    return float(pc.mean(pc.cast(pc.match_substring_regex(texts, pattern), pa.float64())).as_py() or 0.0)


def by_kind(choices: Sequence[ColumnChoice]) -> Mapping[Kind, list[str]]:
    """Return the names of each kind."""
    kinds: tuple[Kind, ...] = ("numeric", "categorical", "left out")
    return {kind: [choice.name for choice in choices if choice.kind == kind] for kind in kinds}


def require_id(column: Column) -> None:
    """Make sure that the column named as id identifies rows.

    Raises:
        DataError: it is missing or repeated in some rows.
    """
    missing, repeated = len(column.codes) - column.known, column.known - column.different
    if missing or repeated:
        raise DataError(
            f"The id {column.name!r} is missing in {missing:,} and repeated in {repeated:,} of {len(column.codes):,} "
            "rows.",
            why="A label finds its row by the id, and a row that is delivered twice is recognized by it.",
            fix="Name another column with --id, or leave --id out: a model may have no id.",
        )


def find_id(sample: Sample, names: Sequence[str]) -> str | None:
    """Return the column that identifies rows: by its name, else a text, else a running number; None without one."""
    found = [column for column in map(sample.column, names) if _identifies_rows(column)]
    return min(found, key=lambda column: (not ID.search(column.name), column.numeric)).name if found else None


def _identifies_rows(column: Column) -> bool:
    if name_problem(column.name) or not unique(column) or any(map(is_time, column.types)):
        return False
    return not column.numeric or (column.whole and bool(ID.search(column.name) or counts_up(column)))
