"""Nights count new days only, and are right whatever became of what earlier nights kept."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monitoring.counting.window import Window
from monitoring.sources.sqlite import SqliteSource
from tests.place import Place

ROOT = Path(__file__).parents[2]
NIGHT, NEXT = dt.date(2013, 3, 15), dt.date(2013, 3, 16)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Place:
    """A place with version 1 in Production, twelve days of flights scored by it, and one night pulled."""
    place = Place.in_service(tmp_path_factory.mktemp("served") / "repo", mlflow_store, NIGHT)
    assert place.mlops("pull", day=NIGHT).code == 0
    place.serve(NIGHT, NEXT)
    return place


@pytest.fixture
def place(served: Place, tmp_path: Path) -> Place:
    """A copy of it."""
    return served.copy(tmp_path / "repo")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, dt.date]]:
    """Each reading of the table: whether features were asked for, and from which day on."""
    found: list[tuple[bool, dt.date]] = []
    batches = SqliteSource.batches

    def noted(self: SqliteSource, columns: list[str], start: dt.datetime, end: dt.datetime | None) -> object:
        found.append(("distance" in columns, start.date()))
        return batches(self, columns, start, end)

    monkeypatch.setattr(SqliteSource, "batches", noted)
    return found


def window(place: Place, *words: str) -> Window:
    """What the second night sees."""
    ran = place.mlops("pull", *words, day=NEXT)
    assert ran.code == 0, ran.err
    return Window.read(place.folder / "local" / "flights" / "window.json")


def days_file(place: Place) -> Path:
    """Where what was counted is kept."""
    (found,) = (place.folder / "local" / "artifacts").rglob("days.json")
    return found


def test_the_next_night_reads_the_features_of_one_day(place: Place, reads: list[tuple[bool, dt.date]]) -> None:
    """Of the window only the scores and labels are read, the features of the new day alone; the result is the same."""
    found = window(place)

    assert [True] == [features for features, start in reads if features and start == NIGHT]
    assert 1 == sum(features for features, _ in reads)
    assert found == window(place, "--fresh")


def test_rows_that_were_changed_in_place_are_counted_with_fresh(place: Place) -> None:
    """An older day whose values changed is as it was counted, until somebody asks for all days anew."""
    kept = window(place)
    place.sql("UPDATE predictions SET distance = 99 WHERE timestamp LIKE '2013-03-12%'")
    assert kept == window(place)
    assert kept.days != window(place, "--fresh").days


def test_a_broken_day_is_counted_again_until_it_is_mended(place: Place) -> None:
    """Values that were missing when a night was stopped are seen as soon as they are there."""
    whole = window(place)
    place.sql(
        "CREATE TABLE kept AS SELECT flight_id, wind_speed FROM predictions",
        "UPDATE predictions SET wind_speed = NULL WHERE timestamp >= '2013-03-15'",
    )
    days_file(place).unlink()
    assert 3 == place.mlops("pull", day=NEXT).code
    place.sql(
        "UPDATE predictions SET wind_speed = (SELECT wind_speed FROM kept WHERE kept.flight_id = predictions.flight_id)"
    )

    assert whole == window(place)


def test_an_older_broken_day_is_counted_again_until_it_is_mended(place: Place) -> None:
    """A day that a night had to leave out is looked at again on the next one, though it has as many rows."""
    whole = window(place)
    days_file(place).unlink()
    place.sql(
        "CREATE TABLE kept AS SELECT flight_id, wind_speed FROM predictions",
        "UPDATE predictions SET wind_speed = NULL WHERE timestamp LIKE '2013-03-12%'",
    )
    broken = window(place)
    place.sql(
        "UPDATE predictions SET wind_speed = (SELECT wind_speed FROM kept WHERE kept.flight_id = predictions.flight_id)"
    )

    assert broken.quality is not None
    assert dt.date(2013, 3, 12) in broken.quality.broken_days
    assert whole == window(place)


@pytest.mark.parametrize("text", ["", "{", '{"record": "KnownDays/1", "asked": 1, "days": []}', "\x00" * 99])
def test_what_cannot_be_read_is_counted_again(place: Place, text: str) -> None:
    """A file that a killed night left half written costs a warning and a whole count, and nothing else."""
    whole = window(place, "--fresh")
    days_file(place).write_text(text)
    ran = place.mlops("pull", day=NEXT)

    assert 0 == ran.code
    assert "counted again" in ran.err + ran.out
    assert whole == Window.read(place.folder / "local" / "flights" / "window.json")


def test_versions_that_are_not_registered_are_a_finding(place: Place) -> None:
    """Rows that name `v1` instead of 1 are not judged: the pull says so, with the share of these rows."""
    place.sql("UPDATE predictions SET model_version = 'v' || model_version WHERE model_version IS NOT NULL")
    ran = place.mlops("pull", day=NEXT)

    assert 0 == ran.code, ran.err
    assert "model_version is not a registered version of flights in 100.0% of the scored rows" in " ".join(
        ran.out.split()
    )
    assert "'v1' 100.0%" in " ".join(ran.out.split())


def test_check_can_pull_first(place: Place) -> None:
    """`mlops check --pull` decides what `mlops pull` and `mlops check` decide, and prints nothing but its decision."""
    assert 0 == place.mlops("pull", day=NEXT).code
    apart = place.mlops("check", "--json", day=NEXT)
    (place.folder / "local" / "flights" / "window.json").unlink()
    together = place.mlops("check", "--pull", "--json", day=NEXT)

    assert apart.data == together.data
    assert "flights: " in place.mlops("check", "--pull", day=NEXT).out


def test_check_that_pulls_stops_on_broken_rows(place: Place) -> None:
    """Broken rows end it with exit code 3, as a failure of the pull, and no decision is made."""
    decision = place.folder / "local" / "flights" / "decision.json"
    decision.unlink()
    place.sql("UPDATE predictions SET prediction = NULL")

    assert 3 == place.mlops("check", "--pull", day=NEXT).code
    assert (place.folder / "local" / "flights" / "failure-pull.json").exists()
    assert not decision.exists()


def test_nothing_counts_where_nothing_is_pulled(place: Place) -> None:
    """An engine for a check that only judges is a mistake, and says so."""
    ran = place.mlops("check", "--engine", "spark", day=NEXT)

    assert 2 == ran.code
    assert "--pull" in ran.err


HEAVY = ("great_expectations", "skops", "sklearn")


BLAS = "[pool['num_threads'] for pool in __import__('threadpoolctl').threadpool_info() if 'blas' in pool['prefix']]"


@pytest.fixture(scope="module", params=[("pull",), ("check", "--pull"), ("promote",), ("status",)], ids=" ".join)
def process(request: pytest.FixtureRequest, served: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A quiet night's command in a process of its own: its words, what it has loaded at its end, and its threads."""
    place = served.copy(tmp_path_factory.mktemp("process") / "repo")
    config = place.folder / "model" / "flights" / "model.toml"
    config.write_text(config.read_text().replace("[quality]\n", "[quality]\nmax_out_of_range_share = 1.0\n", 1))
    program = (
        f"import json, os, sys; sys.path.insert(0, {str(ROOT)!r}); from scripts.app import main\n"
        f"sys.argv = ['mlops', *{[*request.param, '--as-of', str(NEXT)]!r}]\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        f"print(json.dumps({{'heavy': [name for name in {HEAVY!r} if name in sys.modules], 'threads': {BLAS}}}))"
    )
    env = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    call = [sys.executable, "-c", program]
    ran = subprocess.run(call, cwd=place.folder, env=env, capture_output=True, text=True, check=True)
    return {"command": request.param[0], **json.loads(ran.stdout.splitlines()[-1])}


def test_a_quiet_night_loads_only_what_it_needs(process: dict[str, Any]) -> None:
    """Where nothing is wrong and nothing to do, neither the expectations nor a model are loaded."""
    assert [] == process["heavy"]


def test_what_counts_and_judges_starts_no_threads_for_linear_algebra(process: dict[str, Any]) -> None:
    """They would only wait; a training, which uses them, has them."""
    if process["command"] in {"pull", "check"}:
        assert {1} == {*process["threads"]}
