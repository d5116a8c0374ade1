"""The promised loop, with real git, real MLflow and real flights: retrain, merge, revert, and back."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from core.errors import OutsideError
from monitoring.tasks.select import task_of
from monitoring.triggers.evidence import History
from tests.place import FIRST, Place

LATER = dt.date(2013, 4, 20)
LAST = dt.date(2013, 6, 10)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Place:
    """Three promotions: version 1 in March, 2 in April, 3 in June."""
    place = Place.make(tmp_path_factory.mktemp("loop") / "repo", store=mlflow_store)
    for begin, day in ((None, FIRST), (FIRST, LATER), (LATER, LAST)):
        if begin:
            place.serve(begin, day)
        place.retrain(day, any_verdict=True)
        place.merges.append(place.person.merge())
        assert place.mlops("promote", day=day).code == 0
    return place


@pytest.fixture
def place(story: Place, tmp_path: Path) -> Place:
    """A copy to play with."""
    return story.copy(tmp_path / "repo")


def stages(place: Place) -> dict[int, str]:
    """The stage of each version."""
    night = place.night(LAST)
    return {n: v.stage for n, v in night.registry.versions(night.config.registry_name).items()}


def test_a_version_keeps_what_it_said_of_its_holdout(place: Place) -> None:
    """Training stores it with the baseline, and the next night warns or calms by it."""
    night = place.night(LAST)
    assert night.champion is not None
    kept = night.baseline(night.champion).scores
    assert kept is not None
    assert kept.calibration is not None
    assert 2_000 < kept.rows(task_of(night.config))


def test_merging_moves_the_version_and_archives_the_old_one(place: Place) -> None:
    """After three merged promotions the third version is in Production and the others are Archived."""
    assert {1: "Archived", 2: "Archived", 3: "Production"} == stages(place)


def test_reverting_rolls_back_and_reverting_that_rolls_forward(place: Place) -> None:
    """`git revert` and `promote` bring version 2 back, the revert of the revert version 3."""
    undone = place.person.revert(place.merges[-1])
    assert 0 == place.mlops("promote").code
    assert (2,) == place.production()

    place.person.revert(undone)
    assert 0 == place.mlops("promote").code
    assert (3,) == place.production()


def test_trainings_that_did_not_replace_the_champion_are_counted(place: Place) -> None:
    """None after a promotion; after a rollback the version that was taken back is one, with what it was fitted on."""
    from stages.check import history

    assert (0, None, None) == attempts(history(place.night(LAST)))
    place.person.revert(place.merges[-1])
    assert 0 == place.mlops("promote").code
    night = place.night(LAST)
    third = night.registry.versions(night.config.registry_name)[3]

    assert (1, third.trained_at, third.fit_until) == attempts(history(night))


def attempts(past: History) -> tuple[int, dt.datetime | None, dt.datetime | None]:
    """How many there were, when the first was, and what the last was fitted on."""
    return past.attempts, past.first_attempt, past.last_fit_until


def test_reverting_an_old_promotion_conflicts_in_git(place: Place) -> None:
    """Reverting the second promotion while the third is live ends in a conflict; nothing moves silently."""
    with pytest.raises(OutsideError, match="revert"):
        place.person.revert(place.merges[1])
    place.person.git("revert", "--abort")

    assert 0 == place.mlops("promote").code
    assert (3,) == place.production()


def test_reverting_the_first_promotion_takes_nothing_out_of_service(place: Place) -> None:
    """When git declares no version at all, `promote` refuses and leaves Production as it is."""
    place.person.git("rm", "--quiet", "model/flights/production.json")
    place.person.git("commit", "--quiet", "--message", "No model")

    assert 5 == place.mlops("promote").code
    assert (3,) == place.production()


def test_a_second_promote_changes_nothing(place: Place) -> None:
    """Promoting what is in Production writes nothing, not even a time."""
    night = place.night(LAST)
    before = night.registry.client.get_model_version("flights", "3")
    assert 0 == place.mlops("promote").code
    after = night.registry.client.get_model_version("flights", "3")

    assert (before.last_updated_timestamp, before.tags) == (after.last_updated_timestamp, after.tags)


def test_a_changed_model_in_production_is_noticed(place: Place) -> None:
    """With nothing to promote, `promote` still compares the files in Production with what was reviewed."""
    files = (place.folder / "local" / "artifacts").rglob("model.skops")
    newest = max(files, key=lambda file: file.stat().st_mtime_ns)
    newest.write_bytes(newest.read_bytes() + b"x")
    ran = place.mlops("promote", day=LAST)

    assert 5 == ran.code
    assert "digest" in ran.err
    assert 3 == place.production()[0]


def test_changes_by_hand_are_reported_and_repaired(place: Place) -> None:
    """A deleted alias and a moved stage: `--verify` exits with 5, `--dry-run` says the plan, `promote` repairs."""
    client = place.night(LAST).registry.client
    client.delete_registered_model_alias("flights", "production")
    with pytest.warns(FutureWarning, match="stages"):
        client.transition_model_version_stage("flights", "2", "Production", archive_existing_versions=True)

    assert 5 == place.mlops("promote", "--verify").code
    assert "version 3" in place.mlops("promote", "--dry-run").out
    assert (2,) == place.production()
    assert 0 == place.mlops("promote").code
    assert (3,) == place.production()
    assert "3" == str(client.get_model_version_by_alias("flights", "production").version)
    assert 0 == place.mlops("promote", "--verify").code


def test_a_rerun_of_a_training_registers_nothing(place: Place) -> None:
    """The same night trained again gives the version that is already there, with the same digests."""
    before = place.versions()
    first = json.loads((place.folder / "local" / "flights" / "candidate.json").read_text())
    again = place.mlops("train", "--json", day=LAST)

    assert before == place.versions()
    same = ("version", "run_id", "digest", "training_key", "data_digest")
    assert [first[key] for key in same] == [again.data[key] for key in same]


def test_what_is_in_production_is_not_proposed_again(place: Place) -> None:
    """The same training once more, after its merge, ends well and opens no pull request."""
    for words in (["train"], ["validate"]):
        assert 0 == place.mlops(*words, day=LAST).code
    ran = place.mlops("propose", "--exit-code", day=LAST)

    assert 0 == ran.code
    assert "version 3 is already in Production" in ran.out
    assert place.night(LAST).forge.open_proposal("flights") is None


def test_a_candidate_from_spoiled_labels_is_refused(place: Place) -> None:
    """Labels swapped before the holdout: the gates block, nothing is proposed, Production stays, the log knows why."""
    place.sql("UPDATE predictions SET actual = 1 - actual WHERE timestamp < '2013-05-26'")
    for words in (["pull"], ["check", "--reason", "rebuilt", "--force"], ["train"]):
        assert 0 == place.mlops(*words, day=LAST).code
    judged = place.mlops("validate", "--json", day=LAST)
    proposed = place.mlops("propose", "--exit-code", day=LAST)

    assert judged.data["passed"] is False
    assert 4 == proposed.code
    assert (3,) == place.production()
    assert place.night(LAST).forge.open_proposal("flights") is None
    events = [json.loads(line) for line in place.mlops("history", "--jsonl", day=None).out.splitlines()]
    refused = [e for e in events if e["event"] == "validation" and not e["success"]]
    assert refused
    assert refused[-1]["reasons"]


def test_the_log_tells_the_whole_story(place: Place) -> None:
    """Every decision, training, verdict, proposal and promotion is one line with the agreed fields."""
    events = [json.loads(line) for line in place.mlops("history", "--jsonl", day=None).out.splitlines()]

    assert {"timestamp", "trigger", "success", "metrics", "error"} <= set(events[0])
    kinds = [event["event"] for event in events]
    assert 3 == kinds.count("promotion") == kinds.count("proposal") == kinds.count("training")
    assert sorted(e["timestamp"] for e in events) == [e["timestamp"] for e in events]


def test_the_log_keeps_how_far_columns_drifted(place: Place) -> None:
    """A decision keeps the largest effect among drifted columns, 0 where none drifted, however far others moved."""
    place.serve(LAST, LAST + dt.timedelta(days=8))
    kept = {}
    for day in (LAST + dt.timedelta(days=7), LAST + dt.timedelta(days=8)):
        assert 0 == place.mlops("pull", day=day).code
        columns = place.mlops("check", "--json", day=day).data["drift"]["nights"][-1]["columns"]
        events = [json.loads(line) for line in place.mlops("history", "--jsonl", day=None).out.splitlines()]
        metrics = [event["metrics"] for event in events if event["event"] == "decision"][-1]
        kept[day] = metrics["drift_effect"]
        assert 0.1 == metrics["drift_effect_limit"] < max(column["effect"] for column in columns)
        assert kept[day] == max((c["effect"] for c in columns if c["drifted"] and not c["ignored"]), default=0.0)
        place.sql("UPDATE predictions SET distance = 4 * distance")

    assert 0.0 == kept[LAST + dt.timedelta(days=7)] < kept[LAST + dt.timedelta(days=8)]


def test_status_says_where_the_model_stands(place: Place) -> None:
    """One screen: the version in service, the last readings, and that registry and git agree."""
    said = place.mlops("status", day=LAST)

    assert 0 == said.code
    assert "version 3" in said.out
    assert "agrees with git" in said.out
    place.night(LAST).registry.client.delete_registered_model_alias("flights", "production")
    assert "DISAGREES" in place.mlops("status", day=LAST).out


def test_an_open_proposal_is_not_piled_upon(place: Place) -> None:
    """While a pull request is open, a request by hand waits; with --force it is updated in place, under its number."""
    place.serve(LAST, LAST + dt.timedelta(days=8))
    day = LAST + dt.timedelta(days=8)
    place.retrain(day, any_verdict=True)
    number = place.night(day).forge.open_proposal("flights").number  # type: ignore[union-attr]
    held = place.mlops("check", "--json", "--reason", "again", day=day)

    assert held.data["retrain"] is False
    place.mlops("propose", day=day)
    assert number == place.night(day).forge.open_proposal("flights").number  # type: ignore[union-attr]


def test_another_metric_starts_without_the_old_reference(place: Place) -> None:
    """Where model.toml names another metric than the manifest, nothing is held against the old score."""
    day = LAST + dt.timedelta(days=8)
    place.serve(LAST, day)
    config = place.folder / "model" / "flights" / "model.toml"
    config.write_text(config.read_text().replace('metric = "balanced_accuracy"', 'metric = "roc_auc"'))
    assert 0 == place.mlops("pull", day=day).code
    decided = place.mlops("check", "--json", "--reason", "another metric", "--force", day=day).data
    assert 0 == place.mlops("train", day=day).code
    judged = place.mlops("validate", "--json", day=day).data

    assert ("roc_auc", None) == (decided["performance"]["metric"], decided["performance"]["reference"])
    assert judged["scores"][0]["value"] == judged["reference"]
