"""The pull stage: count the monitoring rows of the last days, and stop when they are broken."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.days import DAY, midnight
from core.errors import DataError, MlopsError
from stages.context import Night

if TYPE_CHECKING:
    from monitoring.counting import Baseline, DayTally, Window
    from monitoring.sources import Source
    from registry import ModelVersion

LOG = logging.getLogger("mlops")


@contextmanager
def stage(night: Night, out: Path | None = None, *, fresh: bool = False) -> Iterator[Window]:
    """The stage as a whole: count, let the caller show the window, and stop where it is broken."""
    with night.stage("pull"):
        window = run(night, out, fresh=fresh)
        yield window
        stop_if_broken(night, window)


def run(night: Night, out: Path | None = None, *, fresh: bool = False) -> Window:
    """The tallies of the days that the triggers need, with the verdict of the expectation suite; also written."""
    window = counted(night, fresh=fresh)
    window.write(night.file("window.json", out))
    return window


def counted(night: Night, *, fresh: bool = False) -> Window:
    """The window; empty where no version is in service, because there is nothing to compare with."""
    from monitoring.counting import build_window

    champion = night.champion
    if champion is None:
        return build_window(night.config, None, night.as_of, (), ())
    from training.quality import check_window

    source = night.source
    baseline = night.baseline(champion)
    known = {} if fresh else known_days(night, champion)
    tallies = count(night, source, baseline, str(champion.version), known)
    window = build_window(night.config, champion.version, night.as_of, tallies, source.columns)
    window = window.model_copy(update={"quality": check_window(window, night.config, baseline)})
    keep_days(night, champion, known, window)
    return window


def count(
    night: Night, source: Source, baseline: Baseline, version: str, known: dict[dt.date, DayTally]
) -> tuple[DayTally, ...]:
    """The days of the window, read once; the features of those in `known` not at all.

    A live night reads without an upper end, to see rows that claim to be from the future.
    """
    from monitoring.counting import days_needed, reuse_counted_days, tally
    from monitoring.sources import Counting
    from monitoring.tasks import task_for_data

    data = night.config.data
    first = night.today - days_needed(night.config) * DAY

    def read(start: dt.date, end: dt.date | None, *, features: bool = True) -> tuple[DayTally, ...]:
        names = [*data.features, *data.roles] if features else [role for role in data.roles if role != data.columns.id]
        span = midnight(start), midnight(end) if end else None
        axes = baseline.axes if features else {}
        if isinstance(source, Counting):
            return source.tally(names, *span, axes, version=version, as_of=night.as_of)
        rows, task = source.batches(names, *span), task_for_data(data)
        return tally.count(rows, axes, data.columns, version=version, as_of=night.as_of, task=task)

    end = None if night.live else night.today
    if not known:
        return read(first, end)
    return reuse_counted_days(known, read(first, end, features=False), night.today, read)


def known_days(night: Night, champion: ModelVersion) -> dict[dt.date, DayTally]:
    """The days that earlier nights counted; none where they cannot be read: then all are counted again."""
    try:
        kept = night.registry.known_days(champion)
    except MlopsError as err:
        LOG.warning("What earlier nights counted cannot be read, so every day is counted again: %s", err)
        return {}
    return kept.by_date(night.config.data) if kept else {}


def keep_days(night: Night, champion: ModelVersion, known: dict[dt.date, DayTally], window: Window) -> None:
    """Keep the days of a window for the nights to come, if there is a new one. The night is right without that.

    Nothing of a night that is stopped, and no day that must not be judged: these are counted again until the rows are
    mended.
    """
    from monitoring.counting import KnownDays

    found = window.quality
    if found is None or found.critical:
        return
    days = [day for day in window.days if day.date not in found.broken_days]
    if all(day.date in known and known[day.date].rows == day.rows for day in days):
        return
    try:
        night.registry.keep_days(champion, KnownDays.of(night.config.data, days))
    except MlopsError as err:
        LOG.warning("What was counted could not be kept for the next night, which counts it again: %s", err)


def stop_if_broken(night: Night, window: Window) -> None:
    """End the night when the suite found something critical.

    Raises:
        DataError: with the findings.
    """
    critical = window.quality.critical if window.quality else ()
    if critical:
        more = f" (and {len(critical) - 3} more)" if len(critical) > 3 else ""  # noqa: PLR2004 - a readable line
        raise DataError(
            f"The monitoring data of {night.name} is broken: {'; '.join(f.sentence for f in critical[:3])}{more}.",
            why="Broken data looks like drift: judging it would retrain the model on garbage.",
            fix="Mend the feed and run the night again; nothing was retrained, Production is unchanged.",
        )
