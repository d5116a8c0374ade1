"""The event log of a model: one MLflow run an event, so that history outlives every runner."""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path
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

    `trigger`: what led to it. `success`: whether the outcome is the intended one (a refused candidate is not).
    `version`: the version it is about. `details`: addresses, commits and similar, by name.
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


def record_event(client: MlflowClient, event: Event, artifacts: Path | None = None) -> None:
    """Keep an event; an event that is equal in every field is not kept twice.

    Everything is in one tag, written in one transaction: an event is stored completely or not at all. Long texts are
    cut, numbers that are not finite are left out.

    Args:
        client: of the store.
        event: what happened.
        artifacts: the folder for files, if no server keeps them. Events have none, but MLflow notes a place for them.

    Raises:
        OutsideError: MLflow cannot be reached.
    """
    event = _shortened(event)
    text = event.model_dump_json()
    key = hashlib.sha256(text.encode()).hexdigest()
    at = int(event.timestamp.timestamp()) * SECOND
    with store.reaching(client.tracking_uri, f"sent an event of {event.model}"):
        experiment = runs.experiment(client, _experiment(event.model), artifacts)
        same_second = _runs(
            client, experiment, f"attributes.start_time >= {at} and attributes.start_time < {at + SECOND}"
        )
        run = next((run for run in same_second if run.data.tags.get("event_key") == key), None)
        if run is None:
            # Events of one instant keep the order in which they happened.
            at += min(len(same_second), SECOND - 1)
            tags = {"kind": event.kind, "event": text, "event_key": key, "mlflow.note.content": _note(event)}
            name = f"{event.kind} {event.timestamp:%Y-%m-%d}"
            run = client.create_run(experiment, start_time=at, tags=tags, run_name=name)
        _end(client, run, event)


def _end(client: MlflowClient, run: Any, event: Event) -> None:
    """Write the metrics and the end of an event's run, unless they are written.

    Otherwise a run that was killed would stay in MLflow without metrics, and as running.
    """
    from mlflow.entities import Metric

    if run.info.status == "RUNNING":
        at = run.info.start_time
        metrics = [Metric(_key(name), value, at, 0) for name, value in event.metrics.items()]
        client.log_batch(run.info.run_id, metrics=metrics)
        client.set_terminated(run.info.run_id, "FAILED" if event.kind == "failure" else "FINISHED", at)


def last_move(client: MlflowClient, model: str) -> Event | None:
    """Return the last promotion or rollback in the log, None before the first; complete its run if it was interrupted.

    Raises:
        OutsideError: MLflow cannot be reached.
    """
    with store.reaching(client.tracking_uri, f"asked for the last promotion of {model}"):
        experiment = client.get_experiment_by_name(_experiment(model))
        if experiment is None:
            return None
        runs = [
            run
            for kind in ("promotion", "rollback")
            for run in client.search_runs(
                [experiment.experiment_id],
                f"tags.kind = '{kind}'",
                max_results=1,
                order_by=["attributes.start_time DESC"],
            )
        ]
        newest = max(runs, key=lambda run: run.info.start_time, default=None)
        event = _event(newest.data.tags.get("event", "")) if newest else None
        if event:
            _end(client, newest, event)
        return event


def read_events(client: MlflowClient, model: str) -> list[Event]:
    """Return all events of a model, the oldest first. Other runs in its experiment are left out.

    Raises:
        OutsideError: MLflow cannot be reached.
    """
    with store.reaching(client.tracking_uri, f"asked for the events of {model}"):
        experiment = client.get_experiment_by_name(_experiment(model))
        runs = _runs(client, experiment.experiment_id, "") if experiment else []
    # MLflow's client repeats a request whose response was lost: then the same event is stored twice.
    texts = dict.fromkeys(run.data.tags.get("event", "") for run in runs)
    events = [event for text in texts if (event := _event(text)) is not None]
    return sorted(events, key=lambda event: event.timestamp)


def _experiment(model: str) -> str:
    return f"{model}-events"


def _runs(client: MlflowClient, experiment_id: str, where: str) -> list[Any]:
    """Return the runs that match a filter, in the order of their start."""
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


def _shortened(event: Event) -> Event:
    """Return the event with texts that fit into a tag: MLflow accepts 8,000 characters, errors may quote files."""
    cuts = (_cut(event, longest) for longest in (1000, 300, 100))
    return next((cut for cut in cuts if len(cut.model_dump_json()) <= LONGEST), _cut(event, 50, most=5))


def _cut(event: Event, longest: int, most: int = MOST) -> Event:
    """Return the event with texts of at most `longest` characters, and at most `most` metrics, reasons and details."""
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
    """Return the text as one line without control characters, of at most `longest` characters."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]", " ", text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _key(name: str) -> str:
    """Return a name that MLflow accepts for a metric."""
    return re.sub(r"[^\w-]", "_", name, flags=re.ASCII)[:100] or "_"


def _note(event: Event) -> str:
    """Return what MLflow's pages show of the event."""
    version = f"version {event.version}" if event.version is not None else ""
    return "; ".join(part for part in (version, event.trigger, event.error or "", *event.reasons) if part)
