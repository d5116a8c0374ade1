"""The rows of a replay, from a monitoring source or from a plain table with a time, features and a target."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.days import ALWAYS, DAY, midnight
from core.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from core.config import Columns, ModelConfig, Settings
    from stages.replay import ReplayRows

TARGET = "target"


class ReplayTable:
    """The rows, under the names of the model's config.

    Args:
        settings: where the repository is.
        config: the model's own.
        source: a path or URL; None for the model's monitoring source.
        target: the column of labels; None for that of the config, else one that is called target.
    """

    def __init__(self, settings: Settings, config: ModelConfig, source: str | None, target: str | None) -> None:
        self._settings = settings
        self._data = config.data
        self._days = config.training.maturity_days
        self.shown = source or "the monitoring source"
        self._url = settings.source(config) if source is None else _absolute(source)
        roles = config.data.columns
        # Opened without an id first, because a plain table may have none.
        self.columns = self._open(roles.model_copy(update={"id": roles.time}))
        self._target = self._label(target)
        self._id = roles.id if roles.id in self.columns else None
        self._labelled_at = roles.labelled_at if roles.labelled_at in self.columns else None
        self.config = config.model_copy(
            update={"data": config.data.model_copy(update={"columns": self._renamed(roles)})}
        )

    def _open(self, columns: Columns) -> Mapping[str, str]:
        from monitoring.sources import open_source

        data = self._data.model_copy(update={"columns": columns})
        self._source = open_source(self._url, data, self._settings.root)
        return self._source.columns

    def _label(self, target: str | None) -> str:
        """Return the column of labels, after checking that all columns exist."""
        label, columns = self._data.columns.label, ", ".join(sorted(self.columns)[:30])
        name = target or (label if label in self.columns else TARGET)
        if name not in self.columns:
            missing = repr(target) if target else f"{label!r} (data.columns.label) and none {TARGET!r}"
            raise DataError(
                f"{self.shown} has no column {missing}.",
                why=f"Its columns are: {columns}.",
                fix="Name the column that holds the labels with --target.",
            )
        absent = [feature for feature in self._data.features if feature not in self.columns]
        if absent:
            raise DataError(
                f"{self.shown} lacks the features {', '.join(absent)}; no model can be trained on it.",
                why=f"Its columns are: {columns}.",
                fix="Name another source with --source, or change data.numeric and data.categorical in model.toml.",
            )
        return name

    def _renamed(self, roles: Columns) -> Columns:
        """Return the roles with a column for when labels arrived, which a replay needs."""
        taken = {*self._data.features, *self._data.roles}
        name = "labelled_at" if "labelled_at" not in taken else "replay_labelled_at"
        return roles.model_copy(update={"labelled_at": roles.labelled_at or name})

    def rows(self, start: dt.date | None, end: dt.date | None) -> ReplayRows:
        """Return the rows from `start` up to the end of the day `end`.

        Raises:
            DataError: there are no rows, or they cannot be read.
        """
        from stages.replay import ReplayRows

        roles = self._data.columns
        self._open(
            roles.model_copy(
                update={"id": self._id or roles.time, "label": self._target, "labelled_at": self._labelled_at}
            )
        )
        names = [*self._data.features, roles.time, self._target, *filter(None, [self._id, self._labelled_at])]
        span = midnight(start) if start else ALWAYS, midnight(end + DAY) if end else None
        rows = ReplayRows(self._complete(self._source.batches(names, *span)), self.config.data)
        if not rows.parts:
            raise DataError(
                f"{self.shown} has no rows"
                + (f" from {start}" if start else "")
                + (f" up to {end}" if end else "")
                + ".",
                why=f"Its newest row is of {latest.date()}." if (latest := self._source.latest()) else "It is empty.",
                fix="Choose other days with --from and --to, or another source with --source.",
            )
        return rows

    def _complete(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the batches with the names of the config.

        Rows without an id are numbered. Without `labelled_at`, a label arrived `maturity_days` after its row.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        from core.arrow import INSTANT, arrays

        roles, seen = self.config.data.columns, 0
        for batch in batches:
            names = [roles.label if name == self._target else name for name in batch.schema.names]
            columns = dict(zip(names, batch.columns, strict=True))
            for name in (*self._data.features, roles.label):  # one that only later files have
                columns.setdefault(name, arrays.column(batch, name))
            if self._labelled_at is not None:
                columns.setdefault(self._labelled_at, arrays.column(batch, self._labelled_at, INSTANT))
            if self._id is None and roles.id:
                columns[roles.id] = pa.array(range(seen, seen + batch.num_rows), pa.int64())
                seen += batch.num_rows
            if self._labelled_at is None and roles.labelled_at:
                delay = pa.scalar(self._days * DAY, pa.duration("us"))
                columns[roles.labelled_at] = pc.add(columns[roles.time], delay)
            yield pa.record_batch(columns)


def _absolute(source: str) -> str:
    """Return the source as a URL or absolute path: a path is relative to where the command runs."""
    return source if "://" in source else str(Path(source).resolve())
