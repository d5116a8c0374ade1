"""The event log of a model in lines, the newest first, with nights without a training in one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from core import wording
from review.text import event_text, numbers

if TYPE_CHECKING:
    from registry import Event


@dataclass(frozen=True)
class EventLine:
    """What happened from `first` to `last`, mostly one day, the kind of its mark (empty: none), and an address."""

    first: dt.date
    last: dt.date
    kind: str
    text: str
    link: str = ""


def lines(events: Sequence[Event], metric: str) -> list[EventLine]:
    """Return the log of a model, from its events in order of time; `metric` is that of its performance."""
    runs = [list(run) for _, run in groupby(events, key=_alike)]
    return [_idle(run, metric) if quiet(run[0]) else _line(run[0]) for run in reversed(runs)]


def quiet(event: Event) -> bool:
    """Return whether an event is a night without a training."""
    return event.kind == "decision" and event.details.get("retrain") != "true"


def _alike(event: Event) -> Hashable:
    """Return a key that nights in one line share."""
    return event.trigger if quiet(event) else id(event)


def _idle(run: Sequence[Event], metric: str) -> EventLine:
    """Return the line of nights in a row without a training, for the same reason."""
    unit, last = "night" if len(run) == 1 else "nights", run[-1]
    if last.trigger:
        text = ": ".join((f"{len(run)} {unit} on which {last.trigger} fired but was postponed", *last.reasons[-1:]))
    else:
        text = f"{len(run)} quiet {unit}{_scores(run, metric)}"
    return EventLine(run[0].timestamp.date(), last.timestamp.date(), "", text)


def _scores(run: Sequence[Event], metric: str) -> str:
    scores = [event.metrics["performance"] for event in run if "performance" in event.metrics]
    if not scores:
        return ""
    ends = dict.fromkeys(numbers.figure(metric, end) for end in (min(scores), max(scores)))
    return f", {wording.metric(metric)} {' to '.join(ends)}"


def _line(event: Event) -> EventLine:
    address = event.details.get("url", "")
    link = address if address.startswith("https://") else ""  # a forge on this machine has no pages for others
    day = event.timestamp.date()
    return EventLine(day, day, event_text.mark(event) or "", wording.sentence_case(_text(event)), link)


def _text(event: Event) -> str:
    reasons = "; ".join(event.reasons)
    match event.kind:
        case "decision":
            return f"Training is due: {reasons}"
        case "training":
            rows = event.metrics.get("fit_rows")
            return f"version {event.version} trained" + (f" on {numbers.count(int(rows))} rows" if rows else "")
        case "validation" if event.success:
            return f"version {event.version} passed all gates"
        case "proposal":
            return f"pull request {event.details.get('number', '')}: {reasons}"
        case "failure":
            return f"{event.trigger} failed: {event.error or reasons}"
    return event_text.undated(event)
