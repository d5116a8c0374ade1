"""The target of a new model: its values by day, the task that they make, and its classes or range."""

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

MOST = 100  # different values that are counted: as many classes as a model may have


@dataclass
class Labels:
    """The values of a target. Days are numbers since 1970.

    `levels` are the rows by value (numbers, or text) and day, None if there are more than `MOST` values. `low` and
    `high` are the ends of the finite numbers; `infinite` rows have another number.
    """

    rows: Counter[int] = field(default_factory=Counter)
    labelled: Counter[int] = field(default_factory=Counter)
    levels: dict[Any, Counter[int]] | None = field(default_factory=dict)
    numeric: bool = True
    whole: bool = True
    low: float = np.inf
    high: float = -np.inf
    infinite: int = 0

    @classmethod
    def of(cls, batches: Iterable[pa.RecordBatch], columns: Columns, *, text: bool = False) -> Labels:
        """Return the counts of `batches`, which need only the columns of time and label; `text`: take numbers as text.

        Raises:
            DataError: there are no rows, or values have no text form.
        """
        labels = cls()
        for batch in batches:
            days = arrays.view(batch.column(columns.time), np.int64) // MICROSECONDS_A_DAY
            labels.rows.update(_counted(days))
            values = arrays.plain(arrays.column(batch, columns.label))
            if arrays.is_number(values.type) and not text:
                codes, levels = coded_numbers(arrays.numbers(values)[0])
                labels._measure(levels, codes)
                labels._add(days, codes, levels.tolist())
            else:
                labels._read(days, values, columns.label)
        if not labels.rows:
            raise DataError("The table has no rows.", fix="Write rows to it, and run the command again.")
        return labels

    def _read(self, days: NDArray[np.int64], values: pa.Array, name: str) -> None:
        texts = spelling.texts(values)
        if texts is None:
            raise DataError(
                f"The target {name!r} has the type {values.type}, which is neither number nor text.",
                fix="Name another column as target, or write the value that you want to predict into one.",
            )
        coded = texts.dictionary_encode()
        self.numeric = self.numeric and not len(coded.dictionary)
        self._add(days, arrays.places(coded), coded.dictionary.to_pylist())

    def _measure(self, levels: NDArray[np.float64], codes: NDArray[np.int64]) -> None:
        finite = levels[np.isfinite(levels)]
        self.infinite += int((codes >= 0).sum() - np.isin(codes, np.flatnonzero(np.isfinite(levels))).sum())
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
        """The rows of each value, the smallest value first; empty if there are more than `MOST` values."""
        levels = self.levels or {}
        return {level: levels[level].total() for level in sorted(levels, key=_rank)}


def coded_numbers(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the position of each number among the different numbers (-1 for NaN), and these, sorted."""
    codes, known = np.full(len(values), -1, np.int64), ~np.isnan(values)
    levels, codes[known] = np.unique(values[known], return_inverse=True)
    return codes, levels


def _counted(days: NDArray[np.int64]) -> dict[int, int]:
    different, rows = np.unique(days, return_counts=True)
    return dict(zip(different.tolist(), rows.tolist(), strict=True))


def _rank(level: Any) -> tuple[bool, float, str]:
    """Return a sort key: numbers in their order, also numbers written as text, before texts."""
    try:
        number = float(level)
    except ValueError:
        number = np.nan
    return (False, number, "") if np.isfinite(number) else (True, 0.0, str(level))


SHOWN = 4  # values of a target
CODES = 12  # different whole numbers that are taken as classes, however few rows each has
CLASSES = 30  # different whole numbers that are taken as classes if none is rare: large counts are rare
RARE = 10  # rows
OTHERWISE = (
    "Write 0 and 1 into the column (null if the label is not known yet). You choose which value becomes 1: the model "
    "predicts its probability. Or keep the values and take them as two classes: --task multiclass."
)
NEEDS: dict[Task, str] = {
    "binary": "Its target is 0 or 1 (false and true are read as these), or null if it is not known.",
    "multiclass": f"Its target is one of 2 to {MOST} classes.",
    "regression": "Its target is a number; text is never read as a number.",
}


def choose(labels: Labels, name: str, requested: Task | None) -> tuple[Task, str]:
    """Return the requested task, else the task that the values suggest; and the reason.

    Raises:
        DataError: the values suit no task.
        UsageError: the values do not suit the requested task.
    """
    if labels.infinite:
        raise DataError(
            f"{labels.infinite:,} rows have an infinite {name!r}.",
            fix="Write a finite number, or null if it is not known.",
        )
    if len(labels.sizes) < 2 and labels.levels is not None:  # noqa: PLR2004 - what to tell apart
        raise DataError(
            f"The target {name!r} has {_values(labels)}.",
            why="With one value there is nothing to tell apart.",
            fix="Name another target, or wait until several values have occurred.",
        )
    if requested is not None:
        if requested not in possible(labels):
            raise UsageError(
                f"--task {requested} is impossible: {name!r} has {_values(labels)}.",
                why=NEEDS[requested],
                fix=f"Leave --task out, or take {' or '.join(possible(labels)) or 'another target'}.",
            )
        return requested, "as requested by --task"
    return _guessed(labels, name)


def possible(labels: Labels) -> list[Task]:
    """Return the tasks that the values suit."""
    fits: dict[Task, bool] = {
        "binary": list(labels.sizes) == [0, 1],
        "multiclass": labels.levels is not None,
        "regression": labels.numeric,
    }
    return [task for task, fit in fits.items() if fit]


def _guessed(labels: Labels, name: str) -> tuple[Task, str]:
    sizes, many = labels.sizes, len(labels.sizes)
    if list(sizes) == [0, 1]:
        return "binary", "has the values 0 and 1"
    if many == 2:  # noqa: PLR2004
        raise DataError(
            f"The target {name!r} has {_values(labels)}.",
            why="A binary target has the values 0 and 1 (or false and true). Which of these two means 1 is not known.",
            fix=OTHERWISE,
        )
    if not labels.numeric:
        if labels.levels is None:
            raise DataError(
                f"The target {name!r} has {_values(labels)}.",
                why=f"A model has at most {MOST} classes. Numbers written as text, or mixed with text, are text.",
                fix="Combine values into fewer classes; or, for numbers, write null if one is missing.",
            )
        return "multiclass", f"has text, {many} different values"
    least = min(sizes.values(), default=0)
    if labels.whole and sizes and (many <= CODES or (many <= CLASSES and least >= RARE)):
        return "multiclass", f"has {many} different whole numbers; if they are amounts, add --task regression"
    if labels.whole and 0 < many <= CLASSES:
        return (
            "regression",
            f"has {many} whole numbers, some on fewer than {RARE} rows; if they are codes, add --task multiclass",
        )
    return "regression", "has numbers that look measured: " + _values(labels)


def _values(labels: Labels) -> str:
    """Return the number of different values as text, and the first ones."""
    if labels.levels is None:
        return f"more than {MOST} different values" + (
            f", from {labels.low:g} to {labels.high:g}" if labels.numeric else ""
        )
    shown = [f"{level:g}" if isinstance(level, float) else repr(level)[:40] for level in labels.sizes]
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    count = f"{len(shown)} different value{'s' if len(shown) != 1 else ''}"
    return f"{count}: {', '.join(shown[:SHOWN])}{more}" if shown else count


LARGEST = 1e9  # number that a label may be
MARGIN = 0.25  # of the range on either side, in which later labels may lie
HEAVY = 0.1  # of the range: if 98% of the labels are in less, expect larger ones


@dataclass(frozen=True)
class Target:
    """The task, the reason for it, and the classes or the range of the labels."""

    task: Task
    why: str
    classes: tuple[str, ...] | None = None
    label_range: tuple[float, float] | None = None

    def days(self, labels: Labels) -> Days:
        """Return the rows of each day by label."""
        levels = labels.levels or {}
        if self.task == "regression":
            return Days.of(labels.rows, {"": labels.labelled})
        by_label = {str(level): levels[level] for level in self.classes or (0, 1)}
        return Days.of(labels.rows, by_label)

    @property
    def counting(self) -> Counting:
        """The task that counts these labels."""
        if self.classes is not None:
            return Multiclass(self.classes)
        return Binary() if self.label_range is None else Regression(*self.label_range)


def target_of(task: Task, why: str, labels: Labels, name: str) -> Target:
    """Return the target of these labels, which are text for classes.

    Raises:
        DataError: the name of a class, or the size of a number, is not allowed.
    """
    if task == "multiclass":
        classes = _classes(labels, name)
        float_text = next((name for name in classes if name.endswith(".0")), None)
        if float_text:
            why = f"{why}; the table has {float_text!r}, so {float_text[:-2]!r} would be another class"
        return Target(task, why, classes=classes)
    return Target(task, why, label_range=_range(labels, name) if task == "regression" else None)


def _classes(labels: Labels, name: str) -> tuple[str, ...]:
    allowed = TypeAdapter(Class)
    if labels.levels is None:
        raise DataError(f"The target {name!r} has more than {MOST} spellings.", fix="Write each class in one way.")
    for level in labels.sizes:
        try:
            named = bool(allowed.validate_python(level))
        except ValidationError:
            named = False
        if not named or level in spelling.MISSING.to_pylist() or not any(map(str.isalnum, level)):
            raise DataError(
                f"{labels.sizes[level]:,} rows have the target {level[:40]!r}.",
                why="A class has 1 to 128 printable characters, and is not a word or sign for a missing value.",
                fix="Write null (in a CSV file: nothing) if it is not known, and use other names for classes.",
            )
    return tuple(labels.sizes)


def _range(labels: Labels, name: str) -> tuple[float, float]:
    """Return the smallest and the largest label; `widened` adds the margin once the sample is known."""
    if max(-labels.low, labels.high) > LARGEST / 2:
        raise DataError(
            f"The target {name!r} goes from {labels.low:g} to {labels.high:g}.",
            why=f"Labels may go up to {LARGEST / 2:,.0f}, with room for larger ones.",
            fix="Write it in a larger unit, such as millions, or as its logarithm.",
        )
    return labels.low, labels.high


def outcome(target: Target, days: Days, labels: NDArray[np.float64]) -> Iterator[Choice]:
    """Yield the classes or the range of the labels; `labels` are those of the sample, NaN for rows without one."""
    if target.classes is not None:
        yield Choice("data.classes", list(target.classes), _rare_ones(days))
    if target.label_range is not None:
        known = labels[~np.isnan(labels)]
        yield Choice("data.label_range", *widened(*target.label_range, known))


def _rare_ones(days: Days) -> str:
    """Return which classes have too few rows to be learned, and what to do about it."""
    rows = days.counts[:, 1:].sum(axis=0)
    few = [(int(rows[place]), days.labels[place]) for place in np.flatnonzero(~days.learnable)]
    if not few:
        place = int(rows.argmin())
        return f"the rarest is {days.labels[place]!r} on {rows[place]:,} rows"
    named = ", ".join(f"{name[:30]!r} ({size:,})" for size, name in sorted(few)[:3])
    more = f" and {len(few) - 3} more" if len(few) > 3 else ""  # noqa: PLR2004 - as many as are named
    return f"too few rows to learn: {named}{more}; collect more rows, or replace the class"


def widened(low: float, high: float, labels: NDArray[Any]) -> tuple[list[float], str]:
    """Return the range of labels with room for later ones, on round numbers, and the reason for its width."""
    reach = high - low
    inner = float(np.subtract(*np.quantile(labels, [0.99, 0.01]))) if len(labels) else reach
    heavy = inner < HEAVY * reach
    step, room = 10.0 ** math.floor(math.log10(reach) - 1), reach * (1 if heavy else MARGIN)
    # Labels that are never negative, such as amounts, keep their sign.
    ends = max(low - room, 0.0) if low >= 0 else low - room, min(high + room, 0.0) if high <= 0 else high + room
    limits = [max(math.floor(ends[0] / step) * step, -LARGEST), min(math.ceil(ends[1] / step) * step, LARGEST)]
    why = f"labels go from {low:g} to {high:g}; a label outside stops a training"
    if heavy:
        cells = max(round(1000 * inner / (limits[1] - limits[0])), 1)
        why += f". 98% are in {cells} of the 1,000 cells: take the logarithm, or cap the labels"
    return [_short(end) for end in limits], why


def _short(number: float) -> float:
    return float(f"{number:.9g}")
