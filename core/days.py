"""UTC calendar days, and lengths of time in days."""

from __future__ import annotations

import datetime as dt

DAY = dt.timedelta(days=1)
MONTH = dt.timedelta(days=30)
SECONDS_A_DAY = 86_400.0
EPOCH_DAY = dt.date(1970, 1, 1)
ALWAYS = dt.datetime(1700, 1, 1, tzinfo=dt.UTC)  # some databases count nanoseconds, which reach back to 1677


def midnight(day: dt.date) -> dt.datetime:
    """Return the first instant of a day, UTC."""
    return dt.datetime.combine(day, dt.time(), dt.UTC)
