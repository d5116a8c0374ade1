"""Count the monitoring rows of the last days, and stop the night when they are broken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import DataError
from scripts import options, output
from scripts.night import DAY, Night, midnight

if TYPE_CHECKING:
    from monitoring.source import Source
    from monitoring.tally import Baseline, DayTally
    from monitoring.window import Window


def pull(
    model: options.Model = None, as_of: options.AsOf = None, json: options.Json = False, out: options.Out = None
) -> None:
    """Count the monitoring rows of the last days into window.json, and judge their quality.

    Example: mlops pull --model flights --as-of 2013-06-01
    """
    night = Night.open(model, as_of)
    with night.stage("pull"):
        window = run(night, out)
        output.show(window, lines(window), as_json=json)
        stop_if_broken(night, window)


def run(night: Night, out: Path | None = None) -> Window:
    """The tallies of the days that the triggers need, with the verdict of the expectation suite; also written."""
    window = counted(night)
    window.write(night.file("window.json", out))
    return window


def counted(night: Night) -> Window:
    """The window; empty where no version is in service, because there is nothing to compare with."""
    from monitoring.window import Window

    champion = night.champion
    empty = Window(
        model=night.name,
        version=champion.version if champion else None,
        as_of=night.as_of,
        start=night.today - days_needed(night) * DAY,
        end=night.today,
        days=(),
        missing=(),
        future_rows=0,
        quality=None,
    )
    if champion is None:
        return empty
    from model.quality import check_window

    source = night.source
    baseline = night.baseline(champion)
    tallies = count(night, source, baseline, str(champion.version))
    window = empty.model_copy(
        update={
            "days": tuple(day for day in tallies if day.date < night.today),
            "future_rows": sum(day.rows for day in tallies if day.date > night.today),
            "missing": tuple(name for name in night.config.data.features if name not in source.columns),
        }
    )
    return window.model_copy(update={"quality": check_window(window, baseline, night.config)})


def count(night: Night, source: Source, baseline: Baseline, version: str) -> tuple[DayTally, ...]:
    """Read the rows of the window once and count them by day.

    A live night reads without an upper end, to see rows that claim to be from the future.
    """
    from monitoring import tally

    data = night.config.data
    names = [*data.features, *data.roles]
    start = midnight(night.today - days_needed(night) * DAY)
    batches = source.batches(names, start, None if night.live else midnight(night.today))
    return tally.count(batches, baseline.axes, data.columns, version=version, as_of=night.as_of)


def days_needed(night: Night) -> int:
    """How many days back the triggers look: drift over several nights, performance over mature labels."""
    triggers = night.config.triggers
    drift = triggers.drift.window_days + triggers.drift.nights[1] - 1
    return max(drift, triggers.performance.window_days + night.config.training.maturity_days)


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


def lines(window: Window) -> list[str]:
    """The result for a person."""
    if window.version is None:
        return [f"{window.model}: no version in Production yet, nothing to compare with"]
    rows = sum(day.rows for day in window.days)
    found = window.quality
    said = "" if found is None else f", {found.checks} checks, {len(found.findings)} findings"
    head = f"{window.model}: {rows:,} rows in {len(window.days)} days up to {window.end - DAY}{said}"
    warnings = [f"  [yellow]{f.severity}[/] {output.clean(f.sentence)}" for f in found.findings] if found else []
    return [head, *warnings]
