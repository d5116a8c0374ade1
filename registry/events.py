"""Keep what happened to a model as one MLflow run an event, so that history outlives every runner."""

from __future__ import annotations

import hashlib
import math
import re
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from core.records import Record
from registry import runs, store

if TYPE_CHECKING:
    from mlflow import MlflowClient

LONGEST = 5000
MOST = 20
SECOND = 1000


class Event(BaseModel):  # not a Record, whose method `kind` the field would hide
    """Something that happened to a model at the instant `timestamp`.

    `trigger`: what led to it. `success`: whether it went as one hopes (a refused candidate did not). `version`: the one
    it is about. `details`: addresses, commits and the like, by name.
    """

    model_config = Record.model_config

    timestamp: AwareDatetime
    model: str
    kind: Literal["decision", "training", "validation", "proposal", "promotion", "rollback", "failure"]
    trigger: str = ""
    success: bool = True
    version: int | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    error: str | None = None
    details: dict[str, str] = Field(default_factory=dict)


def record_event(client: MlflowClient, event: Event) -> None:
    """Keep an event; one that is kept already, the same in every field, is not kept twice.

    Everything is in one tag, written in one transaction: an event is there as a whole or not at all. Long texts are
    cut, numbers that are not finite left out.

    Raises:
        OutsideError: MLflow cannot be reached.
    """
    kept = _fitting(event)
    text = kept.model_dump_json()
    key = hashlib.sha256(text.encode()).hexdigest()
    at = int(event.timestamp.timestamp()) * SECOND
    with store.reaching(client.tracking_uri, f"told of an event of {event.model}"):
        place = runs.experiment(client, _place(event.model), None)
        same_second = _runs(client, place, f"attributes.start_time >= {at} and attributes.start_time < {at + SECOND}")
        run = next((run for run in same_second if run.data.tags.get("event_key") == key), None)
        if run is None:
            # Events of one instant keep the order in which they happened.
            at += min(len(same_second), SECOND - 1)
            tags = {"kind": kept.kind, "event": text, "event_key": key, "mlflow.note.content": _note(kept)}
            run = client.create_run(place, start_time=at, tags=tags, run_name=f"{kept.kind} {kept.timestamp:%Y-%m-%d}")
        _end(client, run, kept)


def _end(client: MlflowClient, run: Any, event: Event) -> None:
    """Give the run of an event its numbers and its end, unless it has them.

    Killed before that, it would stand in MLflow without numbers, and for ever as going on.
    """
    from mlflow.entities import Metric

    if run.info.status == "RUNNING":
        at = run.info.start_time
        numbers = [Metric(_key(name), value, at, 0) for name, value in event.metrics.items()]
        client.log_batch(run.info.run_id, metrics=numbers)
        client.set_terminated(run.info.run_id, "FAILED" if event.kind == "failure" else "FINISHED", at)


def last_move(client: MlflowClient, model: str) -> Event | None:
    """The last promotion or rollback that the log tells of, ended if it was cut short; None before the first.

    Raises:
        OutsideError: MLflow cannot be reached.
    """
    with store.reaching(client.tracking_uri, f"asked for the last promotion of {model}"):
        found = client.get_experiment_by_name(_place(model))
        if found is None:
            return None
        runs = [
            run
            for kind in ("promotion", "rollback")
            for run in client.search_runs(
                [found.experiment_id], f"tags.kind = '{kind}'", max_results=1, order_by=["attributes.start_time DESC"]
            )
        ]
        newest = max(runs, key=lambda run: run.info.start_time, default=None)
        told = _event(newest.data.tags.get("event", "")) if newest else None
        if told:
            _end(client, newest, told)
        return told


def read_events(client: MlflowClient, model: str) -> list[Event]:
    """All events of a model, the oldest first. Runs in its experiment that are no events are left out.

    Raises:
        OutsideError: MLflow cannot be reached.
    """
    with store.reaching(client.tracking_uri, f"asked for the events of {model}"):
        found = client.get_experiment_by_name(_place(model))
        runs = _runs(client, found.experiment_id, "") if found else []
    # MLflow's client sends a request again whose answer was lost: then the same event is there twice.
    texts = dict.fromkeys(run.data.tags.get("event", "") for run in runs)
    told = [event for text in texts if (event := _event(text)) is not None]
    return sorted(told, key=lambda event: event.timestamp)


def _place(model: str) -> str:
    return f"{model}-events"


def _runs(client: MlflowClient, experiment_id: str, where: str) -> list[Any]:
    """The runs that fit, in the order of their start."""
    return store.pages(
        lambda token: client.search_runs(
            [experiment_id], where, max_results=store.PAGE, order_by=["attributes.start_time ASC"], page_token=token
        )
    )


def _event(text: str) -> Event | None:
    try:
        return Event.model_validate_json(text)
    except ValidationError:
        return None


def _fitting(event: Event) -> Event:
    """The event as it can be kept: MLflow takes 8,000 characters in a tag, and errors may quote whole files."""
    cuts = (_cut(event, longest) for longest in (1000, 300, 100))
    return next((cut for cut in cuts if len(cut.model_dump_json()) <= LONGEST), _cut(event, 50, most=5))


def _cut(event: Event, longest: int, most: int = MOST) -> Event:
    """The event with texts of at most `longest` characters, and at most so many of each kind."""
    numbers = [(name, value) for name, value in event.metrics.items() if math.isfinite(value)]
    return event.model_copy(
        update={
            "trigger": _clean(event.trigger, longest),
            "metrics": {_clean(name, longest): value for name, value in numbers[:most]},
            "reasons": tuple(_clean(reason, longest) for reason in event.reasons[:most]),
            "error": None if event.error is None else _clean(event.error, longest),
            "details": {_clean(n, longest): _clean(value, longest) for n, value in list(event.details.items())[:most]},
        }
    )


def _clean(text: str, longest: int) -> str:
    """One line without control characters, at most `longest` characters."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]", " ", text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _key(name: str) -> str:
    """A name that MLflow takes for a metric."""
    return re.sub(r"[^\w-]", "_", name, flags=re.ASCII)[:100] or "_"


def _note(event: Event) -> str:
    """What MLflow's own pages show of the event."""
    version = f"version {event.version}" if event.version is not None else ""
    return "; ".join(part for part in (version, event.trigger, event.error or "", *event.reasons) if part)
