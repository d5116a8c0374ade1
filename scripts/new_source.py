"""Look at a table that no model describes yet: which columns it has, its rows a day, and a bounded sample of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, UsageError
from scripts.night import DAY, midnight
from scripts.replay_source import ALWAYS

if TYPE_CHECKING:
    import pyarrow as pa

    from core.config import Columns, Data
    from model.scaffold import Table
    from model.scaffold_days import Days
    from model.scaffold_sample import Sample
    from monitoring.source import Source

ROWS = 200_000
VALUES = 20_000_000  # in memory at once: 160 MB
RECENT = 730  # days
ROLES = {"score": "prediction", "labelled_at": "labelled_at", "version": "model_version"}
VARIABLE = "${MONITORING_URL}"


class Rows:
    """The rows at `url`, of which only the columns in `asked` are known: time, label, and more where they were named.

    Args:
        root: the repository.
        url: path or URL; a path is relative to where the command runs.
        table: in a database, or a folder in the folder.
        asked: the names given for roles.
    """

    def __init__(self, root: Path, url: str, table: str | None, asked: Mapping[str, str | None]) -> None:
        self._root, self._url, self._table = root, url if "://" in url else str(Path(url).resolve()), table
        self.shown = Path(url).name if "://" not in url else url.partition("://")[0] + " table"
        self._asked = {role: name for role, name in asked.items() if name}
        try:
            found = self._opened(self._data({"id": asked["time"], "score": "", **self._asked}))
        except DataError as err:
            if "data.columns.time" not in err.what:
                raise
            raise self._lacks([str(asked["time"])], err.why) from err
        self.columns = tuple(found.columns)
        absent = [name for name in self._asked.values() if name not in self.columns]
        if absent:
            raise self._lacks(absent, f"Its columns are: {', '.join(self.columns[:30])}.")
        self.utc = self._naive()

    def _lacks(self, names: list[str], there: str) -> UsageError:
        shown = ", ".join(map(repr, names))
        return UsageError(f"{self.shown} has no column {shown}.", why=there, fix="Name the columns as the table does.")

    def _data(self, roles: Mapping[str, Any], numeric: tuple[str, ...] = (), *, utc: bool = False) -> Data:
        """A description of the table that nobody has checked: its names may be such that model.toml does not allow."""
        from core.config import Columns, Data

        known = {"labelled_at": None, "version": None, **roles}
        return Data.model_construct(
            source=self._url,
            table=self._table,
            timezone="UTC" if utc else None,
            columns=Columns.model_construct(**known),
            numeric=numeric,
            categorical=(),
        )

    def _opened(self, data: Data) -> Source:
        from monitoring.source import open_source

        return open_source(self._url, data, self._root)

    def _naive(self) -> bool:
        """Whether times have no zone."""
        roles = {"id": self._asked["time"], "score": "", **self._asked}
        times = [name for role, name in roles.items() if role in {"time", "labelled_at"}]
        try:
            next(iter(self._opened(self._data(roles)).batches(times, ALWAYS, None)), None)
        except DataError as err:
            return "zone" in err.what
        return False

    def read(self, columns: Columns, names: tuple[str, ...], since: Any = ALWAYS) -> Iterator[pa.RecordBatch]:
        """Batches with these columns, read as numbers where they are numbers."""
        texts = {columns.id, columns.time, columns.labelled_at, columns.version}
        numeric = tuple(name for name in names if name not in texts)
        source = self._opened(self._data(columns.model_dump(), numeric, utc=self.utc))
        return source.batches(names, since, None)

    @property
    def place(self) -> str:
        """What model.toml says: a path of the repository, else a variable: no path of a machine is committed."""
        path = Path(self._url)
        if "://" in self._url or not path.is_relative_to(self._root):
            return VARIABLE
        return path.relative_to(self._root).as_posix()

    @property
    def table(self) -> str | None:
        """The table, where the source has several."""
        return self._table


def look(rows: Rows, asked: Mapping[str, str | None]) -> Table:
    """Everything that a model's folder is proposed from.

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
    names = tuple(name for name in rows.columns if name not in taken)
    sample = sampled(rows, roles, names, days)
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


def sampled(rows: Rows, roles: Columns, names: tuple[str, ...], days: Days) -> Sample:
    """Every so many-th row of the last two years, so that no more are held than fit."""
    import pyarrow as pa

    from model.scaffold_sample import Sample

    wanted = tuple(dict.fromkeys(name for name in (*names, *roles.model_dump().values()) if name in rows.columns))
    since = max(days.last - RECENT * DAY, days.first)
    total = int(days.counts[-RECENT - 1 :, 0].sum())
    every = -(-total // min(ROWS, VALUES // len(wanted)))
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
