from __future__ import annotations

import datetime as dt
import math
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import OutsideError
from registry.events import Event, _shortened, last_move, read_events, record_event
from registry.registry import Registry

NIGHT = dt.datetime(2013, 6, 1, tzinfo=dt.UTC)
KINDS = get_args(Event.model_fields["kind"].annotation)


def event(hours: int = 0, **more: Any) -> Event:
    """A decision, some hours after the night."""
    return Event.model_validate(
        {"timestamp": NIGHT + dt.timedelta(hours=hours), "model": "flights", "kind": "decision", **more}
    )


def runs(registry: Registry) -> list[Any]:
    """The runs of the event log."""
    place = registry.client.get_experiment_by_name("flights-events")
    return list(registry.client.search_runs([place.experiment_id], order_by=["attributes.start_time ASC"]))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_recorded_is_read(registry: Registry, kind: str) -> None:
    """Every kind of event comes back with all its fields."""
    told = event(
        kind=kind,
        trigger="drift, age",
        success=False,
        version=3,
        metrics={"performance": 0.61, "age_limit": 30.0},
        reasons=("wind_speed drifted", "trained 31 days ago"),
        error="it broke",
        details={"url": "file:///pulls/1", "commit": "a" * 40},
    )
    record_event(registry.client, told)

    assert [told] == read_events(registry.client, "flights")


def test_events_are_read_in_their_order(registry: Registry) -> None:
    """The oldest comes first, however they were recorded; those of one instant in the order in which they happened."""
    told = [event(3), event(1, trigger="a"), event(1, trigger="b"), event(1, trigger="c"), event(2)]
    for one in told:
        record_event(registry.client, one)

    assert [told[1], told[2], told[3], told[4], told[0]] == read_events(registry.client, "flights")


def test_an_event_is_kept_once(registry: Registry) -> None:
    """A stage that is run again for the same night repeats its event; one with another outcome is another event."""
    for one in (event(reasons=("a",)), event(reasons=("a",)), event(reasons=("b",)), event(reasons=("a",))):
        record_event(registry.client, one)

    assert [("a",), ("b",)] == [one.reasons for one in read_events(registry.client, "flights")]


def test_models_have_their_own_logs(registry: Registry) -> None:
    """Events of one model are not those of another, and a model without any has an empty log."""
    record_event(registry.client, event())

    assert [] == read_events(registry.client, "boats")
    assert 1 == len(read_events(registry.client, "flights"))


def test_the_log_can_be_read_in_mlflow(registry: Registry) -> None:
    """The run of an event shows on MLflow's own pages when it was, what, why, and its numbers."""
    record_event(
        registry.client, event(kind="failure", version=3, metrics={"drift": 0.2}, error="no table", success=False)
    )
    (run,) = runs(registry)

    assert ("failure 2013-06-01", "FAILED") == (run.info.run_name, run.info.status)
    assert (int(NIGHT.timestamp() * 1000), {"drift": 0.2}) == (run.info.start_time, run.data.metrics)
    assert "version 3; no table" == run.data.tags["mlflow.note.content"]


def test_more_events_than_a_page_are_all_read(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that MLflow gives in several pages is read to its end."""
    monkeypatch.setattr("registry.store.PAGE", 3)
    told = [event(hour) for hour in range(8)]
    for one in told:
        record_event(registry.client, one)

    assert told == read_events(registry.client, "flights")


def test_foreign_runs_in_the_log_are_left_out(registry: Registry) -> None:
    """Runs that somebody else made in the experiment, or spoiled, do not stop the log from being read."""
    record_event(registry.client, event())
    place = registry.client.get_experiment_by_name("flights-events").experiment_id
    registry.client.create_run(place)
    registry.client.create_run(place, tags={"event": "{"})
    registry.client.create_run(place, tags={"event": '{"model": "flights"}'})

    assert [event()] == read_events(registry.client, "flights")


def test_a_record_that_was_killed_in_the_middle_is_whole(registry: Registry) -> None:
    """The first write holds the whole event, and recording it again after a crash adds nothing."""

    class KilledError(Exception):
        """The process died here."""

    class Crashing:
        """A client that dies after it made the run."""

        def __getattr__(self, name: str) -> Any:
            if name == "log_batch":
                raise KilledError
            return getattr(registry.client, name)

    with pytest.raises(KilledError):
        record_event(Crashing(), event(metrics={"age": 3.0}))
    record_event(registry.client, event(metrics={"age": 3.0}))

    assert [event(metrics={"age": 3.0})] == read_events(registry.client, "flights")


def test_an_outage_is_told(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the log cannot be written, that is an error and not silence."""

    def broken(*_: object, **__: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(registry.client, "create_run", broken)
    with pytest.raises(OutsideError, match="gone"):
        record_event(registry.client, event())


def test_a_deleted_log_is_said(registry: Registry) -> None:
    """A log that somebody deleted is not begun anew: the error says how to bring it back."""
    record_event(registry.client, event())
    registry.client.delete_experiment(registry.client.get_experiment_by_name("flights-events").experiment_id)

    with pytest.raises(OutsideError, match="was deleted"):
        record_event(registry.client, event(1))


texts = st.text() | st.text(alphabet=st.sampled_from('\x00\n\r"\\\ud800\u2028🎈a')) | st.just('"' * 9000)
events = st.builds(
    event,
    trigger=texts,
    error=st.none() | texts,
    reasons=st.lists(texts, max_size=40).map(tuple),
    metrics=st.dictionaries(texts, st.floats(), max_size=40),
    details=st.dictionaries(texts, texts, max_size=40),
)


@settings(max_examples=100, deadline=None)
@given(events)
def test_any_event_fits_into_a_tag(given: Event) -> None:
    """Whatever text comes from outside, what is kept is short, one line, finite, and the same when it is read."""
    kept = _shortened(given)
    text = kept.model_dump_json()

    assert len(text) <= 5000
    assert kept == Event.model_validate_json(text)
    assert all(math.isfinite(value) for value in kept.metrics.values())
    for line in (kept.trigger, kept.error or "", *kept.reasons, *kept.details.values()):
        assert not {"\n", "\r", "\x00", "\u2028"} & set(line)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events)
def test_any_event_can_be_recorded(registry: Registry, given: Event) -> None:
    """No text or number makes MLflow refuse the entry."""
    record_event(registry.client, given)

    assert _shortened(given) in read_events(registry.client, "flights")


def test_an_event_that_was_cut_short_is_completed(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the event was there and before its numbers were, the next run adds them and ends it."""

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    told = event(metrics={"drift": 0.2})
    monkeypatch.setattr(registry.client, "log_batch", killed)
    with pytest.raises(KeyboardInterrupt):
        record_event(registry.client, told)
    monkeypatch.undo()
    assert ["RUNNING"] == [run.info.status for run in runs(registry)]

    record_event(registry.client, told)
    (run,) = runs(registry)
    assert ("FINISHED", {"drift": 0.2}) == (run.info.status, run.data.metrics)


def test_the_last_move_is_the_newest_of_its_kinds(registry: Registry) -> None:
    """Promotions and rollbacks are looked at together, other events and other models are not."""
    assert None is last_move(registry.client, "flights")
    told = [event(1, kind="promotion", version=2), event(2, kind="rollback", version=1), event(3, kind="training")]
    for one in told:
        record_event(registry.client, one)

    assert told[1] == last_move(registry.client, "flights")
    assert None is last_move(registry.client, "boats")


def test_an_event_that_was_sent_twice_is_read_once(registry: Registry) -> None:
    """MLflow's client repeats a request whose answer was lost, although it had its effect."""
    record_event(registry.client, event())
    (run,) = runs(registry)
    registry.client.create_run(run.info.experiment_id, start_time=run.info.start_time, tags=run.data.tags)
    assert 2 == len(runs(registry))

    assert [event()] == read_events(registry.client, "flights")
