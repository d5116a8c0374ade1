"""Accidents that others have had: each is refused or survived by name, and afterwards the run goes on as before."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.chaos import looks, process
from tests.chaos.conftest import WHOLE
from tests.chaos.nights import BY_NAME, LATER, Nights
from tests.github.double import Double
from tests.github.gateway import Gateway

pytestmark = pytest.mark.skipif(not WHOLE, reason="by make chaos")


class Accident(NamedTuple):
    """Before a step: what happens, the exit code and the words of it, and how a person undoes it."""

    step: str
    happens: Callable[[Path], object]
    code: int
    said: str
    undo: Callable[[Path], object]


def sql(*statements: str) -> Callable[[Path], object]:
    """Change MLflow's database; a copy stays beside it."""

    def happens(repo: Path) -> None:
        kept(repo)
        with closing(sqlite3.connect(looks.store(repo))) as db, db:
            for statement in statements:
                db.execute(statement)

    return happens


def kept(repo: Path) -> None:
    """Keep the database as it is."""
    (repo.parent / "kept.db").write_bytes(looks.store(repo).read_bytes())


def restored(repo: Path) -> None:
    """Bring the kept database back."""
    looks.store(repo).write_bytes((repo.parent / "kept.db").read_bytes())


def emptied(repo: Path) -> None:
    """The database loses all its bytes."""
    kept(repo)
    looks.store(repo).write_bytes(b"")


def trigger(repo: Path) -> None:
    """The store takes aliases again."""
    with closing(sqlite3.connect(looks.store(repo))) as db, db:
        db.execute("DROP TRIGGER refuse")


def lock(repo: Path) -> Path:
    """The lock of the branch of proposals, which a killed git leaves."""
    return repo / "local" / "forge.git" / "refs" / "heads" / "promote" / "flights.lock"


def locked(repo: Path) -> None:
    """A git was killed."""
    lock(repo).parent.mkdir(parents=True, exist_ok=True)
    lock(repo).touch()


def edited(repo: Path) -> None:
    """Somebody tries something in pipeline.py."""
    path = repo / "model" / "flights" / "pipeline.py"
    path.write_text(path.read_text() + "\n# tried\n")


def taken_back(repo: Path) -> None:
    """And takes it back."""
    subprocess.run(["git", "checkout", "--quiet", "--", "model/flights/pipeline.py"], cwd=repo, check=True)


NOTHING_THERE = "Git declares version 1 of flights, but no version of flights is in Production"
REFUSE = "CREATE TRIGGER refuse BEFORE INSERT ON registered_model_aliases WHEN new.alias = 'production' "
ACCIDENTS = {
    "the registry is emptied": Accident("pull", emptied, 6, "the file is empty", restored),
    "the versions are deleted": Accident("pull", sql("DELETE FROM model_versions"), 5, NOTHING_THERE, restored),
    "the version is archived": Accident(
        "check", sql("UPDATE model_versions SET current_stage = 'Archived'"), 5, NOTHING_THERE, restored
    ),
    "the alias is refused": Accident(
        "promote",
        sql(
            f"{REFUSE} BEGIN SELECT RAISE(ABORT, 'may not'); END",
            "DELETE FROM registered_model_aliases WHERE alias = 'production'",
        ),
        6,
        "Version 2 of flights is in Production, but the alias production, which services load, is missing.",
        trigger,
    ),
    "a git that was killed left its lock": Accident(
        "propose", locked, 6, "flights.lock exists", lambda repo: lock(repo).unlink()
    ),
    "code is not committed": Accident("propose", edited, 2, "pipeline.py is not committed as it is", taken_back),
}


@pytest.mark.parametrize("name", ACCIDENTS)
def test_an_accident_is_refused_by_name_and_leaves_no_trace(nights: Nights, tmp_path: Path, name: str) -> None:
    """The command says what happened; undone and run again, all is as without it, but for the failure in the log."""
    accident = ACCIDENTS[name]
    step = BY_NAME[accident.step]
    repo = nights.copy(step, tmp_path / "place")
    accident.happens(repo)
    ended = process.mlops(repo, *step.words, day=step.day)
    assert (accident.code, True) == (ended.code, accident.said in " ".join(ended.err.split())), ended
    accident.undo(repo)
    again = process.mlops(repo, *step.words, day=step.day)

    assert 0 == again.code, again.err
    assert [] == looks.differences(without_failures(nights.after(step)), without_failures(looks.look(repo)))


def without_failures(look: dict[str, Any]) -> dict[str, Any]:
    """A look without the failures in the event log."""
    return {**look, "events": [one for one in look["events"] if one["event"]["kind"] != "failure"]}


def test_an_open_proposal_that_cannot_be_read_stops_no_promotion(nights: Nights, tmp_path: Path) -> None:
    """Conflict marks in another proposal: Production moves, the event is noted, the exit code is 0."""
    step = BY_NAME["promote"]
    repo = nights.copy(step, tmp_path / "place")
    process.call(broken_proposal, repo)
    ended = process.mlops(repo, *step.words, day=step.day)
    promoted = [event["version"] for event in looks.events(looks.store(repo)) if event["kind"] == "promotion"]

    assert (0, {2}, [1, 2]) == (ended.code, looks.in_production(looks.store(repo)), promoted), ended


def broken_proposal(repo: Path) -> None:
    """An open proposal whose manifest has conflict marks."""
    from core.days import midnight
    from tests.place import Place

    night = Place(repo).night(LATER)
    night.forge.propose("flights", "x", "y", {"model/flights/production.json": "<<<<<<< ours\n"}, midnight(LATER))


def test_a_proposal_that_is_run_again_days_later_is_made(nights: Nights, gateway: Gateway, tmp_path: Path) -> None:
    """In a workflow run its records are its own, however old: no --as-of is needed."""
    repo = nights.copy(BY_NAME["propose"], tmp_path / "place")
    with gateway.serving(Double(tmp_path / "github")) as double:
        files = ("model/flights/model.toml", "model/flights/production.json")
        double.push({name: (repo / name).read_text() for name in files}, "Use this template")
        env = {**process.hub(double), "GITHUB_RUN_ID": "7", "MLFLOW_TRACKING_URI": f"sqlite:///{looks.store(repo)}"}
        ended = process.mlops(repo, "propose", day=None, env=env)
        pulls = [pull.state for pull in double.pulls.values()]

    assert (0, ["open"]) == (ended.code, pulls), ended
    assert json.loads((repo / "local/flights/verdict.json").read_text())["as_of"].startswith(f"{LATER}")
