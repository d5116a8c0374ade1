"""The world around the loop in the demo: a service that scores flights, and the labels that arrive later."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.days import DAY, midnight

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from core.config import Data

LABEL_DELAY = 2 * DAY
FIRST_NIGHT = dt.date(2013, 3, 4)
LAST_NIGHT = dt.date(2014, 1, 1)


class World:
    """The flights of a year, and the monitoring table as a service would write it.

    Args:
        flights: the Parquet file with all rows, and the label in `target`.
        database: the SQLite file to write; created if it does not exist.
        data: column names of the monitoring table.
    """

    def __init__(self, flights: Path, database: Path, data: Data) -> None:
        import pandas as pd

        self.data = data
        self.database = database
        self.rows = pd.read_parquet(flights)
        self.days = dict(list(self.rows.groupby(self.rows["timestamp"].dt.date)))
        self.scores: list[pd.Series[float]] = []
        if not database.exists():
            self._create()

    def _create(self) -> None:
        columns = self.data.columns
        numeric = ", ".join(f'"{name}" REAL' for name in self.data.numeric)
        categorical = ", ".join(f'"{name}" TEXT' for name in self.data.categorical)
        with closing(sqlite3.connect(self.database)) as db, db:
            db.execute(
                f'CREATE TABLE "{self.data.table}" ("{columns.id}" TEXT PRIMARY KEY, "{columns.time}" TEXT NOT NULL, '
                f'{numeric}, {categorical}, "{columns.score}" REAL, "{columns.version}" TEXT, '
                f'"{columns.label}" INTEGER, "{columns.labelled_at}" TEXT)'
            )
            db.execute(f'CREATE INDEX by_time ON "{self.data.table}" ("{columns.time}")')

    def of_day(self, day: dt.date) -> pd.DataFrame:
        """Return the flights of one day."""
        return self.days[day]

    def history(self, until: dt.date) -> None:
        """Write the flights before `until`, with labels and without scores, because no model existed yet."""
        self._insert(self.rows[self.rows["timestamp"] < str(until)], None, None)
        self.labels_arrive(until)

    def serve(self, day: dt.date, version: int, scores: np.ndarray[Any, Any]) -> None:
        """Write the flights of one day with their scores, as a service does."""
        import pandas as pd

        flights = self.of_day(day)
        self._insert(flights, scores, str(version))
        self.scores.append(pd.Series(scores, index=flights.index))

    def _insert(self, rows: pd.DataFrame, scores: np.ndarray[Any, Any] | None, version: str | None) -> None:
        names = ["flight_id", "timestamp", *self.data.numeric, *self.data.categorical]
        frame = rows[names].astype(object).where(rows[names].notna(), None)
        frame["timestamp"] = rows["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        frame["prediction"] = None if scores is None else scores.tolist()
        frame["model_version"] = version
        columns = self.data.columns
        target = [columns.id, columns.time, *self.data.features, columns.score, columns.version]
        quoted = ", ".join(f'"{name}"' for name in target)
        with closing(sqlite3.connect(self.database)) as db, db:
            db.executemany(
                f'INSERT INTO "{self.data.table}" ({quoted}) VALUES ({", ".join("?" * len(target))})',  # noqa: S608 - column names of the config
                frame.itertuples(index=False, name=None),
            )

    def labels_arrive(self, night: dt.date, days: int = 366) -> None:
        """Write the labels of flights two days after departure. A cancelled flight gets none. Looks `days` back."""
        columns = self.data.columns
        import pandas as pd

        flights = pd.concat([self.days.get(night - LABEL_DELAY - n * DAY, self.rows[:0]) for n in range(1, days + 1)])
        recent = flights[flights["target"].notna()]
        moments = (recent["timestamp"] + LABEL_DELAY).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        with closing(sqlite3.connect(self.database)) as db, db:
            db.executemany(
                f'UPDATE "{self.data.table}" SET "{columns.label}" = ?, "{columns.labelled_at}" = ? '  # noqa: S608
                f'WHERE "{columns.id}" = ? AND "{columns.label}" IS NULL',
                zip(recent["target"].astype(int).tolist(), moments, recent["flight_id"], strict=True),
            )

    def outcome(self) -> tuple[pd.DataFrame, pd.Series[float]]:
        """Return the flights with score and label, and the scores of the version in Production."""
        import pandas as pd

        scores = pd.concat(self.scores)
        flights = self.rows.loc[scores.index]
        labelled = flights["target"].notna()
        return flights[labelled], scores[labelled]

    def corrupt_labels(self, copy: Path, before: dt.date) -> None:
        """Copy the table, with all labels before a day swapped, as after a wrong join."""
        columns = self.data.columns
        with closing(sqlite3.connect(self.database)) as db, closing(sqlite3.connect(copy)) as other:
            db.backup(other)
            with other:
                other.execute(
                    f'UPDATE "{self.data.table}" SET "{columns.label}" = 1 - "{columns.label}" '  # noqa: S608
                    f'WHERE "{columns.time}" < ?',
                    (midnight(before).strftime("%Y-%m-%dT%H:%M:%SZ"),),
                )
