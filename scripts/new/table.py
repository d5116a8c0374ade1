"""Look at a table that no model describes yet: its roles, its rows a day, and a bounded sample of them."""

from __future__ import annotations

from collections.abc import Mapping
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
ROLES = {"score": "prediction", "labelled_at": "labelled_at", "version": "model_version"}


def look(
    rows: TableRows,
    asked: Mapping[str, str | None],
    task: Task | None = None,
    keep: tuple[str, ...] = (),
    *,
    most: int = ROWS,
) -> TableSample:
    """Everything that a model's folder is proposed from, with a sample of at most ROWS rows.

    Raises:
        UsageError: a named role is not a column, or has a name that model.toml does not allow; or the task, or a
            column to keep, is impossible.
        DataError: there are no rows, no task can be made of the target, or no column is an id.
    """
    from training.scaffold import TableSample

    roles = _roles(rows, asked)
    target, days = _target(rows, roles, task)
    taken = {name for role, name in roles.model_dump().items() if role != "id"}
    unread = rows.unreadable(roles, tuple(name for name in rows.columns if name not in taken))
    names = tuple(name for name in rows.columns if name not in {*taken, *unread})
    sample = sampled(rows, roles, names, target, days, most)
    ident = _id(sample, asked["id"], tuple(name for name in names if name not in keep), rows.shown)
    features = tuple(name for name in names if name != ident)
    unknown = [name for name in keep if name not in features]
    if unknown:
        raise UsageError(
            f"--keep {unknown[0]!r} is impossible.", why="It is not a column, cannot be read, or has a role."
        )
    roles = roles.model_copy(update={"id": ident})
    return TableSample(
        source=rows.place,
        table=rows.table,
        shown=rows.shown,
        utc=rows.utc,
        roles=roles,
        target=target,
        names=features,
        unread=unread,
        keep=keep,
        days=days,
        sample=sample,
        delays=delays(sample, roles),
    )


def _id(sample: Sample, asked: str | None, names: tuple[str, ...], shown: str) -> str:
    """The id: as it was named, else the column that looks like one."""
    from training.scaffold import find_id, require_id

    if asked is None:
        return find_id(sample, names, shown)
    require_id(sample.column(asked))
    return asked


def _target(rows: TableRows, roles: Columns, task: Task | None) -> tuple[Target, Days]:
    """The task of the target, and its labels a day. Classes are counted again, as a night will read them."""
    from training.scaffold import Labels, choose, target_of

    def count(*, classes: bool) -> Labels:
        return Labels.of(rows.read(roles, (roles.time, roles.label), classes=classes), roles, text=classes)

    labels = count(classes=False)
    found, why = choose(labels, roles.label, task)
    if found == "multiclass":
        labels = count(classes=True)
    target = target_of(found, why, labels, roles.label)
    return target, target.days(labels)


def _roles(rows: TableRows, asked: Mapping[str, str | None]) -> Columns:
    """The names of the roles; where none was given, the names that the template's own log uses."""
    from pydantic import ValidationError

    from core.config import Columns

    given = {role: name for role, name in asked.items() if name}
    twice = sorted({name for name in given.values() if list(given.values()).count(name) > 1})
    if twice:
        raise UsageError(f"The column {twice[0]!r} is named for several roles.", fix="Name it once.")
    usual = {role: name for role, name in ROLES.items() if name in rows.columns and name not in given.values()}
    score = next(name for name in ("prediction", "predicted_score") if name not in given.values())
    try:
        # Until an id is found, the time is used instead.
        return Columns.model_validate({"id": given["time"], "score": score, **usual, **given})
    except ValidationError as err:
        from core.records import problems

        raise UsageError(
            f"A column has a name that model.toml cannot hold: {problems(err)}.", fix="Rename it in the table."
        ) from err


def sampled(rows: TableRows, roles: Columns, names: tuple[str, ...], target: Target, days: Days, most: int) -> Sample:
    """Every so many-th row of the last two years, so that no more are held than fit."""
    import pyarrow as pa

    from training.scaffold import Sample

    wanted = tuple(dict.fromkeys(name for name in (*names, *roles.model_dump().values()) if name in rows.columns))
    since = max(days.last - RECENT * DAY, days.first)
    total = int(days.counts[-RECENT - 1 :, 0].sum())
    every = -(-total // min(most, VALUES // len(wanted)))
    seen, kept = 0, []
    for batch in rows.read(roles, wanted, midnight(since), classes=target.classes is not None):
        here = range(-seen % every, batch.num_rows, every)
        seen += batch.num_rows
        if here:
            kept.append(batch if every == 1 else batch.take(pa.array(here)))
    return Sample.of(kept, roles, target.counting)


def delays(sample: Sample, roles: Columns) -> Any:
    """How long each label took to arrive, in microseconds; None where it was not recorded."""
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
