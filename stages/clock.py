"""The instant that a command acts at. This is the only module below `scripts` that reads the clock."""

from __future__ import annotations

import datetime as dt

from core.errors import UsageError

YEARS = range(1970, 9000)  # with room on either side for the windows of a run


def instant(text: str | None) -> tuple[dt.datetime, bool]:
    """Return the instant a command acts at, in UTC, and whether that is now.

    Raises:
        UsageError: not an ISO date or time.
    """
    if text is None:
        return dt.datetime.now(dt.UTC).replace(microsecond=0), True
    try:
        moment = dt.datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError) as err:
        raise UsageError(
            f"--as-of {text!r} is not an ISO date or time.",
            fix="Write it like 2013-06-01 or 2013-06-01T02:00:00+00:00.",
        ) from err
    if moment.year not in YEARS:
        raise UsageError(f"--as-of {text!r} is outside of the years {YEARS[0]} to {YEARS[-1]}.")
    return moment, False
