"""A proposal names the commit that holds its code, says what was taken back, and never replaces a later one."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from stages.context import Night
from tests.place import FIRST, SECOND, Place, Ran

MANIFEST = "model/flights/production.json"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Place:
    """Version 1 is in Production, and version 2 is proposed."""
    return Place.proposed(tmp_path_factory.mktemp("propose") / "repo", mlflow_store)


@pytest.fixture
def place(story: Place, tmp_path: Path) -> Place:
    """A copy of it."""
    return story.copy(tmp_path / "repo")


def flat(ran: Ran) -> str:
    """The output and the errors of a command, on one line."""
    return " ".join((ran.out + ran.err).split())


def in_workflow(place: Place) -> Night:
    """The model, now, in a job of a workflow run."""
    env = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/demo", "GITHUB_RUN_ID": "7"}
    night = place.night(SECOND, env)
    return Night(night.settings, night.config, dt.datetime.now(dt.UTC), live=True)


@pytest.mark.parametrize("file", ["model/flights/pipeline.py", "training/frame.py"])
def test_code_that_is_not_committed_is_not_proposed(place: Place, file: str) -> None:
    """The file is named, and exit code 2; committed, it is proposed."""
    path = place.folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + "\n# changed\n")
    ran = place.mlops("propose", day=SECOND)
    assert (2, True) == (ran.code, f"{file} is not committed as it is" in flat(ran)), ran.err
    place.person.git("add", "--all")
    place.person.git("commit", "--quiet", "--message", "Another pipeline")

    assert 0 == place.mlops("propose", day=SECOND).code


def test_settings_that_are_not_committed_are_said_on_top(place: Place) -> None:
    """A changed model.toml stops nothing; the pull request names it before anything else but the verdict."""
    config = place.model("flights") / "model.toml"
    config.write_text(config.read_text() + "\n# changed\n")
    assert 0 == place.mlops("propose", day=SECOND).code
    proposal = place.night(SECOND).forge.open_proposal("flights")

    assert proposal is not None
    assert "**Not committed:** `model/flights/model.toml`" in proposal.body.partition("## ")[0]


def test_an_old_job_that_is_run_again_replaces_no_later_proposal(place: Place) -> None:
    """A verdict of an earlier night than that of the open pull request: exit code 2, and both are named."""
    path = place.folder / "local" / "flights" / "verdict.json"
    verdict = json.loads(path.read_text().replace("2013-04-20T", "2013-04-19T"))
    path.write_text(json.dumps(verdict))
    ran = place.mlops("propose", day=SECOND - dt.timedelta(days=1))

    assert 2 == ran.code
    assert "Pull request 2 of 2013-04-20 is later than this candidate (2013-04-19)" in flat(ran)


def test_a_job_of_a_workflow_that_is_run_again_days_later_goes_on(place: Place) -> None:
    """The records are of the same workflow run, however old; on a laptop an old record is still refused."""
    from core.errors import RecordError
    from training.gates.validate import Verdict

    night = in_workflow(place)
    read = night.read_record(Verdict, "verdict.json", None)
    assert read.as_of == night.as_of
    on_a_laptop = place.night(SECOND)
    laptop = Night(on_a_laptop.settings, on_a_laptop.config, dt.datetime.now(dt.UTC), live=True)

    with pytest.raises(RecordError, match=r"verdict\.json is of 2013-04-20"):
        laptop.read_record(Verdict, "verdict.json", None)


def test_what_was_taken_back_is_proposed_with_a_word_on_top(place: Place) -> None:
    """After a rollback the same rows give the same version: said with the day and the person, and no rollback."""
    place.person.merge()
    assert 0 == place.mlops("promote", day=SECOND).code
    place.person.revert("HEAD")
    assert 0 == place.mlops("promote", day=SECOND).code
    place.retrain(SECOND, any_verdict=True)
    night = place.night(SECOND)
    proposal = night.forge.open_proposal("flights")
    assert proposal is not None
    said = "Version 2 was in Production before, and was rolled back on 2013-04-20"
    assert said in proposal.body.replace("\\", "").partition("## ")[0]
    assert f"by {night.author}" in proposal.body.replace("\\", "").partition("## ")[0]

    text = night.forge.file(MANIFEST, proposal.head)
    place.manifest.write_text(text or "")
    review = place.mlops("review", "--json", day=SECOND)
    (checked,) = review.data["reviews"]
    assert (0, False, 2) == (review.code, checked["rollback"], checked["version"]), review.err
    assert [True] == [said in check["sentence"] for check in checked["checks"] if check["name"] == "again"]
    place.manifest.unlink()
    place.person.git("checkout", "--quiet", "--", MANIFEST)
    place.person.merge()
    assert (0, (2,)) == (place.mlops("promote", day=SECOND).code, place.production())


def test_a_manifest_that_was_edited_and_merged_over_a_red_check_does_not_move_production(place: Place) -> None:
    """What mlops review refuses, mlops promote refuses with the same words."""
    place.person.merge()
    place.manifest.write_text(place.manifest.read_text().replace('"champion": 1', '"champion": null'))
    ran = place.mlops("promote", day=SECOND)

    assert (5, (1,)) == (ran.code, place.production())
    assert "The manifest differs from what was validated: champion is None, not 1" in flat(ran)


def test_a_broken_manifest_on_main_can_be_repaired_by_a_pull_request(place: Place) -> None:
    """The check of the pull request that restores it is not red for what it repairs."""
    place.person.merge()
    good = place.manifest.read_text()
    place.manifest.write_text("<<<<<<< ours\n")
    place.person.git("commit", "--quiet", "--all", "--message", "Broken")
    place.night(SECOND).forge.ensure(place.folder)
    place.manifest.write_text(good)
    ran = place.mlops("review", day=SECOND)

    assert 0 == ran.code, ran.out + ran.err
    assert "On the default branch, model/flights/production.json" in flat(ran)


@pytest.mark.parametrize("command", ["promote", "propose", "review"])
def test_a_template_in_a_subfolder_of_a_repository_is_refused(place: Place, tmp_path: Path, command: str) -> None:
    """A pull request would write to the top of the repository, and its merge promote nothing: said at once."""
    mono = Place(tmp_path / "mono" / "ml")
    shutil.copytree(place.folder, mono.folder, ignore=shutil.ignore_patterns(".git"))
    place.person.git("init", "--quiet", "--initial-branch=main", str(tmp_path / "mono"))
    ran = mono.mlops(command, day=SECOND)
    said = "The template is in the subfolder ml of a git repository, and not at its top"
    checks = {check["what"]: check for check in mono.mlops("doctor", "--json", day=FIRST).data["checks"]}

    assert (2, True) == (ran.code, said in flat(ran)), ran.err
    assert ("fail", True) == (checks["repository"]["state"], said in checks["repository"]["says"])
