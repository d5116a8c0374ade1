"""Play the world around the loop in the demo: a service that scores flights, and who learns later which were late."""

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
    """The flights of a year, and the monitoring table as a serving system would fill it.

    Args:
        flights: the Parquet file with all rows and, in `target`, what nobody knows before it happened.
        database: the SQLite file to fill; made where there is none.
        data: column names of the monitoring table.
    """

    def __init__(self, flights: Path, database: Path, data: Data) -> None:
        import pandas as pd

        self.data = data
        self.database = database
        self.rows = pd.read_parquet(flights)
        self.days = dict(list(self.rows.groupby(self.rows["timestamp"].dt.date)))
        self.said: list[pd.Series[float]] = []
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
        """The flights of one day."""
        return self.days[day]

    def history(self, until: dt.date) -> None:
        """Fill in the flights before `until` as they were collected before there was a model: labels, no scores."""
        self._insert(self.rows[self.rows["timestamp"] < str(until)], None, None)
        self.labels_arrive(until)

    def serve(self, day: dt.date, version: int, scores: np.ndarray[Any, Any]) -> None:
        """Score the flights of one day and log them, as a service does."""
        import pandas as pd

        flights = self.of_day(day)
        self._insert(flights, scores, str(version))
        self.said.append(pd.Series(scores, index=flights.index))

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
                f'INSERT INTO "{self.data.table}" ({quoted}) VALUES ({", ".join("?" * len(target))})',  # noqa: S608 - our names
                frame.itertuples(index=False, name=None),
            )

    def labels_arrive(self, night: dt.date, days: int = 366) -> None:
        """Two days after a flight its label is known; that of a cancelled one never is. Looks `days` back."""
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
        """The flights that were scored and have a label, and what the model in service said of them."""
        import pandas as pd

        said = pd.concat(self.said)
        flights = self.rows.loc[said.index]
        known = flights["target"].notna()
        return flights[known], said[known]

    def spoil(self, copy: Path, before: dt.date) -> None:
        """A copy of the table in which all labels before a day are swapped, as after a wrong join."""
        columns = self.data.columns
        with closing(sqlite3.connect(self.database)) as db, closing(sqlite3.connect(copy)) as other:
            db.backup(other)
            with other:
                other.execute(
                    f'UPDATE "{self.data.table}" SET "{columns.label}" = 1 - "{columns.label}" '  # noqa: S608
                    f'WHERE "{columns.time}" < ?',
                    (midnight(before).strftime("%Y-%m-%dT%H:%M:%SZ"),),
                )
