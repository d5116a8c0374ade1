"""The status site: an index of all models, and a page for each model with its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.days import DAY
from review.pages import event_lines, timeline
from review.pages.report import MOST_COLUMNS
from review.text import Row, TriggerState, column_views, event_text, numbers, scales, template, verdict_view

if TYPE_CHECKING:
    from monitoring.drift import DriftReport
    from registry import Event, ModelVersion
    from review.forge import Proposal


DRAWN = 400 * DAY  # of the score: more would be too narrow on a phone
LATE = 2 * DAY
OPEN_LINES = 30
TRIGGERS = ("performance", "drift", "age", "manual", "damage", "score", "target", "estimate")


@dataclass(frozen=True)
class Status:
    """The status of a model at an instant.

    `unread` says why the model cannot be read, `problems` what else could not be read, a sentence each. `events` are in
    order of time, `serving` is the version in Production, `differs` what `mlops promote` would do, `metric` is that of
    the performance, `least` the smallest effect that counts as drift.
    """

    name: str
    as_of: dt.datetime
    unread: str = ""
    problems: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    serving: ModelVersion | None = None
    proposal: Proposal | None = None
    drift: DriftReport | None = None
    differs: str = ""
    metric: str = "score"
    least: float = 0.0

    @property
    def since(self) -> dt.datetime | None:
        """Return when the version in service was promoted or restored."""
        if self.serving is None:
            return None
        moves = [e for e in self.events if e.kind in event_text.MOVES and e.version == self.serving.version]
        return moves[-1].timestamp if moves else self.serving.promoted_at

    @property
    def judged(self) -> Event | None:
        """Return the last decision of the triggers."""
        return next((event for event in reversed(self.events) if event.kind == "decision"), None)

    @property
    def pill(self) -> tuple[str, str]:
        """Return the tone and the state in two or three words."""
        last, judged = self.events[-1] if self.events else None, self.judged
        fired = judged.trigger if judged else ""
        late = judged is None or self.as_of - judged.timestamp > LATE
        states = [
            ("bad", "✕ cannot be read", bool(self.unread)),
            ("bad", "✕ MLflow differs from git", bool(self.differs)),
            ("bad", f"✕ {last.trigger if last else ''} failed", last is not None and last.kind == "failure"),
            ("", "not in service", self.serving is None),
            ("warn", "! no recent nightly run", late),
            ("warn", f"! {fired} fired", bool(fired)),
            ("note", "proposal open", self.proposal is not None),
        ]
        return next(((tone, text) for tone, text, holds in states if holds), ("good", "✓ quiet"))

    @property
    def headline(self) -> str:
        """Return what is in service, in one sentence."""
        if self.unread:
            return f"{self.name} cannot be read"
        if self.serving is None:
            return "No version is in service"
        since = f" since {numbers.moment(self.since)}" if self.since else ""
        return f"Version {self.serving.version} in service{since}"

    @property
    def link(self) -> str:
        """Return the address of the proposal; empty if only this machine can open it."""
        url = self.proposal.url if self.proposal else ""
        return url if url.startswith("https://") else ""


@dataclass(frozen=True)
class ReadingCell:
    """The reading of a trigger in the last decision, from the event log."""

    trigger: str
    state: str
    sentence: str
    value: float | None
    limit: float | None

    @property
    def tone(self) -> str:
        """Return the color class of the state, which is text in old logs."""
        tones = {state.text: state.tone for state in TriggerState}
        return tones.get(self.state, "")


def render_site(statuses: Sequence[Status], as_of: dt.datetime) -> dict[str, str]:
    """Return the pages by their paths in the site: no script, nothing loaded, light and dark, phone and desktop.

    Args:
        statuses: of all models.
        as_of: the instant of the statuses.
    """
    index, page = (template.html("review.pages", f"site_{name}.html.jinja") for name in ("index", "model"))
    shown = [(status, drawn(status)) for status in statuses]
    pages = {"index.html": str(index.render(shown=shown, as_of=as_of))}
    for status, picture in shown:
        columns = column_views(status.drift)
        log = event_lines.lines(status.events, status.metric)
        pages[f"{status.name}/index.html"] = str(
            page.render(
                status=status,
                as_of=as_of,
                caution=verdict_view.caution(status.metric),
                scales=scales,
                Row=Row,
                timeline=picture,
                readings=readings(status.judged),
                columns=columns[:MOST_COLUMNS],
                other_columns=columns[MOST_COLUMNS:],
                effects=effects(status),
                log=log[:OPEN_LINES],
                older=log[OPEN_LINES:],
            )
        )
    return pages


def drawn(status: Status) -> timeline.Timeline | None:
    """Return the score over time; None if fewer than two nights have one."""
    shown = [event for event in status.events if status.as_of - event.timestamp <= DRAWN]
    return timeline.timeline(shown, status.metric)


def readings(judged: Event | None) -> list[ReadingCell]:
    """Return the reading of each trigger, without a manual trigger that was not used."""
    if judged is None:
        return []
    cells = []
    for name in TRIGGERS:
        state, _, sentence = judged.details.get(name, "").partition(": ")
        if state and (name, state) != ("manual", "quiet"):
            value, limit = judged.metrics.get(name), judged.metrics.get(f"{name}_limit")
            cells.append(ReadingCell(name, state, sentence, value, limit))
    return cells


def effects(status: Status) -> scales.Scale:
    """Return the axis of effects, which all columns share."""
    columns = status.drift.nights[-1].columns if status.drift and status.drift.nights else ()
    most = max([2 * status.least, 0.1, *(max(column.effect, column.own or 0.0) for column in columns)])
    return scales.Scale(0.0, 1.05 * most)
