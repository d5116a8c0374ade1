"""The doctor finds what is wrong, says what to do, and tells nothing that is secret."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests.github.double import TOKEN, Double
from tests.place import Place

NIGHT = dt.date(2013, 3, 15)
SECRETS = {"MLFLOW_TRACKING_URI", "MONITORING_URL"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Place:
    """A place with version 1 in Production, and eleven days of flights scored by it."""
    place = Place.in_service(tmp_path_factory.mktemp("served") / "repo", mlflow_store, NIGHT)
    (place.folder / ".github").mkdir()
    (place.folder / ".github" / "CODEOWNERS").write_text("/model/*/production.json @alice @acme/ml-owners\n")
    return place


@pytest.fixture
def place(served: Place, tmp_path: Path) -> Place:
    """A copy of it."""
    return served.copy(tmp_path / "repo")


def states(place: Place, env: dict[str, str] | None = None, day: dt.date = NIGHT) -> dict[str, dict[str, str]]:
    """What the doctor says, by what it looked at."""
    ran = place.mlops("doctor", "--json", day=day, env=env)
    assert ran.code == 0, ran.err
    return {one["what"]: one for one in ran.data["checks"]}


def test_all_is_well(place: Place) -> None:
    """Of a place that works nothing fails, and only what is not there in a test (lock file, GitHub) is worth a look."""
    found = states(place)

    assert {"packages", "github"} == {what for what, one in found.items() if one["state"] != "ok"}
    assert {"python", "registry", "flights: pipeline", "flights: labels", "flights: production"} < set(found)
    assert "alice" in found["flights: reviewers"]["says"]


def test_the_doctor_leaves_nothing_behind(place: Place) -> None:
    """The registry is written to for the check, and is afterwards as it was."""
    client = place.night(NIGHT).registry.client
    before = {one.name: one.tags for one in client.search_experiments()}
    states(place)

    assert before == {one.name: one.tags for one in client.search_experiments()}


def test_all_places_for_files_are_in_local(place: Place) -> None:
    """Those of trainings and those of events. The experiment Default came with the copied database."""
    client = place.night(NIGHT).registry.client
    places = {one.artifact_location for one in client.search_experiments() if one.name != "Default"}

    assert {True} == {str(place.folder / "local") in one for one in places}, places


WRONG: dict[str, tuple[str, str, str]] = {
    "a column is gone": ('ALTER TABLE predictions DROP COLUMN "distance"', "rows", "fail"),
    "scores are gone": ("ALTER TABLE predictions DROP COLUMN prediction", "rows", "fail"),
    "no row for days": ("DELETE FROM predictions WHERE timestamp >= '2013-03-10'", "rows", "warn"),
    "no row at all": ("DELETE FROM predictions", "rows", "warn"),
    "labels stopped": ("UPDATE predictions SET actual = NULL WHERE timestamp >= '2013-03-01'", "labels", "warn"),
    "no label at all": ("UPDATE predictions SET actual = NULL", "labels", "warn"),
}


@pytest.mark.parametrize(("statement", "what", "state"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_the_rows_is_found(place: Place, statement: str, what: str, state: str) -> None:
    """Each fault of the feed is named by the check that looks at it, with why it matters and what to do."""
    place.sql(statement)
    found = states(place)[f"flights: {what}"]

    assert state == found["state"]
    assert found["why"]
    assert found["fix"]


OWN = """
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

class Own(LogisticRegression):
    pass

def build(config):
    return make_pipeline(make_column_transformer((SimpleImputer(), list(config.data.numeric))), Own())
"""
PIPELINES = {
    "does not run": ("import nothing_that_is_installed\n", "nothing_that_is_installed"),
    "no build": ("x = 1\n", "no function build"),
    "no estimator": ("def build(config):\n    return 1\n", "predict_proba"),
    "its own type": (OWN, "allow-list"),
}


@pytest.mark.parametrize(("text", "said"), PIPELINES.values(), ids=PIPELINES)
def test_what_is_wrong_with_the_pipeline_is_found(place: Place, text: str, said: str) -> None:
    """A pipeline that cannot be run, fitted or kept without pickle fails before any night trains it."""
    (place.model("flights") / "pipeline.py").write_text(text)
    found = states(place)["flights: pipeline"]

    assert "fail" == found["state"]
    assert said in found["says"] + found["why"]


def test_a_cluster_that_cannot_be_used_is_found(place: Place) -> None:
    """It is looked at only where there is one, and is worth a look: most nights train nothing."""
    config = place.model("flights") / "model.toml"
    assert "flights: cluster" not in states(place)
    config.write_text(config.read_text().replace("[training]\n", '[training]\ncluster = "tcp://127.0.0.1:9"\n', 1))
    found = states(place)["flights: cluster"]

    assert "warn" == found["state"]
    assert "training.cluster" in found["fix"]


def test_a_registry_that_differs_from_git_is_found(place: Place) -> None:
    """A manifest of another digest fails the check of Production, and the exit code follows where it is asked to."""
    place.manifest.write_text(place.manifest.read_text().replace('"digest": "', '"digest": "0', 1))
    ran = place.mlops("doctor", "--exit-code", day=NIGHT)

    assert 2 == ran.code
    assert "flights: production" in ran.out


def test_packages_of_other_versions_are_found(place: Place) -> None:
    """A package whose version is not that of the lock file is named with both; one that is locked rightly is not."""
    from importlib import metadata

    lock = f"numpy==0.0.1 \\\n    --hash=sha256:00\nmlflow=={metadata.version('mlflow')} \\\n"
    (place.folder / "requirements-dev.lock").write_text(lock)
    found = states(place)["packages"]

    assert "warn" == found["state"]
    assert "locked 0.0.1" in found["says"]
    assert "mlflow" not in found["says"]


def test_an_outage_is_one_failure_and_tells_no_password(place: Place) -> None:
    """A registry and a database that do not answer are failures of their own checks; no secret is printed."""
    env = {
        "MLFLOW_TRACKING_URI": "http://user:hidden@127.0.0.1:9",
        "MONITORING_URL": "postgresql://user:hidden@127.0.0.1:9/base",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    ran = place.mlops("doctor", "--json", day=NIGHT, env=env)
    found = {one["what"]: one["state"] for one in ran.data["checks"]}

    assert ("fail", "fail", "ok") == (found["registry"], found["flights: rows"], found["flights: pipeline"])
    assert "hidden" not in ran.out + ran.err


@pytest.fixture
def github(double: Double) -> Double:
    """A repository that is set up as the guide says."""
    double.push({".github/workflows/nightly.yml": "on: push\n"}, "Use this template")
    double.secrets = {"retraining": set(SECRETS), "production": {"MLFLOW_TRACKING_URI"}}
    double.rules = ["deletion", "pull_request"]
    double.tokens[TOKEN] |= {"administration": "read", "environments": "read"}
    return double


def at_github(place: Place, double: Double) -> dict[str, dict[str, str]]:
    """What the doctor says of the repository at GitHub."""
    env = {"MLOPS_FORGE": f"https://github.com/{double.name}", "GITHUB_API_URL": double.url, "GITHUB_TOKEN": TOKEN}
    return states(place, env)


def test_a_repository_that_is_set_up_is_told_so(place: Place, github: Double) -> None:
    """Branch, secrets, permission, rules and schedule are all right."""
    found = at_github(place, github)

    assert {"packages"} == {what for what, one in found.items() if one["state"] != "ok"}, found
    assert {"environment retraining", "environment production", "schedule", "rules of the branch"} < set(found)


FAULTS: dict[str, tuple[str, Any, str, str]] = {
    "a secret is missing": ("secrets", {"retraining": {"MONITORING_URL"}, "production": set(SECRETS)},
                            "environment retraining", "fail"),
    "no environment": ("secrets", {"retraining": set(SECRETS)}, "environment production", "warn"),
    "no pull requests": ("may_create_pulls", False, "workflows may open pull requests", "fail"),
    "no rule": ("rules", [], "rules of the branch", "warn"),
    "fell asleep": ("asleep", {"nightly.yml"}, "schedule", "fail"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "value", "what", "state"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_at_github_is_found(
    place: Place, github: Double, name: str, value: object, what: str, state: str
) -> None:
    """Each setting that is not as the guide says is named, with the step of the guide or the page to click."""
    setattr(github, name, value)
    found = at_github(place, github)[what]

    assert state == found["state"]
    assert "step" in found["fix"] or ">" in found["fix"]


def test_a_token_that_may_see_little_fails_nothing(place: Place, github: Double) -> None:
    """What GitHub hides from a token is worth a look, and never said to be wrong."""
    github.tokens[TOKEN] = {"contents": "read"}
    found = at_github(place, github)

    assert "fail" not in {one["state"] for one in found.values()}
    assert "warn" == found["environment retraining"]["state"]
