"""The tallies of a replay: each day is counted once for each baseline, and policies share what they count alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from core.arrow import EPOCH
from core.days import DAY, midnight
from monitoring.axes import Axis
from monitoring.counting import DayTally, tally
from stages.replay.registry import ReplayRegistry
from stages.replay.rows import ReplayRows, ServedRows


class ReplayCounts:
    """All tallies of a replay; those of days that no window reaches any more are forgotten.

    Args:
        rows: of the replay.
    """

    def __init__(self, rows: ReplayRows) -> None:
        self.rows = rows
        self._days: dict[tuple[dt.date, Any], DayTally | None] = {}

    def forget_before(self, oldest: dt.date) -> None:
        """Forget the days before `oldest`."""
        self._days = {key: day for key, day in self._days.items() if key[0] >= oldest}

    def day(
        self, day: dt.date, axes: Mapping[str, Axis], fit: int, as_of: dt.datetime, served: ServedRows
    ) -> DayTally | None:
        """Return the tally of a day as a run counts it for the model of a fit; None if the day has no rows.

        Features do not depend on who scored, and scores not on the axes, so each is counted apart.
        """
        axes_key, scored_by = id(axes), served.history(day, day + DAY)
        labels, version = self.rows.labels_known(day, as_of), fit if self.rows.columns.version else 0

        def count_features() -> DayTally | None:
            batches = self.rows.plain(self.rows.of_day(day))
            return self._count(batches, axes, self.rows.columns, version=None, as_of=midnight(day + DAY))

        def count_scores() -> DayTally | None:
            batches = served.batches(self.rows.of_day(day))
            return self._count(batches, {}, self.rows.columns, version=str(fit), as_of=as_of)

        def join() -> DayTally | None:
            features = self._once(day, ("features", axes_key), count_features)
            scores = features and self._once(day, ("scores", scored_by, version, labels), count_scores)
            return features and scores and scores.model_copy(update={"columns": features.columns})

        return self._once(day, ("both", axes_key, scored_by, version, labels), join)

    def outcome(self, day: dt.date, served: ServedRows) -> DayTally | None:
        """Return the tally of a day with the scores it got and all its labels, whenever they arrived."""
        columns = self.rows.columns.model_copy(update={"labelled_at": None})

        def count() -> DayTally | None:
            batches = served.batches(self.rows.of_day(day))
            return self._count(batches, {}, columns, version=None, as_of=midnight(day + DAY))

        return self._once(day, ("outcome", served.history(day, day + DAY)), count)

    def _once(self, day: dt.date, key: Any, count: Callable[[], DayTally | None]) -> DayTally | None:
        if (day, key) not in self._days:
            self._days[day, key] = count()
        return self._days[day, key]

    def _count(self, *rows: Any, **how: Any) -> DayTally | None:
        """Return the tally of the one day that these rows are of; arguments as in `tally.count`."""
        days = tally.count(*rows, **how, task=self.rows.task)
        return days[0] if days else None


class ReplaySource:
    """The monitoring rows as one policy's models scored them: a `Source` that counts its rows.

    Args:
        counts: of the replay.
        served: the scores.
        registry: the policy's versions.
        columns: all columns of the table, and the type of each.
    """

    def __init__(
        self, counts: ReplayCounts, served: ServedRows, registry: ReplayRegistry, columns: Mapping[str, str]
    ) -> None:
        self.columns = columns
        self._counts, self._served, self._registry = counts, served, registry

    def batches(
        self,
        columns: Sequence[str],  # noqa: ARG002 - the rows hold no others
        start: dt.datetime,
        end: dt.datetime | None,
    ) -> Iterator[pa.RecordBatch]:
        """Return the rows with start <= time < end."""
        return iter(self._served.batches(self._counts.rows.pieces(start, end or self.latest() + DAY)))

    def latest(self) -> dt.datetime:
        """Return the newest time."""
        return EPOCH + max(int(part.times[-1]) for part in self._counts.rows.parts) * dt.timedelta(microseconds=1)

    def tally(
        self,
        columns: Collection[str],  # noqa: ARG002 - the axes name the features
        start: dt.datetime,
        end: dt.datetime | None,
        axes: Mapping[str, Axis],
        *,
        version: str | None,
        as_of: dt.datetime,
    ) -> tuple[DayTally, ...]:
        """Return the days from `start` to `end`, the scores those of a version."""
        first, last = start.date(), (end or as_of).date()
        fit = self._registry.model(int(version)).number if version else 0
        days = (first + n * DAY for n in range((last - first).days))
        return tuple(day for date in days if (day := self._counts.day(date, axes, fit, as_of, self._served)))
