"""Tell a model's event log line by line, the newest first, with nights on which nothing was done drawn together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from review.text import count, event_text, figure, label, start

if TYPE_CHECKING:
    from registry import Event


@dataclass(frozen=True)
class EventLine:
    """What happened from one day to another (mostly the same), the kind of its mark (empty: none), and an address."""

    first: dt.date
    last: dt.date
    kind: str
    text: str
    link: str = ""


def lines(events: Sequence[Event], metric: str) -> list[EventLine]:
    """The log of a model, from its events in the order in which they happened; `metric` is that of its performance."""
    runs = [list(run) for _, run in groupby(events, key=_alike)]
    return [_idle(run, metric) if quiet(run[0]) else _line(run[0]) for run in reversed(runs)]


def quiet(event: Event) -> bool:
    """Whether an event is a night on which nothing was to be done."""
    return event.kind == "decision" and event.details.get("retrain") != "true"


def _alike(event: Event) -> Hashable:
    """Equal for nights that are told in one line."""
    return event.trigger if quiet(event) else id(event)


def _idle(run: Sequence[Event], metric: str) -> EventLine:
    """Nights in a row without a training, for the same reason."""
    nights, last = f"{len(run)} night{'' if len(run) == 1 else 's'}", run[-1]
    if last.trigger:
        text = ": ".join((f"{nights} on which {last.trigger} fired, held back", *last.reasons[-1:]))
    else:
        text = f"{len(run)} quiet {nights.partition(' ')[2]}{_scores(run, metric)}"
    return EventLine(run[0].timestamp.date(), last.timestamp.date(), "", text)


def _scores(run: Sequence[Event], metric: str) -> str:
    found = [event.metrics["performance"] for event in run if "performance" in event.metrics]
    if not found:
        return ""
    ends = dict.fromkeys(figure(end, metric) for end in (min(found), max(found)))
    return f", {label(metric)} {' to '.join(ends)}"


def _line(event: Event) -> EventLine:
    address = event.details.get("url", "")
    link = address if address.startswith("https://") else ""  # a forge on this machine has no pages for others
    day = event.timestamp.date()
    return EventLine(day, day, event_text.kind(event) or "", start(_text(event)), link)


def _text(event: Event) -> str:
    because = "; ".join(event.reasons)
    match event.kind:
        case "decision":
            return f"To be trained: {because}"
        case "training":
            rows = event.metrics.get("fit_rows")
            return f"version {event.version} trained" + (f" on {count(int(rows))} rows" if rows else "")
        case "validation" if event.success:
            return f"version {event.version} passed all gates"
        case "proposal":
            return f"pull request {event.details.get('number', '')}: {because}"
        case "failure":
            return f"{event.trigger} failed: {event.error or because}"
    return event_text.deed(event)
