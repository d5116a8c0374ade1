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
    from monitoring.window import looked_at

    champion = night.champion
    if champion is None:
        return looked_at(night.config, None, night.as_of, (), ())
    from model.quality import check_window

    source = night.source
    baseline = night.baseline(champion)
    tallies = count(night, source, baseline, str(champion.version))
    window = looked_at(night.config, champion.version, night.as_of, tallies, source.columns)
    return window.model_copy(update={"quality": check_window(window, baseline, night.config)})


def count(night: Night, source: Source, baseline: Baseline, version: str) -> tuple[DayTally, ...]:
    """Read the rows of the window once and count them by day.

    A live night reads without an upper end, to see rows that claim to be from the future.
    """
    from monitoring import tally
    from monitoring.window import days_needed

    data = night.config.data
    names = [*data.features, *data.roles]
    start = midnight(night.today - days_needed(night.config) * DAY)
    batches = source.batches(names, start, None if night.live else midnight(night.today))
    return tally.count(batches, baseline.axes, data.columns, version=version, as_of=night.as_of)


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
