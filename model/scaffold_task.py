"""Choose the task that the values of a target make, or say why they make none."""

from __future__ import annotations

from core.errors import DataError, UsageError
from core.policy import Task
from model.scaffold_labels import MOST, Labels

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
