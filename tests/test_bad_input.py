"""What a user can get wrong: each ends with our error and exit code, and Production stays as it was."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.lock import exclusive_lock
from tests.place import Place

NIGHT = dt.date(2013, 3, 15)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Place:
    """A place with version 1 in Production, and eleven days of flights scored by it."""
    return Place.in_service(tmp_path_factory.mktemp("served") / "repo", mlflow_store, NIGHT)


@pytest.fixture
def place(served: Place, tmp_path: Path) -> Place:
    """A copy of it to spoil."""
    return served.copy(tmp_path / "repo")


def untouched(place: Place) -> bool:
    """Whether Production and the registry are as they were."""
    return (place.production(), place.versions()) == ((1,), 1)


TABLE = {
    "the column is gone": ('ALTER TABLE predictions DROP COLUMN "distance"', "distance"),
    "numbers became text": ("UPDATE predictions SET distance = 'far'", "distance"),
    "nothing arrived": ("DELETE FROM predictions WHERE timestamp >= '2013-03-04'", "2013-03-14"),
    "a column is all null": ("UPDATE predictions SET wind_speed = NULL WHERE timestamp >= '2013-03-14'", "wind_speed"),
    "ids twice": ("DUPLICATE", "repeat an id"),
    "times without a zone": ("UPDATE predictions SET timestamp = 'yesterday'", "timestamp"),
    "scores are missing": ("UPDATE predictions SET prediction = NULL", "no score"),
}


@pytest.mark.parametrize(("statement", "said"), TABLE.values(), ids=TABLE)
def test_broken_rows_stop_the_night(place: Place, statement: str, said: str) -> None:
    """Broken monitoring data ends with exit code 3, names what is broken, and retrains nothing."""
    if statement == "DUPLICATE":
        place.duplicate_ids("2013-03-14")
    else:
        place.sql(statement)
    ran = place.mlops("pull", day=NIGHT)

    assert ran.code == 3, ran.err
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert untouched(place)


def test_a_broken_window_is_not_judged_either(place: Place) -> None:
    """`check` on the window of a stopped night refuses too: broken data must not look like drift."""
    place.sql("UPDATE predictions SET wind_speed = NULL WHERE timestamp >= '2013-03-14'")
    place.mlops("pull", day=NIGHT)

    assert 3 == place.mlops("check", day=NIGHT).code
    assert not (place.folder / "local" / "flights" / "decision.json").exists() or untouched(place)


HARMLESS = {
    "unseen categories": "UPDATE predictions SET dest = 'XXX' WHERE rowid % 100 = 0",
    "a constant column": "UPDATE predictions SET precip = 0.0",
    "infinite numbers": "UPDATE predictions SET visib = 9e999 WHERE rowid % 500 = 0",
    "out of order": "VACUUM",
    "labels are words": "UPDATE predictions SET actual = 'late' WHERE actual = 1",
    "no labels": "UPDATE predictions SET actual = NULL, labelled_at = NULL WHERE timestamp >= '2013-03-04'",
    "one class only": "UPDATE predictions SET actual = 0 WHERE timestamp >= '2013-03-04' AND actual = 1",
}


@pytest.mark.parametrize("statement", HARMLESS.values(), ids=HARMLESS)
def test_odd_rows_are_judged_or_said_to_be_unjudgeable(place: Place, statement: str) -> None:
    """What the world may do (unseen values, constants, no labels yet, one class) never ends in a trace."""
    if statement == "VACUUM":
        place.shuffle()
    else:
        place.sql(statement)
    pulled, checked = place.mlops("pull", day=NIGHT), place.mlops("check", "--json", day=NIGHT)

    assert (0, 0) == (pulled.code, checked.code), pulled.err + checked.err
    states = {reading["trigger"]: reading["state"] for reading in checked.data["readings"]}
    assert states["age"] == "quiet"
    if "SET actual" in statement:
        assert states["performance"] == "cannot_judge"
    assert untouched(place)


def test_rows_from_the_future_stop_a_live_night(place: Place) -> None:
    """Without --as-of, rows later than today are a broken clock or zone, and end with exit code 3."""
    place.sql("UPDATE predictions SET timestamp = '2999-01-01T00:00:00Z' WHERE timestamp >= '2013-03-14'")
    ran = place.mlops("pull", day=None)

    assert 3 == ran.code
    assert "future" in ran.err
    assert untouched(place)


def _no_source(place: Place) -> None:
    place.database.unlink()


def _not_a_database(place: Place) -> None:
    place.database.write_text("hello")


def _no_table(place: Place) -> None:
    place.sql("ALTER TABLE predictions RENAME TO other")


@pytest.mark.parametrize("spoil", [_no_source, _not_a_database, _no_table])
def test_a_source_that_cannot_be_read_is_said_by_name(place: Place, spoil: Callable[[Place], None]) -> None:
    """A missing file, a file that is no database and a missing table end with exit code 3 and name the source."""
    spoil(place)
    ran = place.mlops("pull", day=NIGHT)

    assert 3 == ran.code
    assert "monitoring.db" in ran.err or "predictions" in ran.err
    assert untouched(place)


def test_an_unknown_model_is_a_usage_error(place: Place) -> None:
    """A misspelt model ends with exit code 2 and the names there are."""
    ran = place.mlops("pull", "--model", "fligths")

    assert 2 == ran.code
    assert "flights" in ran.err


@pytest.mark.parametrize("text", ["[data", "[triggers.drift]\nalhpa = 0.1", "[triggers.drift]\nmax_days = 7"])
def test_a_broken_config_is_said_by_line_or_key(place: Place, text: str) -> None:
    """TOML that does not parse, an unknown key and a misplaced one end with exit code 2."""
    config = place.folder / "model" / "flights" / "model.toml"
    good = config.read_text()
    config.write_text(good.replace("[triggers.drift]", text, 1))
    ran = place.mlops("pull", day=NIGHT)
    config.write_text(good)

    assert 2 == ran.code
    assert "model.toml" in ran.err
    assert untouched(place)


MANIFESTS = {
    "malformed": ("{", 5),
    "another version": ({"version": 7}, 5),
    "another digest": ({"digest": "0" * 64}, 5),
    "another run": ({"run_id": "0" * 32}, 5),
    "a path as a name": ({"model": "../flights"}, 5),
}


@pytest.mark.parametrize(("change", "code"), MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_that_cannot_be_trusted_moves_nothing(place: Place, change: object, code: int) -> None:
    """A manifest that is malformed or names what is not there is refused before anything moves."""
    if isinstance(change, str):
        place.manifest.write_text(change)
    else:
        place.manifest.write_text(json.dumps({**json.loads(place.manifest.read_text()), **change}))  # type: ignore[dict-item]
    ran = place.mlops("promote")

    assert code == ran.code, ran.err
    assert untouched(place)


def test_a_manifest_that_is_gone_takes_nothing_out_of_service(place: Place) -> None:
    """Without production.json git declares nothing: promote refuses with exit code 5 and says what to do."""
    place.manifest.unlink()
    ran = place.mlops("promote")

    assert 5 == ran.code
    assert "production.json" in ran.err
    assert untouched(place)


def test_an_unreachable_registry_is_an_outside_failure(place: Place) -> None:
    """When MLflow does not answer, the night ends with exit code 6, and soon."""
    ran = place.mlops(
        "promote", env={"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    )

    assert 6 == ran.code, ran.err
    assert untouched(place)


def test_a_folder_that_cannot_be_written_is_said(place: Place) -> None:
    """A file where the folder of the records should be ends with exit code 6."""
    (place.folder / "blocked").write_text("")
    ran = place.mlops("pull", day=NIGHT, env={"MLOPS_LOCAL": str(place.folder / "blocked" / "local")})

    assert 6 == ran.code, ran.err


def test_two_runs_of_one_model_do_not_meet(place: Place) -> None:
    """The second run on a machine ends at once with exit code 6 and changes nothing."""
    night = place.night(NIGHT)
    with exclusive_lock(night.settings.work(night.name), night.name):
        ran = place.mlops("promote")

    assert 6 == ran.code
    assert "Another run" in ran.err
    assert 0 == place.mlops("promote").code


def test_a_stage_without_the_record_before_it_says_so(place: Place) -> None:
    """Every stage can be started from the record before it; without one it ends with exit code 2."""
    (place.folder / "local" / "flights" / "window.json").unlink(missing_ok=True)
    ran = place.mlops("check", day=NIGHT)

    assert 2 == ran.code
    assert "window.json" in ran.err
