"""Count the features of a day only once: earlier nights' counts are taken again, with tonight's scores and labels."""

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
    """Days that were counted on earlier nights for one version. `asked` is the digest of what was counted."""

    VERSION: ClassVar[int] = 2
    READS: ClassVar[tuple[int, ...]] = (1,)

    asked: str
    days: Days

    @classmethod
    def of(cls, data: Data, days: Iterable[DayTally] = ()) -> Self:
        """These days, counted as this section of the config says."""
        asked = hashlib.sha256(f"{DayTally.stamp()} {data.model_dump_json()}".encode()).hexdigest()
        return cls(asked=asked, days=tuple(days))

    def by_date(self, data: Data) -> dict[dt.date, DayTally]:
        """The days by date; none where they were counted under another section of the config."""
        return {day.date: day for day in self.days} if self.asked == self.of(data).asked else {}


def reuse_counted_days(
    known: Mapping[dt.date, DayTally], glance: Collection[DayTally], today: dt.date, read: Reader
) -> tuple[DayTally, ...]:
    """All days of a window by date, as if each had been counted anew tonight.

    A day's features are taken from `known` if it had as many rows then. Rows that were changed in place without a row
    more or less are not seen; that is what `--fresh` is for.

    Args:
        known: days with their features, as counted on an earlier night.
        glance: the days of the window as they are now, counted without any feature.
        today: the first day whose features do not count; it and what is after it stand as in `glance`.
        read: counts the days from its first argument up to, not including, its second, with their features.
    """
    found = {day.date: day for day in glance}
    for day in glance:
        before = known.get(day.date)
        if before is not None and before.rows == day.rows:
            now = {"scores": day.scores, "unscored": day.unscored, "bad_labels": day.bad_labels}
            found[day.date] = before.model_copy(update=now)
    new = [day.date for day in glance if day.date < today and found[day.date] is day]
    for first, end in stretches(new):
        found.update({day.date: day for day in read(first, end)})
    return tuple(found[date] for date in sorted(found))


def stretches(dates: Iterable[dt.date]) -> Iterator[tuple[dt.date, dt.date]]:
    """First day, and the day after the last one, of each run of days that follow one another."""
    first = end = None
    for date in sorted(dates):
        if first is None or end is None or date != end:
            if first is not None and end is not None:
                yield first, end
            first = date
        end = date + DAY
    if first is not None and end is not None:
        yield first, end
