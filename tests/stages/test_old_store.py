"""A store that an older release wrote goes through every stage.

tests/data/old_store.tar.xz is a repository with a small model, as the commands of commit 332f1e4 left it: version 1 is
in Production and has scored two weeks of rows, days were counted and judged, and version 2 was trained but not judged.
The paths in it begin with /store.
"""

from __future__ import annotations

import datetime as dt
import tarfile
from pathlib import Path

import pytest

from core.config import Settings, load_config
from core.days import midnight
from monitoring.counting import Window
from monitoring.triggers import Decision
from scripts.demo.reviewer import Reviewer
from stages.check import decide_retraining, history
from stages.context import Night
from stages.promote import promote_declared
from stages.propose import propose_candidate
from stages.pull import count_window
from stages.validate import validate_candidate
from tests.moving import moved
from tests.place import Place
from training import Candidate

ARCHIVE = Path(__file__).parents[1] / "data" / "old_store.tar.xz"
LAST = dt.date(2013, 2, 16)


@pytest.fixture
def night(tmp_path: Path) -> Night:
    """The last night of the old store."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / "store"
    moved(folder / "local" / "mlflow.db", "/store", str(folder))
    return Night(Settings.load(folder, {}), load_config(folder, "small"), midnight(LAST), live=False)


def test_an_old_store_goes_through_check_validate_promote_and_rollback(night: Night) -> None:
    """Window, decision, candidate, versions and manifest of the old store are read; promotion and rollback work."""
    reviewer = Reviewer(night)
    window = night.read_record(Window, "window.json", None)
    before = night.read_record(Decision, "decision.json", None)
    decision = decide_retraining(night, window)
    assert before.champion == decision.champion == 1
    values = {reading.trigger: reading.value for reading in decision.readings}
    assert {r.trigger: r.value for r in before.readings} == {r.trigger: values[r.trigger] for r in before.readings}
    assert {"damage"} == values.keys() - {r.trigger for r in before.readings}  # newer than the store

    verdict = validate_candidate(night, night.read_record(Candidate, "candidate.json", None))
    assert verdict.passed
    assert 1 == verdict.champion
    assert propose_candidate(night, verdict)
    merge = reviewer.merge()
    promote_declared(night)
    assert (2,) == night.registry.state("small").production

    reviewer.revert(merge)
    promote_declared(night.at(night.as_of))
    assert (1,) == night.registry.state("small").production
    assert "rollback" == night.registry.events("small")[-1].kind


def test_days_that_an_old_store_counted_are_not_counted_again(night: Night) -> None:
    """Tallies with known days are those of counting all days anew, and the old trainings are in the history."""
    champion = night.champion
    assert champion is not None
    kept = night.registry.known_days(champion)
    assert kept is not None
    assert kept.by_date(night.config.data)

    assert count_window(night) == count_window(night, fresh=True)
    assert (2, 1) == (history(night).trainings_30_days, history(night).attempts)


def test_the_rows_of_an_old_store_are_replayed(night: Night) -> None:
    """`mlops replay` plays the nights of the old monitoring table."""
    ran = Place(night.settings.root).mlops("replay", "--json", "--to", "2013-02-05", day=LAST)

    assert 0 == ran.code, ran.err
    assert 1 < ran.data["policies"][0]["nights"]
