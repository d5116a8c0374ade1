"""The nights that a replay plays, by its options and the rows of the table."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from core.days import DAY, midnight
from core.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.config import ModelConfig
    from scripts.replay.source import ReplayTable
    from stages.replay import ReplayRows


def day(text: str | None, option: str) -> dt.date | None:
    """Return the date of an option.

    Raises:
        UsageError: not an ISO date.
    """
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as err:
        raise UsageError(f"{option} {text!r} is not an ISO date.", fix="Write it like 2013-06-01.") from err


def bounds(
    first: dt.date | None, last: dt.date | None, nights: int | None, today: dt.date
) -> tuple[dt.date | None, dt.date | None]:
    """Return the first and the last night if the options give them; with --last and without --to the last is yesterday.

    Raises:
        UsageError: both the first night and the number of nights are given.
    """
    if nights is None:
        return first, last
    if first is not None:
        raise UsageError("--from and --last both define the first night.", fix="Leave out one of them.")
    end = last or today - DAY
    return end - (nights - 1) * DAY, end


def span(
    table: ReplayTable, configs: Sequence[ModelConfig], first: dt.date | None, last: dt.date | None, later: bool = False
) -> tuple[ReplayRows, dt.date, dt.date]:
    """Return the rows that the nights need, and the first and the last night.

    With `later` the first night is not before a model can be trained.

    Raises:
        UsageError: the first night is after the last.
        DataError: there are no rows on these days.
    """
    from monitoring.counting import days_needed

    if first and last and first > last:
        raise UsageError(f"--from {first} is after --to {last}.", fix="Swap them.")
    training = table.config.training
    lead = (training.window_days + training.maturity_days) * DAY
    window = max(days_needed(config) for config in configs) * DAY
    rows = table.rows(first - max(lead, window) if first else None, last)
    begin, end = first or rows.first + lead, last or rows.last
    if later:
        begin = max(begin, rows.first + lead)
    if begin > end or not rows.pieces(midnight(begin - DAY), midnight(end + DAY)):
        raise DataError(
            f"{table.shown} has no rows for the nights from {begin} to {end}; its rows are from {rows.first} to "
            f"{rows.last}.",
            why=f"The first training needs {lead.days} days: training.window_days and training.maturity_days.",
            fix="Choose other nights with --from and --to, or another source with --source.",
        )
    return rows, begin, end
