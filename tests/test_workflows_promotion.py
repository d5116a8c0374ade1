"""A promotion pull request from its check to its merge, its revert and what comes too late, by the real workflows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.github import people
from tests.github.template import MANIFEST, SECRETS, Scene, Template

DAY, NEXT = "2013-03-27", "2013-03-30"


@pytest.fixture(scope="module")
def proposed(template: Template) -> int:
    """A laptop of the team proposes version 2, compared with version 1, at the double."""
    return propose(template, DAY)


@pytest.fixture(scope="module")
def green(template: Template, proposed: int) -> Scene:
    """The check of that pull request."""
    return check(template, proposed)


@pytest.fixture(scope="module")
def tampered(template: Template, green: Scene, proposed: int) -> Scene:
    """The check after a person has changed the digest on the branch; then the branch is mended."""
    good = template.after(green).double.read(MANIFEST, "promote/flights") or ""
    digest = json.loads(good)["digest"]
    bad = good.replace(digest, "0" * 64)
    template.double.push({MANIFEST: bad}, "Only a digest", branch="promote/flights", person="mallory")
    scene = check(template, proposed)
    template.double.push({MANIFEST: good}, "Restore it", branch="promote/flights")
    return scene


@pytest.fixture(scope="module")
def fork(template: Template, tampered: Scene, proposed: int) -> Scene:
    """The check of a pull request that comes from a fork."""
    shown = {"head": {"repo": {"full_name": "mallory/demo"}}, "number": proposed, "base": {"ref": "main"}}
    return check(template.after(tampered), proposed, pull_request=shown)


@pytest.fixture(scope="module")
def merged(template: Template, fork: Scene, proposed: int) -> Scene:
    """A person merges it."""
    template.after(fork).double.merge(proposed)
    return promote(template)


@pytest.fixture(scope="module")
def second(template: Template, merged: Scene) -> int:
    """Version 3 is proposed, compared with version 2."""
    template.after(merged).place.manifest.write_text(template.double.read(MANIFEST) or "")
    return propose(template, NEXT)


@pytest.fixture(scope="module")
def reverted(template: Template, second: int, proposed: int) -> Scene:
    """The merge of version 2 is reverted, while that of version 3 is proposed."""
    assert template.double.pulls[second].state == "open"
    template.double.revert(template.double.pulls[proposed].merge_commit or "")
    return promote(template)


@pytest.fixture(scope="module")
def again(template: Template, reverted: Scene, proposed: int) -> Scene:
    """The run that the first merge had started is run again."""
    return promote(template.after(reverted), at=template.double.pulls[proposed].merge_commit)


@pytest.fixture(scope="module")
def stale(template: Template, again: Scene) -> Scene:
    """A person brings the manifest of version 3 on top of main, and its check runs."""
    late = template.after(again).double.read(MANIFEST, "promote/flights") or ""
    template.double.push({MANIFEST: late}, "Promote it all the same", branch="late")
    pull = people.opened(template.double, "Promote flights version 3", "please", "late", "main", "alice")
    return check(template, pull.number)


def propose(template: Template, day: str) -> int:
    """A night on a laptop, whose forge is the double; the pull request's number."""
    for words in (["pull"], ["check", "--reason", "by hand", "--force"], ["train"], ["validate"], ["propose"]):
        template.mlops(*words, "--model", "flights", day=day)
    return next(pull.number for pull in template.double.pulls.values() if pull.state == "open")


def check(template: Template, number: int, **payload: Any) -> Scene:
    """What GitHub does when a pull request is opened or pushed to."""
    return template.run("pull_request", "promotion-check.yml", day=DAY, payload={"number": number, **payload})


def promote(template: Template, at: str | None = None) -> Scene:
    """What GitHub does when a push to main changes a manifest."""
    return template.run("push", "promote.yml", day=NEXT, at=at)


def said(scene: Scene, number: int) -> list[str]:
    """The comments on a pull request."""
    return [comment.body for comment in scene.comments if comment.number == number]


def test_a_sound_promotion_is_green_and_told_so(green: Scene, proposed: int) -> None:
    """The check passes, and one comment says that it may be merged and what merging does."""
    assert ({"check": "success", "comment": "success", "fork": "skipped"}, 0) == (green.run.jobs, green.run.code)
    assert 1 == len(said(green, proposed))
    assert "may be merged" in said(green, proposed)[0]
    assert "**Merging** will" in said(green, proposed)[0]
    assert {"review/review.json"} == green.kept()


def test_a_tampered_manifest_is_red_and_told_in_the_same_comment(green: Scene, tampered: Scene, proposed: int) -> None:
    """A digest that a person changed blocks; the comment of the first check is replaced, not added to."""
    assert ("failure", "success", 1) == (tampered.run.jobs["check"], tampered.run.jobs["comment"], tampered.run.code)
    assert 1 == len(said(tampered, proposed))
    assert "must not be merged" in said(tampered, proposed)[0]
    assert "digest is 0000" in said(tampered, proposed)[0].replace("\\", "")
    assert [comment.id for comment in green.comments] == [comment.id for comment in tampered.comments]


def test_a_fork_gets_nothing_but_a_refusal(tampered: Scene, fork: Scene) -> None:
    """Of a fork's pull request only the job `fork` runs, which is red; it asks for nothing and is given no secret."""
    assert {"check": "skipped", "comment": "skipped", "fork": "failure"} == fork.run.jobs
    assert "A fork may not change production.json." in fork.run.log
    assert ([], set(), tampered.comments) == (fork.requests, fork.kept(), fork.comments)
    assert [] == [secret for secret in SECRETS.values() if secret in fork.run.log]
    assert "***" not in fork.run.log


def test_a_merge_moves_production(merged: Scene) -> None:
    """The declared version is in Production and has the alias; the event log has the promotion."""
    assert (0, (2,)) == (merged.run.code, merged.production)
    assert {"models": "success", "promote": "success"} == merged.run.jobs
    assert "promotion" == merged.kinds()[-1]
    assert {} == merged.open


def test_a_merge_is_told_as_a_deployment(merged: Scene, template: Template, proposed: int) -> None:
    """The environment production/flights says which version runs, and of which commit."""
    made = merged.deployments[-1]

    assert ("production/flights", "flights version 2 is in Production") == (made.environment, made.description)
    assert template.double.pulls[proposed].merge_commit == made.sha
    assert ["success"] == [status.state for status in made.statuses]


def test_a_revert_moves_production_back(reverted: Scene) -> None:
    """Version 1 is in Production again, with its alias, and the deployment says so."""
    assert (0, (1,), "rollback") == (reverted.run.code, reverted.production, reverted.kinds()[-1])
    assert "flights version 1 is in Production" == reverted.deployments[-1].description
    assert 2 == len(reverted.deployments)


def test_a_revert_closes_what_was_compared_with_the_bad_version(reverted: Scene, second: int) -> None:
    """The open proposal is closed with a comment that says why."""
    assert "closed" == reverted.pulls[second].state
    assert not reverted.pulls[second].merged
    assert any(
        "Superseded: version 3 was compared with version 2, and version 1 is in Production now" in text
        for text in said(reverted, second)
    )


def test_an_old_run_that_is_run_again_moves_nothing(reverted: Scene, again: Scene) -> None:
    """It reads the tip of main, not the commit of its event: version 1 stays, and nothing is told anew."""
    assert (0, (1,)) == (again.run.code, again.production)
    assert (reverted.events, reverted.deployments) == (again.events, again.deployments)
    assert not any(request.writes for request in again.requests)


def test_a_stale_promotion_is_red(stale: Scene) -> None:
    """What was compared with a version that is no longer in Production must not be merged, and the comment says so."""
    assert (1, "failure") == (stale.run.code, stale.run.jobs["check"])
    text = said(stale, max(stale.pulls))[0].replace("\\", "")
    assert "Stale: the candidate was compared with version 2, but version 1 is in Production now." in text
    assert (1,) == stale.production


def test_no_secret_is_seen_anywhere(template: Template, stale: Scene) -> None:
    """No log, page, artifact or request of all these runs has one, nor did the runner have to hide one."""
    told = template.after(stale).told()

    assert "is in Production" in told
    assert [] == [secret for secret in [*SECRETS.values(), template.tracking] if secret in told]
    assert [] == [line for line in told.splitlines() if "***" in line and "⚙" not in line]
