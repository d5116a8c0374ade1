"""The command `mlops site`: status and history of every model as a static web site."""

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
OutDir = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Folder for the pages. Default: local/site.")]


def site(
    as_of: options.AsOf = None, json: options.Json = False, out: options.Out = None, out_dir: OutDir = None
) -> None:
    """Write web pages for all models: version in Production, score over time, drift, open pull request, event log.

    Example: mlops site --out-dir local/site
    """
    from core.config import Settings, model_names
    from core.records import write_atomically
    from review.pages import render_site

    root = find_root(Path.cwd())
    moment, _ = clock.instant(as_of)
    folder = out_dir or Settings.load(root).local / "site"
    statuses = [status(root, name, moment) for name in model_names(root)]
    for model in statuses:
        for problem in filter(None, (model.unread, *model.problems)):
            output.warn(f"{model.name}: {problem}")
    pages = render_site(statuses, moment)
    for path, text in pages.items():
        write_atomically(folder / path, text)
        (folder / path).chmod(READABLE)
    unread = {model.name: model.unread for model in statuses if model.unread}
    result = {"folder": str(folder), "pages": list(pages), "unread": unread}
    line = f"{len(pages)} pages written, open {output.clean(folder / 'index.html')}"
    output.show(result, [line], as_json=json, out=out)


def status(root: Path, name: str, as_of: dt.datetime) -> Status:
    """Return the status of a model for the site. A model that cannot be read has an error text as its status."""
    from review.pages import Status

    try:
        night = Night.open(name, as_of.isoformat(), root=root)
        return read(night)
    except MlopsError as err:
        return Status(name=name, as_of=as_of, unread=hidden(err.what))


def read(night: Night) -> Status:
    """Return the status of a model. What GitHub or a damaged record does not give is listed as a problem.

    Raises:
        MlopsError: the registry does not answer.
    """
    from registry import read_events
    from review.pages import Status
    from stages.promote import agreement

    problems: list[str] = []

    def attempt(read_part: Callable[[], T]) -> T | None:
        try:
            return read_part()
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
    """Return how far each column drifted, from the days that earlier nightly runs counted; no row is read.

    None if no version is in Production, or if no nightly run has counted days for that version.
    """
    from monitoring.counting import build_window
    from monitoring.drift import drift_report

    champion = night.champion
    known_days = night.registry.known_days(champion) if champion else None
    days = known_days.by_date(night.config.data) if known_days else {}
    counted = [date for date in days if date < night.today]
    if champion is None or not counted:
        return None
    end = night.at(midnight(max(counted) + DAY))
    window = build_window(end.config, champion.version, end.as_of, days.values(), end.config.data.features)
    return drift_report(night.baseline(champion), window, night.config.triggers.drift, ())


def publishable(event: Event) -> Event:
    """Return an event without addresses and passwords in its texts."""
    shown: dict[str, Any] = {
        "error": None if event.error is None else hidden(event.error),
        "reasons": tuple(map(hidden, event.reasons)),
        "details": {name: hidden(text) for name, text in event.details.items()},
    }
    return event.model_copy(update=shown)


def hidden(text: str) -> str:
    """Return a text without addresses and passwords, also outside of workflows, because the pages are published."""
    return redact(text, {**os.environ, "GITHUB_ACTIONS": "true"})
