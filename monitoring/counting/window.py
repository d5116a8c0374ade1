"""Window of a nightly run: the tallies of its days, and the findings of the quality checks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from core.config import ModelConfig
from core.quality_report import QualityReport
from core.records import Record
from monitoring.counting.tally import DayTally


class Window(Record):
    """The days `start` <= day < `end` as of a nightly run.

    `version`: the champion whose scores are counted. `missing`: configured columns that the source does not have.
    `future_rows`: rows later than the day of `as_of`.
    """

    model: str
    version: int | None
    as_of: dt.datetime
    start: dt.date
    end: dt.date
    days: tuple[DayTally, ...]
    missing: tuple[str, ...]
    future_rows: int
    quality: QualityReport | None

    def last(self, n_days: int, until: dt.date | None = None) -> tuple[DayTally, ...]:
        """Return the tallies of the `n_days` days before `until` (default: `end`), oldest first, if they exist."""
        end = self.end if until is None else until
        start = end - dt.timedelta(days=n_days)
        return tuple(sorted((d for d in self.days if start <= d.date < end), key=lambda day: day.date))


def days_needed(config: ModelConfig) -> int:
    """Return how many days back the triggers look: drift over several nights, performance over mature labels."""
    triggers = config.triggers
    drift = triggers.drift.window_days + triggers.drift.nights[1] - 1
    return max(drift, triggers.performance.look_days[-1] + config.training.maturity_days)


def build_window(
    config: ModelConfig, version: int | None, as_of: dt.datetime, tallies: Iterable[DayTally], columns: Collection[str]
) -> Window:
    """Return the window of a nightly run without quality findings, from daily tallies and the columns of the source.

    Without a version there is nothing to compare with, so the window is empty.
    """
    today = as_of.date()
    days = tuple(tallies) if version is not None else ()
    return Window(
        model=config.name,
        version=version,
        as_of=as_of,
        start=today - dt.timedelta(days=days_needed(config)),
        end=today,
        days=tuple(day for day in days if day.date < today),
        missing=() if version is None else tuple(name for name in config.data.features if name not in columns),
        future_rows=sum(day.rows for day in days if day.date > today),
        quality=None,
    )
