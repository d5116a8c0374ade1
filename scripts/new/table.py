"""A table that no model describes yet: the roles of its columns, its rows on each day, and a bounded sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.days import DAY, midnight
from core.errors import UsageError
from scripts.new.rows import TableRows

if TYPE_CHECKING:
    from core.config import Columns, Task
    from training.scaffold import Days, Sample, TableSample, Target

ROWS = 200_000
VALUES = 20_000_000  # in memory at once: 160 MB
RECENT = 730  # days
# Roles and their usual names. A score and a version are proposed even if the table has no such column yet.
ROLES = {
    "score": ("prediction", "predicted_score"),
    "labelled_at": ("labelled_at",),
    "version": ("model_version", "predicted_by_version"),
}
LATER = ("score", "version")  # columns that the service begins to write


def look(
    rows: TableRows,
    task: Task | None = None,
    keep: tuple[str, ...] = (),
    *,
    most: int = ROWS,
    report: Callable[[str], None] = lambda _: None,
) -> TableSample:
    """Return everything that a model's folder is proposed from, with a sample of at most `most` rows.

    Raises:
        UsageError: a role that was named has a name that is not valid in model.toml; or the task, or a column to keep,
            is impossible.
        DataError: there are no rows, or the target suits no task.
    """
    from training.scaffold import TableSample, find_id, require_id

    roles, keep = _roles(rows), tuple(map(rows.spelled, keep))
    report(f"counting the rows of {rows.shown}")
    target, days = _target(rows, roles, task)
    taken = {name for role, name in roles.model_dump().items() if role != "id"}
    unread = rows.unreadable(roles, tuple(name for name in rows.columns if name not in taken))
    names = tuple(name for name in rows.columns if name not in {*taken, *unread})
    report(f"reading a sample of {min(most, int(days.counts[:, 0].sum())):,} rows and {len(names):,} columns")
    sample = sampled(rows, roles, names, target, days, most)
    id_ = rows.given["id"]
    if id_ is None:
        id_ = find_id(sample, tuple(name for name in names if name not in keep))
    else:
        require_id(sample.column(id_))
    features = tuple(name for name in names if name != id_)
    impossible = [name for name in keep if name not in features]
    if impossible:
        raise UsageError(
            f"--keep {impossible[0]!r} is impossible.", why="The column does not exist, cannot be read, or has a role."
        )
    roles = roles.model_copy(update={"id": id_})
    return TableSample(
        source=rows.place,
        table=rows.table,
        shown=rows.shown,
        utc=rows.utc,
        roles=roles,
        target=target,
        existing=rows.columns,
        names=features,
        unread=unread,
        keep=keep,
        days=days,
        sample=sample,
        delays=delays(sample, roles),
    )


def _target(rows: TableRows, roles: Columns, task: Task | None) -> tuple[Target, Days]:
    """Return the target and its labels by day. Classes are counted again, as the nightly run will read them."""
    from training.scaffold import Labels, choose, target_of

    def count(*, classes: bool) -> Labels:
        return Labels.of(rows.read(roles, (roles.time, roles.label), classes=classes), roles, text=classes)

    labels = count(classes=False)
    chosen, why = choose(labels, roles.label, task)
    if chosen == "multiclass":
        labels = count(classes=True)
    target = target_of(chosen, why, labels, roles.label)
    return target, target.days(labels)


def _roles(rows: TableRows) -> Columns:
    """Return the named roles and, for others, the usual names if the table or the service has them. No id yet."""
    from core.config import Columns, name_problem

    given = {role: name for role, name in rows.given.items() if name}
    for name in given.values():
        if list(given.values()).count(name) > 1:
            raise UsageError(f"The column {name!r} is named for several roles.", fix="Name it for one role.")
        if problem := name_problem(name):
            raise UsageError(f"{name!r} is not valid in model.toml: {problem}.", fix="Rename the column in the table.")
    names = dict(given)
    for role, usual in ROLES.items():
        free = [name for name in usual if name not in given.values()]
        if role not in given and (free[0] in rows.columns or role in LATER):
            names[role] = free[0]
    return Columns.model_validate(names | {"id": None})


def sampled(rows: TableRows, roles: Columns, names: tuple[str, ...], target: Target, days: Days, most: int) -> Sample:
    """Return every n-th row of the last two years, so that the sample fits into memory."""
    import pyarrow as pa

    from training.scaffold import Sample

    wanted = tuple(dict.fromkeys(name for name in (*names, *roles.model_dump().values()) if name in rows.columns))
    since = max(days.last - RECENT * DAY, days.first)
    total = int(days.counts[-RECENT - 1 :, 0].sum())
    every = -(-total // min(most, VALUES // len(wanted)))
    seen, batches = 0, []
    for batch in rows.read(roles, wanted, midnight(since), classes=target.classes is not None):
        positions = range(-seen % every, batch.num_rows, every)
        seen += batch.num_rows
        if positions:
            batches.append(batch if every == 1 else batch.take(pa.array(positions)))
    return Sample.of(batches, roles, target.counting)


def delays(sample: Sample, roles: Columns) -> Any:
    """Return how long each label took to arrive, in microseconds; None if the table does not have its time."""
    import numpy as np

    from core.arrow import INSTANT, arrays

    if roles.labelled_at is None:
        return None
    parts = []
    for batch in sample.batches:
        arrived = arrays.column(batch, roles.labelled_at, INSTANT)
        moments = arrays.view(arrived, np.int64) - arrays.view(batch.column(roles.time), np.int64)
        parts.append(moments[~arrays.nulls(arrived)])
    return np.concatenate(parts)
