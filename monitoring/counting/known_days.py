"""Reuse of the feature counts of earlier nightly runs, with the current scores and labels."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import ClassVar, Self

from core.config import Data
from core.days import DAY
from core.records import Record
from monitoring.counting.tally import Days, DayTally

Reader = Callable[[dt.date, dt.date], Iterable[DayTally]]


class KnownDays(Record):
    """Days that earlier nightly runs counted for one version. `asked`: digest of the config they were counted with."""

    VERSION: ClassVar[int] = 2
    READS: ClassVar[tuple[int, ...]] = (1,)

    asked: str
    days: Days

    @classmethod
    def of(cls, data: Data, days: Iterable[DayTally] = ()) -> Self:
        """Return the record of days that were counted with this section of the config."""
        settings = hashlib.sha256(f"{DayTally.stamp()} {data.model_dump_json()}".encode()).hexdigest()
        return cls(asked=settings, days=tuple(days))

    def by_date(self, data: Data) -> dict[dt.date, DayTally]:
        """Return the days by date; empty if they were counted with another section of the config."""
        return {day.date: day for day in self.days} if self.asked == self.of(data).asked else {}


def reuse_counted_days(
    stored: Mapping[dt.date, DayTally], without_features: Collection[DayTally], today: dt.date, read: Reader
) -> tuple[DayTally, ...]:
    """Return all days of a window by date, as if each had been counted again.

    The features of a day are taken from `stored` if it had as many rows then. Rows that were changed in place are not
    noticed if the number of rows is the same; use `--fresh` then.

    Args:
        stored: days with their features, as an earlier run counted them.
        without_features: the days of the window as they are now, counted without any feature.
        today: the first day whose features do not count; it and later days are taken from `without_features`.
        read: counts the days from its first argument up to, not including, its second, with their features.
    """
    days = {day.date: day for day in without_features}
    for day in without_features:
        before = stored.get(day.date)
        if before is not None and before.rows == day.rows:
            now = {"scores": day.scores, "unscored": day.unscored, "bad_labels": day.bad_labels}
            days[day.date] = before.model_copy(update=now)
    new = [day.date for day in without_features if day.date < today and days[day.date] is day]
    for first, end in stretches(new):
        days.update({day.date: day for day in read(first, end)})
    return tuple(days[date] for date in sorted(days))


def stretches(dates: Iterable[dt.date]) -> Iterator[tuple[dt.date, dt.date]]:
    """Return the first day, and the day after the last one, of each run of consecutive days."""
    first = end = None
    for date in sorted(dates):
        if first is None or end is None or date != end:
            if first is not None and end is not None:
                yield first, end
            first = date
        end = date + DAY
    if first is not None and end is not None:
        yield first, end
