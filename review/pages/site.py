"""Show how every model fares as a static site: an index, and a page a model with its history, for anybody to read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.days import DAY
from review.pages import event_lines, timeline
from review.pages.report import FORMATS, MOST_COLUMNS
from review.pages.template import template
from review.text import event_text, scales, verdict_text

if TYPE_CHECKING:
    from monitoring.drift import DriftReport
    from registry import Event, ModelVersion
    from review.forge import Proposal


DRAWN = 400 * DAY  # of the score: more would be too narrow on a phone
LATE = 2 * DAY
OPEN_LINES = 30
TRIGGERS = ("performance", "drift", "age", "manual", "score", "target", "estimate")


@dataclass(frozen=True)
class Status:
    """What is known of a model at an instant.

    `unread` says why nothing is, `problems` what else could not be read, a sentence each. `events` are in the order in
    which they happened, `serving` is the version in Production, `differs` what `mlops promote` would do, `metric` what
    the performance is measured in, `least` the effect from which on a column may count as drifted.
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
        """When the version in service came into service."""
        if self.serving is None:
            return None
        moves = [one for one in self.events if one.kind in event_text.MOVES and one.version == self.serving.version]
        return moves[-1].timestamp if moves else self.serving.promoted_at

    @property
    def judged(self) -> Event | None:
        """The last night on which the triggers were judged."""
        return next((event for event in reversed(self.events) if event.kind == "decision"), None)

    @property
    def pill(self) -> tuple[str, str]:
        """The state in two or three words, and how good it is."""
        last, judged = self.events[-1] if self.events else None, self.judged
        fired = judged.trigger if judged else ""
        late = judged is None or self.as_of - judged.timestamp > LATE
        found = [
            ("bad", "✕ cannot be read", bool(self.unread)),
            ("bad", "✕ MLflow differs from git", bool(self.differs)),
            ("bad", f"✕ {last.trigger if last else ''} failed", last is not None and last.kind == "failure"),
            ("", "not in service", self.serving is None),
            ("warn", "! no night lately", late),
            ("warn", f"! {fired} fired", bool(fired)),
            ("note", "proposal open", self.proposal is not None),
        ]
        return next(((tone, text) for tone, text, holds in found if holds), ("good", "✓ quiet"))

    @property
    def headline(self) -> str:
        """What is in service, in one sentence."""
        if self.unread:
            return f"{self.name} cannot be read"
        if self.serving is None:
            return "No version is in service"
        since = f" since {verdict_text.moment(self.since)}" if self.since else ""
        return f"Version {self.serving.version} in service{since}"

    @property
    def link(self) -> str:
        """The address of the proposal, where others can open it."""
        url = self.proposal.url if self.proposal else ""
        return url if url.startswith("https://") else ""


@dataclass(frozen=True)
class ReadingCell:
    """What a trigger said on the last night, as the event log has it."""

    trigger: str
    state: str
    sentence: str
    value: float | None
    limit: float | None


def render_site(statuses: Sequence[Status], as_of: dt.datetime) -> dict[str, str]:
    """The pages by their paths in the site: no script, nothing loaded, light and dark, phone and desktop.

    Args:
        statuses: of all models.
        as_of: the instant that the site tells of.
    """
    index, page = (template(f"site_{name}.html.jinja", **FORMATS) for name in ("index", "model"))
    shown = [(status, drawn(status)) for status in statuses]
    pages = {"index.html": str(index.render(shown=shown, as_of=as_of, words=verdict_text))}
    for status, picture in shown:
        columns = verdict_text.drifted_first(status.drift)
        log = event_lines.lines(status.events, status.metric)
        pages[f"{status.name}/index.html"] = str(
            page.render(
                status=status,
                as_of=as_of,
                words=verdict_text,
                pictures=scales,
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
    """The score over time; None before there are two nights with one."""
    shown = [event for event in status.events if status.as_of - event.timestamp <= DRAWN]
    return timeline.timeline(shown, status.metric)


def readings(judged: Event | None) -> list[ReadingCell]:
    """A line for each trigger; nobody's asking for a retraining is none."""
    told = judged.details if judged else {}
    metrics = judged.metrics if judged else {}
    return [
        ReadingCell(name, state, sentence, metrics.get(name), metrics.get(f"{name}_limit"))
        for name in TRIGGERS
        if name in told
        for state, _, sentence in [told[name].partition(": ")]
        if (name, state) != ("manual", "quiet")
    ]


def effects(status: Status) -> scales.Scale:
    """The axis of how far columns moved, which all of them share."""
    columns = status.drift.nights[-1].columns if status.drift and status.drift.nights else ()
    most = max([2 * status.least, 0.1, *(max(one.effect, one.own or 0.0) for one in columns)])
    return scales.Scale(0.0, 1.05 * most)
