"""Multiclass and regression go through every stage: trained, watched, judged, promoted, rolled back, replayed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from review.text.numbers import figure
from tests.examples import AIRPORTS, DAY, FIRST, HUMIDITY, World

QUIET = FIRST + 16 * DAY
CHANGED = FIRST + 40 * DAY
THEIRS: dict[str, Any] = {
    "airports": metrics.balanced_accuracy_score,
    "humidity": lambda true, said: -metrics.mean_absolute_error(true, said),
}


class Story:
    """A first version, quiet weeks, a change of the world, and what the nights said of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.history(FIRST)
        self.first = world.night(FIRST)
        world.merge(FIRST)
        self.pairs = world.serve(FIRST, QUIET)
        self.quiet = world.night(QUIET)
        world.serve(QUIET, CHANGED, changed=True)
        self.alarm = world.night(CHANGED)
        world.mlops("propose", day=CHANGED)


@pytest.fixture(scope="module", params=[AIRPORTS, HUMIDITY], ids=lambda example: example.name)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Story:
    """The story of each example."""
    return Story(World(tmp_path_factory.mktemp("tasks") / "repo", request.param, mlflow_store))


def reading(decision: dict[str, Any], name: str) -> dict[str, Any]:
    """What a trigger or a watch said."""
    return next(one for one in decision["readings"] if one["trigger"] == name)


def test_a_first_version_passes_every_gate(story: Story) -> None:
    """Floors in the metrics of the task, a holdout, files that say the same when loaded back."""
    verdict = story.first["validate"]
    assert verdict["passed"], verdict["gates"]
    names = [gate["name"] for gate in verdict["gates"]]

    assert {*story.world.config.gates.floors, "holdout", "champion", "load_back", "latency", "size"} <= set(names)
    assert f"slice_{story.world.config.gates.slices[0]}" in names
    assert list(story.world.config.gates.floors.values()) == [
        gate["limit"] for gate in verdict["gates"] if gate["name"] in story.world.config.gates.floors
    ]


def test_a_quiet_night_reads_what_scikit_learn_would(story: Story) -> None:
    """The metric on the labels that arrived is that of the rows themselves, inside its bounds; nothing fires."""
    decision = story.quiet["check"]
    found = decision["performance"]
    start, end = (dt.date.fromisoformat(found[edge]) for edge in ("start", "end"))
    flights = story.world.of(FIRST, QUIET)["timestamp"].dt.date.to_numpy()
    here = (flights >= start) & (flights < end)
    said, true = (np.array(side)[here] for side in zip(*story.pairs, strict=True))

    assert found["labels"] == here.sum()
    assert found["value"] == pytest.approx(THEIRS[story.world.example.name](true, said), rel=1e-3)
    assert found["low"] < found["value"] < found["high"]
    assert not decision["retrain"]
    assert "quiet" == reading(decision, "performance")["state"]
    assert ["score", "target"] == [one["trigger"] for one in decision["readings"]][-2:]


def test_a_world_that_changed_fires_and_is_named(story: Story) -> None:
    """The score falls under its limit, the labels lie elsewhere, and a training follows."""
    decision = story.alarm["check"]

    assert decision["retrain"]
    assert "fired" == reading(decision, "performance")["state"]
    if story.world.example is HUMIDITY:
        assert "warns" == reading(decision, "target")["state"]


def test_the_challenger_is_held_against_the_champion(story: Story) -> None:
    """On the same later rows, in the unit of the metric, with bounds around the difference."""
    compared = story.alarm["validate"]["comparison"]

    assert story.alarm["validate"]["passed"], story.alarm["validate"]["gates"]
    assert (1, story.world.config.triggers.performance.metric) == (compared["champion"], compared["metric"])
    assert compared["champion_value"] < compared["challenger_value"]
    assert 0 < compared["low"] < compared["difference"] < compared["high"]


def test_a_reviewer_reads_the_metric_of_the_task(story: Story) -> None:
    """The pull request and the report hold the main metric's value, and no word of another task."""
    local = story.world.place.folder / "local" / story.world.example.name
    report = (local / "report.html").read_text(encoding="utf-8")
    body = (local / "pulls" / "pull-2.html").read_text(encoding="utf-8")
    compared = story.alarm["validate"]["comparison"]
    shown = figure(compared["metric"], compared["challenger_value"])

    for text in (report, body):
        assert shown in text
        assert "None" not in text
        assert "ROC AUC" not in text


def test_a_night_is_replayed_as_it_was(story: Story) -> None:
    """A replay of the same nights trains, judges and alarms by the task's own counts."""
    words = ("--from", f"{FIRST}", "--to", f"{FIRST + 8 * DAY}", "--policy", "default", "--policy", "weekly")
    result = story.world.mlops("replay", *words, day=CHANGED)
    default, weekly = result["policies"]

    assert story.world.config.triggers.performance.metric == result["metric"]
    assert (0, 1) == (default["retrains"], weekly["retrains"])
    assert story.world.config.triggers.performance.floor < default["mean"]


BROKEN = {
    "airports": {
        "actual": ("'XXX'", "100.0% of the rows of 2013-04-12 have a label that is not one of data.classes"),
        "prediction": ("'XXX'", "100.0% of the scored rows of 2013-04-12 have no score that is one of data.classes"),
    },
    "humidity": {
        "actual": ("151", "100.0% of the rows of 2013-04-12 have a label that is not a number in data.label_range"),
        "prediction": ("'wet'", "100.0% of the scored rows of 2013-04-12 have no score that is a finite number"),
    },
}


@pytest.mark.parametrize("column", ["actual", "prediction"])
def test_what_the_task_does_not_know_stops_the_night(story: Story, tmp_path: Path, column: str) -> None:
    """Labels and scores that cannot be are broken data, said in the words of the task; nothing is judged by them."""
    value, said = BROKEN[story.world.example.name][column]
    place = story.world.place.copy(tmp_path / "repo")
    at = "2013-04-13T00:00:00Z"
    place.sql(f"UPDATE predictions SET {column} = {value}, labelled_at = '{at}' WHERE timestamp >= '2013-04-12'")  # noqa: S608
    ran = place.mlops("pull", "--model", story.world.example.name, day=CHANGED)

    assert 3 == ran.code
    assert said in ran.err


def test_a_model_that_learned_nothing_is_refused(story: Story, tmp_path: Path) -> None:
    """By every floor of the task, and by the comparison with the champion."""
    world = story.world
    place = world.place.copy(tmp_path / "repo")
    pipeline = place.model(world.example.name) / "pipeline.py"
    dummy = {"airports": "DummyClassifier()", "humidity": "DummyRegressor(strategy='constant', constant=0.0)"}
    made = dummy[world.example.name]
    pipeline.write_text(f"from sklearn.dummy import {made.split('(')[0]}\n\n\ndef build(config):\n    return {made}\n")
    for words in (["pull"], ["check", "--reason", "test", "--force"], ["train"], ["validate", "--exit-code", "--json"]):
        ran = place.mlops(*words, "--model", world.example.name, day=QUIET)

    assert 4 == ran.code, ran.err
    blocked = {gate["name"] for gate in ran.data["gates"] if gate["state"] == "blocks"}
    assert {*world.config.gates.floors, "champion"} <= blocked


def test_merging_promotes_and_reverting_rolls_back(story: Story, tmp_path: Path) -> None:
    """As for every model."""
    world = story.world.copy(tmp_path / "repo")
    merge = world.person.merge()
    world.mlops("promote", day=CHANGED)
    assert 2 == world.in_production

    world.person.revert(merge)
    world.mlops("promote", day=CHANGED)
    assert 1 == world.in_production
