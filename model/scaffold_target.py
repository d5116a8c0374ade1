"""Say what a model needs to know of its target: the task, its classes, or the range of its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from core.config import Class
from core.errors import DataError
from core.policy import Task
from model.scaffold_days import Choice, Days
from model.scaffold_labels import MOST, Labels
from monitoring.binary import Binary
from monitoring.multiclass import Multiclass
from monitoring.regression import Regression
from monitoring.task import Task as Counting
from monitoring.typed import MISSING

LARGEST = 1e9  # number that a label may be
MARGIN = 0.25  # of the range on either side, in which later labels may lie
HEAVY = 0.1  # of the range; where 98 % of the labels lie in less, larger ones will come


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
        odd = next((one for one in classes if one.endswith(".0")), None)
        said = f"{why}; {odd!r} is how it is written, {odd[:-2]!r} would be another class" if odd else why
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
        if not named or level in MISSING.to_pylist() or not any(map(str.isalnum, level)):
            raise DataError(
                f"{labels.sizes[level]:,} rows have the target {level[:40]!r}.",
                why="A class has 1 to 128 printable characters, and is no word or sign for a value that is missing.",
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
    told = ", ".join(f"{name[:30]!r} ({size:,})" for size, name in sorted(few)[:3])
    more = f" and {len(few) - 3} more" if len(few) > 3 else ""  # noqa: PLR2004 - as many as are named
    return f"too few rows to learn: {told}{more}; collect more, or write another class there"


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
        said += f". 98 % lie in {cells} of the 1,000 cells: take the logarithm, or cut it off"
    return [_short(end) for end in found], said


def _short(number: float) -> float:
    return float(f"{number:.9g}")
