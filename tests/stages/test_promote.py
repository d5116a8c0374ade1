"""A promotion says and notes what it did, whatever others do at the same time."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from core.days import midnight
from tests.place import FIRST, SECOND, Place

MANIFEST = "model/flights/production.json"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Place:
    """Version 1 is in Production, and the proposal of version 2 is merged but not promoted."""
    place = Place.proposed(tmp_path_factory.mktemp("promote") / "repo", mlflow_store)
    place.person.merge()
    return place


@pytest.fixture
def place(story: Place, tmp_path: Path) -> Place:
    """A copy of it."""
    return story.copy(tmp_path / "repo")


def moves(place: Place) -> list[tuple[str, int]]:
    """The promotions and rollbacks in the event log: kind and version."""
    events = place.night(SECOND).registry.events("flights")
    return [(event.kind, event.version or 0) for event in events if event.kind in {"promotion", "rollback"}]


def failure(place: Place) -> dict[str, Any]:
    """The record of the failed promotion."""
    text = (place.folder / "local" / "flights" / "failure-promote.json").read_text()
    failure: dict[str, Any] = json.loads(text)
    return failure


def test_an_open_proposal_that_cannot_be_read_stops_no_promotion(place: Place) -> None:
    """Conflict marks in the manifest of another proposal are a warning; the promotion is noted and ends with 0."""
    place.night(SECOND).forge.propose("flights", "Later", "why", {MANIFEST: "<<<<<<< ours\n{\n"}, midnight(SECOND))
    ran = place.mlops("promote", day=SECOND)

    assert (0, (2,)) == (ran.code, place.production()), ran.err
    assert "Pull request 3 cannot be read, so it stays open" in " ".join(ran.err.split())
    assert [("promotion", 1), ("promotion", 2)] == moves(place)


def test_a_promotion_that_stopped_halfway_says_what_is_in_production(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage is written and the alias is refused: the error and the record say both, and a rerun completes."""

    def refused(*_: object) -> None:
        raise MlflowException("API request failed with error code 403 != 200")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_registered_model_alias", refused)
        ran = place.mlops("promote", day=SECOND)
    half = "Version 2 of flights is in Production, but the alias production, which services load, names version 1."

    assert 6 == ran.code
    assert half in " ".join(ran.err.split())
    assert half == failure(place)["production"]
    assert 0 == place.mlops("promote", day=SECOND).code
    assert [("promotion", 1), ("promotion", 2)] == moves(place)


def test_a_promotion_is_noted_once_though_the_clock_was_set_back(place: Place) -> None:
    """Promoted by a clock that is before the last promotion, then twice more: one event, later than the one before."""
    for _ in range(3):
        assert 0 == place.mlops("promote", day=FIRST - dt.timedelta(days=3)).code

    assert [("promotion", 1), ("promotion", 2)] == moves(place)


GONE: dict[str, Callable[[Place], object]] = {
    "no version is there": lambda place: place.sql("DELETE FROM model_versions", database=store(place)),
    "it was archived": lambda place: place.sql(
        "UPDATE model_versions SET current_stage = 'Archived'", database=store(place)
    ),
    "the model was renamed": lambda place: place.night(FIRST).registry.client.rename_registered_model("flights", "x"),
}


def store(place: Place) -> Path:
    """The registry's file."""
    return place.folder / "local" / "mlflow.db"


@pytest.mark.parametrize("command", ["pull", "check", "train", "validate", "propose"])
@pytest.mark.parametrize("gone", GONE.values(), ids=GONE)
def test_what_git_declares_is_never_trained_as_a_first_model(
    place: Place, command: str, gone: Callable[[Place], object]
) -> None:
    """Where git declares a version and the registry has none in Production, every stage ends with exit code 5."""
    gone(place)
    ran = place.mlops(command, day=SECOND)

    assert 5 == ran.code, ran.out + ran.err
    assert "Git declares version 2 of flights, but no version of flights is in Production" in " ".join(ran.err.split())


def test_another_registry_is_named_as_such_by_status_and_doctor(
    place: Place, mlflow_store: Path, tmp_path: Path
) -> None:
    """An address of another, empty store: the night stops, status and doctor say why, and none trains."""
    (tmp_path / "other.db").write_bytes(mlflow_store.read_bytes())
    env = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'other.db'}"}
    sentence = "Git declares version 2 of flights, but no version of flights is in Production"

    assert 5 == place.mlops("check", "--pull", day=SECOND, env=env).code
    assert place.mlops("status", "--json", day=SECOND, env=env).data["flights"]["in service"].startswith(sentence)
    checks = place.mlops("doctor", "--json", day=SECOND, env=env).data["checks"]
    assert "fail" == next(check["state"] for check in checks if check["what"] == "flights: production")


def test_an_emptied_registry_is_refused(place: Place) -> None:
    """A database of zero bytes is a lost one, and not a new one: exit code 6, and the file stays as it is."""
    store(place).write_bytes(b"")
    ran = place.mlops("check", "--pull", day=SECOND)

    assert (6, True) == (ran.code, "the file is empty" in ran.err), ran.err
    assert b"" == store(place).read_bytes()
