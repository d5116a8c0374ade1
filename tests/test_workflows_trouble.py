"""Nights that go wrong, run by the real workflows: told in one issue a cause, which the next good run closes."""

from __future__ import annotations

import pytest

from tests.github.double import TOKEN
from tests.github.template import SECRETS, Scene, Template

REFUSED, BROKEN = "flights/validate-refused", "flights/pull-data"
MOVED, NO_PULLS = "flights/promote-registry", "flights/propose-outside"
ORDINARY = {"force": "false", "reason": ""}


@pytest.fixture(scope="module")
def refused(template: Template) -> Scene:
    """A person asks for a retraining on a table whose labels were swapped before the holdout."""
    spoiled = template.rows("spoiled", "UPDATE predictions SET actual = 1 - actual WHERE timestamp < '2013-03-12'")
    return template.dispatch("2013-03-26", rows=spoiled)


@pytest.fixture(scope="module")
def broken(template: Template, refused: Scene) -> list[Scene]:
    """Two nights on which a column arrives empty."""
    rows = template.after(refused).rows(
        "broken", "UPDATE predictions SET wind_speed = NULL WHERE timestamp >= '2013-03-25'"
    )
    return [template.dispatch(day, rows=rows, inputs=ORDINARY) for day in ("2013-03-27", "2013-03-28")]


@pytest.fixture(scope="module")
def paused(template: Template, broken: list[Scene]) -> Scene:
    """A good night in the pause after a training; drift fires."""
    change = "distance = distance * 1.6, sched_dep_min = sched_dep_min * 0.7"
    rows = template.after(broken[-1]).rows("drift", f"UPDATE predictions SET {change} WHERE timestamp >= '2013-03-16'")  # noqa: S608
    return template.dispatch("2013-03-29", rows=rows, inputs=ORDINARY)


@pytest.fixture(scope="module")
def moved(template: Template, paused: Scene) -> Scene:
    """A stage was moved by hand, and workflows may not open pull requests; a person asks for a retraining."""
    template.after(paused).by_hand(2)
    template.double.may_create_pulls = False
    return template.dispatch("2013-03-30")


@pytest.fixture(scope="module")
def repaired(template: Template, moved: Scene) -> Scene:
    """A person dispatches promote."""
    return template.after(moved).run("workflow_dispatch", "promote.yml", day="2013-03-30", inputs={"model": ""})


@pytest.fixture(scope="module")
def allowed(template: Template, repaired: Scene) -> Scene:
    """The setting is switched on, and the same night is run again."""
    template.after(repaired).double.may_create_pulls = True
    return template.dispatch("2013-03-30")


def test_a_refusal_is_told_with_its_gates(refused: Scene) -> None:
    """The run is green, no pull request is opened, and an issue names the gates that block."""
    verdict = refused.record("flights-train", "verdict.json")
    blocking = [gate["sentence"] for gate in verdict["gates"] if gate["state"] == "blocks"]

    assert (0, {}, (1,), 2) == (refused.run.code, refused.pulls, refused.production, refused.versions)
    assert "skipped" == refused.run.jobs["propose"]
    assert [REFUSED] == list(refused.open)
    issue = refused.open[REFUSED]
    assert (["retraining"], "github-actions[bot]") == (issue.labels, issue.author)
    assert blocking
    assert all(sentence.split(",")[0].split(" ")[-1] in (issue.body or "") for sentence in blocking)


def test_a_quiet_night_in_the_pause_does_not_close_it(paused: Scene) -> None:
    """While a training waits for the end of the pause, what was refused is not over."""
    decision = paused.record("flights-monitor", "decision.json")

    assert decision["retrain"] is False
    assert any("The last training was" in reason for reason in decision["held_back_by"])
    assert [REFUSED] == list(paused.open)


def test_a_candidate_that_passes_closes_it(moved: Scene) -> None:
    """The next training that passes its gates ends the alert."""
    assert REFUSED not in moved.open


def test_a_failing_night_opens_one_issue(broken: list[Scene]) -> None:
    """The monitor is red, nothing is judged or trained, and an issue says what is wrong with which column."""
    night = broken[0]

    assert (1, "failure", 2) == (night.run.code, night.run.jobs["monitor"], night.versions)
    assert {"flights-monitor/failure-pull.json"} == night.kept()
    issue = night.open[BROKEN]
    assert ["retraining"] == issue.labels
    assert "wind" in (issue.body or "")
    assert "Fix the feed" in (issue.body or "")
    assert "- 2013-03-27: [workflow run](https://github.com/acme/demo/actions/runs/" in (issue.body or "")


def test_a_second_failing_night_is_added_to_it(broken: list[Scene]) -> None:
    """No second issue is opened; the first lists both nights."""
    first, second = (scene.open[BROKEN] for scene in broken)

    assert (first.number, {REFUSED, BROKEN}) == (second.number, set(broken[1].open))
    assert "- 2013-03-27" not in (second.body or "").partition("- 2013-03-28")[2]
    assert "- 2013-03-27" in (second.body or "").partition("- 2013-03-28")[0]


def test_the_next_good_night_closes_it(broken: list[Scene], paused: Scene) -> None:
    """It is closed as completed, with one comment that says so."""
    number = broken[1].open[BROKEN].number
    comments = [comment.body for comment in paused.comments if comment.number == number]

    assert ("closed", "completed") == (paused.issues[number].state, paused.issues[number].state_reason)
    assert 1 == len(comments)
    assert "The nightly run of 2013-03-29 succeeded" in comments[0]


def test_the_night_tells_it_and_still_judges(moved: Scene) -> None:
    """The issue says what git declares; the triggers are judged and the training asked for is made."""
    assert "success" == moved.run.jobs["monitor"]
    assert "success" == moved.run.jobs["train"]
    assert "version 1" in (moved.open[MOVED].body or "")
    assert (2,) == moved.production


def test_promote_by_hand_repairs_and_closes(moved: Scene, repaired: Scene) -> None:
    """Dispatching promote puts the declared version back, and the issue is over; others stay open."""
    assert (0, (1,)) == (repaired.run.code, repaired.production)
    assert "closed" == repaired.issues[moved.open[MOVED].number].state
    assert [NO_PULLS] == list(repaired.open)


def test_the_advice_is_in_the_log_and_in_an_issue(moved: Scene) -> None:
    """The job propose is red and says which box to tick; so does the issue."""
    assert "failure" == moved.run.jobs["propose"]
    assert {} == moved.pulls
    for text in (moved.run.log, moved.open[NO_PULLS].body or ""):
        assert "Allow GitHub Actions to create and approve pull" in text


def test_the_next_run_proposes_the_same_candidate(moved: Scene, allowed: Scene) -> None:
    """No second version is registered, the pull request is opened, and the issue is closed."""
    assert (0, moved.versions, 3) == (allowed.run.code, allowed.versions, allowed.versions)
    assert [("promote/flights", "open")] == [(pull.head, pull.state) for pull in allowed.pulls.values()]
    assert {} == allowed.open


def test_no_secret_is_seen_anywhere(template: Template, allowed: Scene) -> None:
    """Neither errors nor issues, nor the warning that chat could not be reached, hold one."""
    told = template.after(allowed).told()

    assert "in APPRISE_URLS did not take the message" in told
    assert [] == [secret for secret in [*SECRETS.values(), template.tracking, TOKEN] if secret in told]
    assert [] == [line for line in told.splitlines() if "***" in line and "⚙" not in line]
