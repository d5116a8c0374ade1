"""The pull stage: count the monitoring rows of the last days, and stop if they are broken."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.days import DAY, midnight
from core.errors import DataError, MlopsError

if TYPE_CHECKING:
    from monitoring.counting import DayTally, Window
    from monitoring.sources import Source
    from registry import ModelVersion
    from stages.context import Night
    from stages.ports import Run

LOG = logging.getLogger("mlops")


@contextmanager
def pulled(night: Night, out: Path | None = None, *, fresh: bool = False) -> Iterator[Window]:
    """Run the whole stage: count, let the caller print the window, and stop if it is broken."""
    with night.stage("pull"):
        window = count_window(night, out, fresh=fresh, versions=True)
        yield window
        stop_if_broken(window)


def count_window(run: Run, out: Path | None = None, *, fresh: bool = False, versions: bool = False) -> Window:
    """Return the tallies of the days that the triggers need, with the findings of the expectation suite; also written.

    Before the first promotion the window is empty, because there is no baseline to compare with. `versions`: also
    look for rows that name a version which is not registered. In a replay most rows do: it registers its own versions.
    """
    from monitoring.counting import build_window

    champion, config = run.champion, run.config
    if champion is None:
        window = build_window(config, None, run.as_of, (), ())
    else:
        source, baseline = run.source, run.baseline(champion)
        kept = {} if fresh else _known_days(run, champion)
        tallies = _count_days(run, source, champion, kept)
        window = build_window(config, champion.version, run.as_of, tallies, source.columns)
        window = window.model_copy(update={"quality": run.calculations.check_window(window, config, baseline)})
        _keep_days(run, champion, kept, window)
        window = _with_unregistered(run, source, window) if versions else window
    run.write("window.json", window.to_json, out)
    return window


def _count_days(
    run: Run, source: Source, champion: ModelVersion, kept: Mapping[dt.date, DayTally]
) -> tuple[DayTally, ...]:
    """Return the days of the window, read once; the features of those in `kept` are not read at all.

    A live run reads without an upper end, to see rows that claim to be from the future.
    """
    from monitoring.counting import days_needed, reuse_counted_days, tally
    from monitoring.sources import Counting
    from monitoring.tasks import task_for_data

    data, version = run.config.data, str(champion.version)

    def read(start: dt.date, end: dt.date | None, *, features: bool = True) -> tuple[DayTally, ...]:
        names = [*data.features, *data.roles] if features else [role for role in data.roles if role != data.columns.id]
        span = midnight(start), midnight(end) if end else None
        axes = run.baseline(champion).axes if features else {}
        if isinstance(source, Counting):
            return source.tally(names, *span, axes, version=version, as_of=run.as_of)
        batches, task = source.batches(names, *span), task_for_data(data)
        return tally.count(batches, axes, data.columns, version=version, as_of=run.as_of, task=task)

    first, end = run.today - days_needed(run.config) * DAY, None if run.live else run.today
    if not kept:
        return read(first, end)
    return reuse_counted_days(kept, read(first, end, features=False), run.today, read)


def _with_unregistered(run: Run, source: Source, window: Window) -> Window:
    """Return the window with a finding if scored rows name a version that is not registered."""
    from monitoring.counting import scored_versions, unregistered_versions
    from monitoring.tasks import task_of

    columns, quality, task = run.config.data.columns, window.quality, task_of(run.config)
    # Usually every row was scored by the champion. Only the rows of other versions are worth another reading.
    others = sum(day.rows - day.unscored - task.rows(day.scores.array) for day in window.days)
    if columns.version is None or quality is None or not others:
        return window
    names = [name for name in (columns.time, columns.score, columns.version) if name in source.columns]
    rows = scored_versions(source.batches(names, midnight(window.start), midnight(window.end)), columns)
    finding = unregistered_versions(
        rows, run.registry.versions(run.config.registry_name), columns.version, window.model
    )
    if finding is None:
        return window
    return window.model_copy(update={"quality": quality.model_copy(update={"findings": (*quality.findings, finding)})})


def _known_days(run: Run, champion: ModelVersion) -> dict[dt.date, DayTally]:
    """Return the days that earlier runs counted; none if they cannot be read, so that all days are counted again."""
    try:
        kept = run.registry.known_days(champion)
    except MlopsError as err:
        LOG.warning("What earlier nights counted cannot be read, so every day is counted again: %s", err)
        return {}
    return kept.by_date(run.config.data) if kept else {}


def _keep_days(run: Run, champion: ModelVersion, kept: Mapping[dt.date, DayTally], window: Window) -> None:
    """Keep the days of a window for later runs, if there is a new one. This run is right without that.

    Nothing is kept of a window that stops the run, and no broken day: these are counted again until they are fixed.
    """
    from monitoring.counting import KnownDays

    quality = window.quality
    if quality is None or quality.critical:
        return
    days = [day for day in window.days if day.date not in quality.broken_days]
    if all(day.date in kept and kept[day.date].rows == day.rows for day in days):
        return
    try:
        run.registry.keep_days(champion, KnownDays.of(run.config.data, days))
    except MlopsError as err:
        LOG.warning("What was counted could not be kept for the next night, which counts it again: %s", err)


def stop_if_broken(window: Window) -> None:
    """End the run if the expectation suite found something critical.

    Raises:
        DataError: with the findings.
    """
    critical = window.quality.critical if window.quality else ()
    if critical:
        more = f" (and {len(critical) - 3} more)" if len(critical) > 3 else ""  # noqa: PLR2004 - a readable line
        raise DataError(
            f"The monitoring data of {window.model} is broken: {'; '.join(f.sentence for f in critical[:3])}{more}.",
            why="Broken data looks like drift: judging it would retrain the model on garbage.",
            fix="Fix the feed, then run the nightly job again. Nothing was retrained.",
        )
