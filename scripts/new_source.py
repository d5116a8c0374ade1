"""Look at a table that no model describes yet: its roles, its rows a day, and a bounded sample of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.errors import UsageError
from scripts.new_rows import Rows
from scripts.night import DAY, midnight

if TYPE_CHECKING:
    from core.config import Columns
    from model.scaffold import Table
    from model.scaffold_days import Days
    from model.scaffold_sample import Sample

ROWS = 200_000
VALUES = 20_000_000  # in memory at once: 160 MB
RECENT = 730  # days
ROLES = {"score": "prediction", "labelled_at": "labelled_at", "version": "model_version"}


def look(rows: Rows, asked: Mapping[str, str | None], most: int = ROWS) -> Table:
    """Everything that a model's folder is proposed from, with a sample of at most so many rows.

    Raises:
        UsageError: a role that was named is no column, or has a name that model.toml does not allow.
        DataError: there are no rows, the target is not binary, or no column is an id.
    """
    from model.scaffold import Table
    from model.scaffold_days import Days
    from model.scaffold_roles import find_id, require_binary, require_id

    roles = _roles(rows, asked)
    days = Days.of(rows.read(roles, (roles.time, roles.label)), roles)
    taken = {name for role, name in roles.model_dump().items() if role != "id"}
    unread = rows.unreadable(roles, tuple(name for name in rows.columns if name not in taken))
    names = tuple(name for name in rows.columns if name not in {*taken, *unread})
    sample = sampled(rows, roles, names, days, most)
    require_binary(sample.column(roles.label))
    ident = asked["id"]
    if ident:
        require_id(sample.column(ident))
    else:
        ident = find_id(sample, names, rows.shown)
    roles = roles.model_copy(update={"id": ident})
    return Table(
        source=rows.place,
        table=rows.table,
        shown=rows.shown,
        utc=rows.utc,
        roles=roles,
        names=tuple(name for name in names if name != ident),
        unread=unread,
        days=days,
        sample=sample,
        delays=delays(sample, roles),
    )


def _roles(rows: Rows, asked: Mapping[str, str | None]) -> Columns:
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
        # Until an id is found, the time stands in for it.
        return Columns.model_validate({"id": given["time"], "score": score, **usual, **given})
    except ValidationError as err:
        from core.records import problems

        raise UsageError(
            f"A column has a name that model.toml cannot hold: {problems(err)}.", fix="Rename it in the table."
        ) from err


def sampled(rows: Rows, roles: Columns, names: tuple[str, ...], days: Days, most: int) -> Sample:
    """Every so many-th row of the last two years, so that no more are held than fit."""
    import pyarrow as pa

    from model.scaffold_sample import Sample

    wanted = tuple(dict.fromkeys(name for name in (*names, *roles.model_dump().values()) if name in rows.columns))
    since = max(days.last - RECENT * DAY, days.first)
    total = int(days.counts[-RECENT - 1 :, 0].sum())
    every = -(-total // min(most, VALUES // len(wanted)))
    seen, kept = 0, []
    for batch in rows.read(roles, wanted, midnight(since)):
        here = range(-seen % every, batch.num_rows, every)
        seen += batch.num_rows
        if here:
            kept.append(batch if every == 1 else batch.take(pa.array(here)))
    return Sample.of(kept, roles)


def delays(sample: Sample, roles: Columns) -> Any:
    """How long each label took to arrive, in microseconds; None where nobody noted it."""
    import numpy as np

    from monitoring import arrays

    if roles.labelled_at is None:
        return None
    parts = []
    for batch in sample.batches:
        arrived = batch.column(roles.labelled_at)
        moments = arrays.view(arrived, np.int64) - arrays.view(batch.column(roles.time), np.int64)
        parts.append(moments[~arrays.nulls(arrived)])
    return np.concatenate(parts)
