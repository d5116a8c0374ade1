"""Count what a target holds, day by day, before anyone knows which task that makes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from core.arrow import MICROSECONDS_A_DAY, arrays, spelling
from core.config import Class, Columns, Task
from core.errors import DataError, UsageError
from monitoring.tasks import Binary, Multiclass, Regression
from monitoring.tasks import Task as Counting
from training.scaffold.windows import Choice, Days

MOST = 100  # different values that are distinguished: as many classes as a model may have


@dataclass
class Labels:
    """What a target holds. Days are numbers, from 1970 on.

    `levels` are the rows by value (numbers, or text where it is text) and day, None where there are more than `MOST`
    values. `low` and `high` are the ends of the numbers that are finite; `endless` rows have one that is not.
    """

    rows: Counter[int] = field(default_factory=Counter)
    labelled: Counter[int] = field(default_factory=Counter)
    levels: dict[Any, Counter[int]] | None = field(default_factory=dict)
    numeric: bool = True
    whole: bool = True
    low: float = np.inf
    high: float = -np.inf
    endless: int = 0

    @classmethod
    def of(cls, batches: Iterable[pa.RecordBatch], columns: Columns, *, text: bool = False) -> Labels:
        """Count the rows of `batches`, which need only the columns of time and label; `text`: take numbers as text.

        Raises:
            DataError: there are no rows, or values have no text form.
        """
        found = cls()
        for batch in batches:
            days = arrays.view(batch.column(columns.time), np.int64) // MICROSECONDS_A_DAY
            found.rows.update(_counted(days))
            values = arrays.plain(arrays.column(batch, columns.label))
            if arrays.is_number(values.type) and not text:
                codes, levels = coded_numbers(arrays.numbers(values)[0])
                found._measure(levels, codes)
                found._add(days, codes, levels.tolist())
            else:
                found._read(days, values, columns.label)
        if not found.rows:
            raise DataError("The table has no rows.", why="It is empty.", fix="Fill it, and run the command again.")
        return found

    def _read(self, days: NDArray[np.int64], values: pa.Array, name: str) -> None:
        words = spelling.texts(values)
        if words is None:
            raise DataError(
                f"The target {name!r} has the type {values.type}, which is not a number or text.",
                fix="Name another column as target, or write what you mean by it into one.",
            )
        coded = words.dictionary_encode()
        self.numeric = self.numeric and not len(coded.dictionary)
        self._add(days, arrays.places(coded), coded.dictionary.to_pylist())

    def _measure(self, levels: NDArray[np.float64], codes: NDArray[np.int64]) -> None:
        finite = levels[np.isfinite(levels)]
        self.endless += int((codes >= 0).sum() - np.isin(codes, np.flatnonzero(np.isfinite(levels))).sum())
        if len(finite):
            self.low, self.high = min(self.low, float(finite[0])), max(self.high, float(finite[-1]))
            self.whole = self.whole and bool((finite == np.floor(finite)).all())

    def _add(self, days: NDArray[np.int64], codes: NDArray[np.int64], levels: list[Any]) -> None:
        known = codes >= 0
        days, codes = days[known], codes[known]
        self.labelled.update(_counted(days))
        if self.levels is None or len({*self.levels, *levels}) > MOST:
            self.levels = None
            return
        for place in np.unique(codes).tolist():
            self.levels.setdefault(levels[place], Counter()).update(_counted(days[codes == place]))

    @property
    def sizes(self) -> dict[Any, int]:
        """The rows of each value, the smallest value first; none where there are more than `MOST`."""
        levels = self.levels or {}
        return {level: levels[level].total() for level in sorted(levels, key=_rank)}


def coded_numbers(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The place of each number among the different ones, -1 where NaN; and these, sorted."""
    codes, known = np.full(len(values), -1, np.int64), ~np.isnan(values)
    levels, codes[known] = np.unique(values[known], return_inverse=True)
    return codes, levels


def _counted(days: NDArray[np.int64]) -> dict[int, int]:
    found, rows = np.unique(days, return_counts=True)
    return dict(zip(found.tolist(), rows.tolist(), strict=True))


def _rank(level: Any) -> tuple[bool, float, str]:
    """Numbers in their order, also those that are text, and then texts."""
    try:
        number = float(level)
    except ValueError:
        number = np.nan
    return (False, number, "") if np.isfinite(number) else (True, 0.0, str(level))


SHOWN = 4  # values of a target
CODES = 12  # different whole numbers that are taken as classes, however few rows each has
CLASSES = 30  # those that are where none is rare: the larger a count, the rarer it is
RARE = 10  # rows
OTHERWISE = (
    "Write 0 and 1 into the column (null where it is not known yet): which value becomes 1 is your choice, it is what "
    "the model foresees. Or leave the values as they are, and take them as two classes: --task multiclass."
)
NEEDS: dict[Task, str] = {
    "binary": "Its target is 0 or 1 (false and true are read as these), or null where it is not known.",
    "multiclass": f"Its target is one of 2 to {MOST} classes.",
    "regression": "Its target is a number; text is never read as one.",
}


def choose(labels: Labels, name: str, asked: Task | None) -> tuple[Task, str]:
    """The task that was asked for, else the one that the values look like; and why.

    Raises:
        DataError: no task can be made of the values.
        UsageError: the one that was asked for cannot.
    """
    if labels.endless:
        raise DataError(
            f"{labels.endless:,} rows have an infinite {name!r}.", fix="Write null where it is not known, or a number."
        )
    if len(labels.sizes) < 2 and labels.levels is not None:  # noqa: PLR2004 - what to tell apart
        raise DataError(
            f"The target {name!r} has {_found(labels)}.",
            why="With one value there is nothing to tell apart.",
            fix="Name another target, or wait until several values have occurred.",
        )
    if asked is not None:
        if asked not in possible(labels):
            raise UsageError(
                f"--task {asked} is impossible: {name!r} has {_found(labels)}.",
                why=NEEDS[asked],
                fix=f"Leave --task out, or take {' or '.join(possible(labels)) or 'another target'}.",
            )
        return asked, "asked for by --task"
    return _guessed(labels, name)


def possible(labels: Labels) -> list[Task]:
    """The tasks that could be made of the values."""
    fits: dict[Task, bool] = {
        "binary": list(labels.sizes) == [0, 1],
        "multiclass": labels.levels is not None,
        "regression": labels.numeric,
    }
    return [task for task, fit in fits.items() if fit]


def _guessed(labels: Labels, name: str) -> tuple[Task, str]:
    sizes, many = labels.sizes, len(labels.sizes)
    if list(sizes) == [0, 1]:
        return "binary", "its values are 0 and 1"
    if many == 2:  # noqa: PLR2004
        raise DataError(
            f"The target {name!r} has {_found(labels)}.",
            why="Of two values, 0 and 1 (or false and true) are read; which of these two means 1 cannot be known.",
            fix=OTHERWISE,
        )
    if not labels.numeric:
        if labels.levels is None:
            raise DataError(
                f"The target {name!r} has {_found(labels)}.",
                why=f"A model has at most {MOST} classes; numbers written as text, or mixed with it, are text.",
                fix="Sum values up to fewer classes; or, for numbers, write null where one is missing.",
            )
        return "multiclass", f"its values are text, {many} different ones"
    least = min(sizes.values(), default=0)
    if labels.whole and sizes and (many <= CODES or (many <= CLASSES and least >= RARE)):
        return "multiclass", f"it has {many} different whole numbers; if they are amounts, add --task regression"
    if labels.whole and 0 < many <= CLASSES:
        return "regression", f"it has {many} whole numbers, some on under {RARE} rows; for codes, add --task multiclass"
    return "regression", "its values are numbers that look measured: " + _found(labels)


def _found(labels: Labels) -> str:
    """How many different values there are, and the first ones."""
    if labels.levels is None:
        return f"more than {MOST} different values" + (
            f", from {labels.low:g} to {labels.high:g}" if labels.numeric else ""
        )
    some = [f"{level:g}" if isinstance(level, float) else repr(level)[:40] for level in labels.sizes]
    more = f" and {len(some) - SHOWN} more" if len(some) > SHOWN else ""
    said = f"{len(some)} different value{'s' if len(some) != 1 else ''}"
    return f"{said}: {', '.join(some[:SHOWN])}{more}" if some else said


LARGEST = 1e9  # number that a label may be
MARGIN = 0.25  # of the range on either side, in which later labels may lie
HEAVY = 0.1  # of the range; where 98% of the labels are in less, larger ones will come


@dataclass(frozen=True)
class Target:
    """The task, what led to it, and what a model of it needs to know of its labels."""

    task: Task
    why: str
    classes: tuple[str, ...] | None = None
    label_range: tuple[float, float] | None = None

    def days(self, labels: Labels) -> Days:
        """The rows of each day by label."""
        levels = labels.levels or {}
        if self.task == "regression":
            return Days.of(labels.rows, {"": labels.labelled})
        by_label = {str(level): levels[level] for level in self.classes or (0, 1)}
        return Days.of(labels.rows, by_label)

    @property
    def counting(self) -> Counting:
        """How its labels are read."""
        if self.classes is not None:
            return Multiclass(self.classes)
        return Binary() if self.label_range is None else Regression(*self.label_range)


def target_of(task: Task, why: str, labels: Labels, name: str) -> Target:
    """The target, of what it holds; for classes, of what it holds as text.

    Raises:
        DataError: a class has a name, or a number a size, that no model may have.
    """
    if task == "multiclass":
        classes = _classes(labels, name)
        decimal = next((one for one in classes if one.endswith(".0")), None)
        said = f"{why}; {decimal!r} is how it is written, {decimal[:-2]!r} would be another class" if decimal else why
        return Target(task, said, classes=classes)
    return Target(task, why, label_range=_range(labels, name) if task == "regression" else None)


def _classes(labels: Labels, name: str) -> tuple[str, ...]:
    allowed = TypeAdapter(Class)
    if labels.levels is None:
        raise DataError(f"The target {name!r} is written in more than {MOST} ways.", fix="Write each class in one way.")
    for level in labels.sizes:
        try:
            named = bool(allowed.validate_python(level))
        except ValidationError:
            named = False
        if not named or level in spelling.MISSING.to_pylist() or not any(map(str.isalnum, level)):
            raise DataError(
                f"{labels.sizes[level]:,} rows have the target {level[:40]!r}.",
                why="A class has 1 to 128 printable characters, and is not a text for a missing value.",
                fix="Write null (nothing, in a CSV file) where it is not known, and other names for classes.",
            )
    return tuple(labels.sizes)


def _range(labels: Labels, name: str) -> tuple[float, float]:
    """From the smallest to the largest label there is; the margin comes when the labels of the sample are known."""
    if max(-labels.low, labels.high) > LARGEST / 2:
        raise DataError(
            f"The target {name!r} goes from {labels.low:g} to {labels.high:g}.",
            why=f"Labels may go to {LARGEST / 2:,.0f}, with room for larger ones.",
            fix="Write it in a larger unit, such as millions, or as its logarithm.",
        )
    return labels.low, labels.high


def outcome(target: Target, days: Days, labels: NDArray[np.float64]) -> Iterator[Choice]:
    """What model.toml says of the labels; `labels` are those of the sample, NaN where there is none."""
    if target.classes is not None:
        yield Choice("data.classes", list(target.classes), _rare_ones(days))
    if target.label_range is not None:
        known = labels[~np.isnan(labels)]
        yield Choice("data.label_range", *widened(*target.label_range, known))


def _rare_ones(days: Days) -> str:
    """Which classes have too few rows to be learned, and what to do about it."""
    rows = days.counts[:, 1:].sum(axis=0)
    few = [(int(rows[place]), days.labels[place]) for place in np.flatnonzero(~days.learnable)]
    if not few:
        place = int(rows.argmin())
        return f"the rarest is {days.labels[place]!r} on {rows[place]:,} rows"
    listed = ", ".join(f"{name[:30]!r} ({size:,})" for size, name in sorted(few)[:3])
    more = f" and {len(few) - 3} more" if len(few) > 3 else ""  # noqa: PLR2004 - as many as are named
    return f"too few rows to learn: {listed}{more}; collect more, or write another class there"


def widened(low: float, high: float, labels: NDArray[Any]) -> tuple[list[float], str]:
    """The range of labels with room for later ones, on round numbers, and why it is so wide."""
    reach = high - low
    inner = float(np.subtract(*np.quantile(labels, [0.99, 0.01]))) if len(labels) else reach
    heavy = inner < HEAVY * reach
    step, room = 10.0 ** math.floor(math.log10(reach) - 1), reach * (1 if heavy else MARGIN)
    # What is never negative, as amounts are, stays so.
    ends = max(low - room, 0.0) if low >= 0 else low - room, min(high + room, 0.0) if high <= 0 else high + room
    found = [max(math.floor(ends[0] / step) * step, -LARGEST), min(math.ceil(ends[1] / step) * step, LARGEST)]
    said = f"labels go from {low:g} to {high:g}; one beyond stops a training"
    if heavy:
        cells = max(round(1000 * inner / (found[1] - found[0])), 1)
        said += f". 98% are in {cells} of the 1,000 cells: take the logarithm, or cut it off"
    return [_short(end) for end in found], said


def _short(number: float) -> float:
    return float(f"{number:.9g}")
