"""Write the status and history of every model as a static site, for those who do not type commands."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from core.days import DAY, midnight
from core.errors import MlopsError
from core.redaction import redact
from scripts.cli import options, output
from stages import clock
from stages.context import Night
from stages.repository import find_root

if TYPE_CHECKING:
    from monitoring.drift import DriftReport
    from registry import Event
    from review.pages import Status

T = TypeVar("T")
READABLE = 0o644  # GitHub Pages refuses files that others cannot read
OutDir = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where the pages go. Default: local/site.")]


def site(
    as_of: options.AsOf = None, json: options.Json = False, out: options.Out = None, out_dir: OutDir = None
) -> None:
    """Write pages that show every model: in service since, score over time, drift, open proposal, event log.

    Example: mlops site --out-dir local/site
    """
    from core.config import Settings, model_names
    from core.records import write_atomically
    from review.pages import render_site

    root = find_root(Path.cwd())
    moment, _ = clock.instant(as_of)
    folder = out_dir or Settings.load(root).local / "site"
    statuses = [status(root, name, moment) for name in model_names(root)]
    for one in statuses:
        for problem in filter(None, (one.unread, *one.problems)):
            output.warn(f"{one.name}: {problem}")
    pages = render_site(statuses, moment)
    for path, text in pages.items():
        write_atomically(folder / path, text)
        (folder / path).chmod(READABLE)
    unread = {one.name: one.unread for one in statuses if one.unread}
    result = {"folder": str(folder), "pages": list(pages), "unread": unread}
    said = f"{len(pages)} pages, begin with {output.clean(folder / 'index.html')}"
    output.show(result, [said], as_json=json, out=out)


def status(root: Path, name: str, as_of: dt.datetime) -> Status:
    """What the site shows of a model; one that cannot be read says so, and keeps no other from being shown."""
    from review.pages import Status

    try:
        night = Night.open(name, as_of.isoformat(), root=root)
        return read(night)
    except MlopsError as err:
        return Status(name=name, as_of=as_of, unread=hidden(err.what))


def read(night: Night) -> Status:
    """The status of a model whose registry answers. What the forge or a damaged record keeps back is said.

    Raises:
        MlopsError: the registry does not answer.
    """
    from registry import read_events
    from review.pages import Status
    from stages.promote import agreement

    problems: list[str] = []

    def attempt(what: Callable[[], T]) -> T | None:
        try:
            return what()
        except MlopsError as err:
            problems.append(hidden(err.what))
            return None

    events = [event for event in read_events(night.registry.client, night.name) if event.timestamp <= night.as_of]
    agrees = hidden(attempt(lambda: agreement(night)) or "")
    return Status(
        name=night.name,
        as_of=night.as_of,
        events=tuple(map(publishable, events)),
        serving=attempt(lambda: night.champion),
        proposal=attempt(lambda: night.forge.open_proposal(night.name)),
        drift=attempt(lambda: drift(night)),
        differs=f"MLflow {agrees}" if agrees.startswith("DISAGREES") else "",
        metric=night.config.triggers.performance.metric,
        least=night.config.triggers.drift.min_effect,
        problems=tuple(dict.fromkeys(problems)),
    )


def drift(night: Night) -> DriftReport | None:
    """How far each column moved, from the days that the last nights counted; no row is read for that.

    None where nothing is in service, and before the first night of the version that is.
    """
    from monitoring.counting import build_window
    from monitoring.drift import drift_report

    champion = night.champion
    kept = night.registry.known_days(champion) if champion else None
    days = kept.by_date(night.config.data) if kept else {}
    counted = [date for date in days if date < night.today]
    if champion is None or not counted:
        return None
    end = night.at(midnight(max(counted) + DAY))
    window = build_window(end.config, champion.version, end.as_of, days.values(), end.config.data.features)
    return drift_report(night.baseline(champion), window, night.config.triggers.drift, ())


def publishable(event: Event) -> Event:
    """An event with nothing in its texts that is for insiders."""
    shown: dict[str, Any] = {
        "error": None if event.error is None else hidden(event.error),
        "reasons": tuple(map(hidden, event.reasons)),
        "details": {name: hidden(text) for name, text in event.details.items()},
    }
    return event.model_copy(update=shown)


def hidden(text: str) -> str:
    """Text without addresses and passwords, also on a laptop: these pages are made to be shown around."""
    return redact(text, {**os.environ, "GITHUB_ACTIONS": "true"})
