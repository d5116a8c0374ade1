"""A pull request that changes thresholds is told what these would have done, by the real workflow."""

from __future__ import annotations

import pytest

from tests.github import people
from tests.github.template import Scene, Template

CONFIG = "model/flights/model.toml"


@pytest.fixture(scope="module")
def told(template: Template) -> Scene:
    """A person wants a model of at most 7 days; the replay of the nights up to now runs, and runs again."""
    text = template.double.read(CONFIG) or ""
    template.double.push({CONFIG: text.replace("max_days = 30", "max_days = 7")}, "Younger", branch="younger")
    pull = people.opened(template.double, "Younger models", "please", "younger", "main", "alice")
    for _ in range(2):
        scene = template.run("pull_request", "replay-check.yml", day="2013-03-27", payload={"number": pull.number})
    return scene


def test_both_thresholds_stand_side_by_side(told: Scene) -> None:
    """One comment, also after a second run, says what the default branch and the pull request would have done."""
    (comment,) = told.comments

    assert 0 == told.run.code
    assert "<!-- retraining replay-flights -->" in comment.body
    rows = {line.split(" | ")[0]: line.split(" | ")[1:4] for line in comment.body.splitlines() if line.startswith("| ")}
    assert ["0", "0", "0"] == rows["| now, on the default branch"]
    assert "0" != rows["| with this pull request"][2]


def test_only_the_record_leaves_the_runner(told: Scene) -> None:
    """What passes to the job that comments is the record of the replay: no row and no model."""
    assert {"flights-replay/replay.json"} == told.kept()
