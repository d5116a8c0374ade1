"""What the commands of workflows tell people, at a double of GitHub: alert, comment, models."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import DataError, OutsideError
from core.failure import Failure, Stage
from core.replay_result import Alarms, PolicyResult, ReplayResult
from registry.promotion.checks import Check
from review.pull_request import promotion_check
from review.pull_request.promotion_check import Review, Reviews
from tests.github import people
from tests.github.double import TOKEN, Double
from tests.github.faults import Fault
from tests.github.state import Comment, Issue
from tests.place import FIRST, Place, Ran
from tests.review.alerts.test_apprise import Chat, chat  # noqa: F401 - fixture
from tests.review.conftest import make_verdict, verdict  # noqa: F401 - fixtures
from training.gates.validate import Verdict

WELL = {"monitor": "success", "train": "skipped", "propose": "skipped"}
RED = {**WELL, "monitor": "failure"}
DAY = dt.timedelta(days=1)


class Desk:
    """Steps of workflow runs, on one runner after the other, for one repository."""

    def __init__(self, place: Place, double: Double, folder: Path) -> None:
        self.place, self.double, self.folder = place, double, folder
        self.work = place.folder / "local" / "flights"
        self.work.mkdir()

    def run(self, *words: str, day: dt.date | None = FIRST, **env: str) -> Ran:
        """A step."""
        runner = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(self.folder / "output"), "GITHUB_RUN_ID": "7"}
        hub = {"GITHUB_REPOSITORY": self.double.name, "GITHUB_API_URL": self.double.url, "GITHUB_TOKEN": TOKEN}
        return self.place.mlops(*words, day=day, env={**runner, **hub, **env})

    def alert(self, jobs: dict[str, str], day: dt.date = FIRST, **env: str) -> dict[str, Any]:
        """`mlops alert --json` after jobs with these results."""
        told = json.dumps({name: {"result": result, "outputs": {}} for name, result in jobs.items()})
        ran = self.run("alert", "--json", day=day, MLOPS_JOBS=told, **env)
        assert ran.code == 0, ran.err
        found: dict[str, Any] = json.loads(next(line for line in ran.out.splitlines() if line.startswith("{")))
        return found

    def existing(self, body: str, author: str) -> Issue:
        """An issue that is there already, with our label."""
        self.double.labels["retraining"] = {}
        issue = Issue(self.double.next_number(), "Existing", body, author, labels=["retraining"])
        self.double.issues[issue.number] = issue
        return issue

    def failed(self, stage: Stage, err: Exception, day: dt.date = FIRST) -> None:
        """A stage left a failure."""
        made = Failure.of("flights", dt.datetime.combine(day, dt.time(), dt.UTC), stage, err)
        made.write(self.work / made.file)

    def clear(self) -> None:
        """A new runner."""
        for path in self.work.iterdir():
            path.unlink()

    def open(self) -> dict[str, Issue]:
        """The open issues by their mark."""
        found = (issue for issue in self.double.issues.values() if issue.state == "open")
        return {(issue.body or "").split(" -->")[0].rpartition(" ")[2]: issue for issue in found}


@pytest.fixture
def desk(tmp_path: Path, double: Double) -> Desk:
    """A repository with the example model; MLflow and the monitoring table are not needed."""
    from scripts.demo.command import prepare
    from tests.place import EXAMPLE

    folder = prepare(EXAMPLE, tmp_path / "repo")
    (folder / "local").mkdir()
    return Desk(Place(folder), double, tmp_path)


def test_a_good_run_says_so_and_writes_nothing(desk: Desk) -> None:
    """Without a failure and without an open issue GitHub is only read."""
    assert {"model": "flights", "open": [], "closed": []} == desk.alert(WELL)
    assert 0 == desk.double.writes


def test_a_failure_opens_one_issue_which_the_next_good_run_closes(desk: Desk) -> None:
    """First opened, then updated, then closed with a comment; its number stays."""
    desk.failed("pull", DataError("dest is empty."))
    assert [True] == [one["new"] for one in desk.alert(RED)["open"]]
    desk.failed("pull", DataError("dest is empty."), FIRST + DAY)
    assert [False] == [one["new"] for one in desk.alert(RED, FIRST + DAY)["open"]]
    issue = desk.double.issues[1]
    assert (["flights/pull-data"], ["retraining"]) == (list(desk.open()), issue.labels)

    desk.clear()
    closed = desk.alert(WELL, FIRST + 2 * DAY)["closed"]

    assert [("pull-data", "https://github.com/acme/demo/issues/1")] == [(one["cause"], one["url"]) for one in closed]
    assert ("closed", "completed") == (issue.state, issue.state_reason)
    assert ["nightly run of 2013-03-06 succeeded"] == [
        text.body.partition("The ")[2].partition(" (")[0] for text in desk.double.comments.values()
    ]


def test_a_job_that_died_is_told_only_where_no_stage_said_why(desk: Desk) -> None:
    """A lost runner is a cause; a red job whose stage left its failure is not told twice."""
    assert ["monitor-stopped"] == [one["cause"] for one in desk.alert(RED)["open"]]
    desk.failed("check", OutsideError("MLflow is down."))
    told = desk.alert(RED)

    assert ["check-outside"] == [one["cause"] for one in told["open"]]


def test_one_outage_is_one_cause_however_many_stages_it_stops(desk: Desk) -> None:
    """Both promote --verify and pull fail for the same reason on the same night: that is one issue."""
    for stage in ("promote", "pull"):
        desk.failed(stage, OutsideError("MLflow is down."))  # type: ignore[arg-type]

    assert 1 == len(desk.alert(RED)["open"])


def test_what_was_not_run_again_stays_open(desk: Desk) -> None:
    """A failed proposal is not over because a later night, red in its monitor, did not get that far."""
    desk.failed("propose", OutsideError("GitHub is down."))
    desk.alert({"monitor": "success", "train": "success", "propose": "failure"})
    desk.clear()
    desk.failed("pull", DataError("dest is empty."), FIRST + DAY)
    desk.alert(RED, FIRST + DAY)

    assert {"flights/propose-outside", "flights/pull-data"} == set(desk.open())


def off(double: Double) -> None:
    """Somebody switched issues off."""
    double.faults = [
        Fault(path="/issues", times=99, status=410, message="Issues has been disabled in this repository.")
    ]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_chat_is_told_though_issues_are_switched_off(desk: Desk, chat: Chat) -> None:  # noqa: F811
    """Each channel by itself: the message arrives, the missing issue is a warning, and the exit code is 0."""
    off(desk.double)
    desk.failed("pull", DataError("dest is empty."))
    told = json.dumps({name: {"result": result} for name, result in RED.items()})
    ran = desk.run("alert", MLOPS_JOBS=told, APPRISE_URLS=f"{chat.address} nonsense://x")
    assert 6 == ran.code
    ran = desk.run("alert", MLOPS_JOBS=told, APPRISE_URLS=chat.address)

    assert 0 == ran.code, ran.err
    assert "Issues are switched off" in ran.out + ran.err
    assert ["flights: pull failed (data)"] * 2 == [one["title"] for one in chat.told]


def test_without_issues_and_without_chat_it_ends_as_an_error(desk: Desk) -> None:
    """What nobody was told ends with exit code 6 and the setting to click."""
    off(desk.double)
    desk.failed("pull", DataError("dest is empty."))
    ran = desk.run("alert", MLOPS_JOBS=json.dumps({name: {"result": result} for name, result in RED.items()}))

    assert (6, True) == (ran.code, "Features: tick Issues" in ran.err), ran.err


def test_a_refusal_is_an_issue_until_a_candidate_passes(desk: Desk, make_verdict: Callable[..., Verdict]) -> None:  # noqa: F811
    """A gate that blocked is told with the report; the next verdict that passes ends it."""
    done = {"monitor": "success", "train": "success", "propose": "skipped"}
    make_verdict(passed=False).write(desk.work / "verdict.json")
    desk.alert(done, REPORT_URL="https://github.com/acme/demo/actions/runs/7/artifacts/1")
    assert "artifacts/1" in (desk.open()["flights/validate-refused"].body or "")

    make_verdict(passed=True).write(desk.work / "verdict.json")
    desk.alert({**done, "propose": "success"}, FIRST + DAY)

    assert {} == desk.open()


def test_a_stranger_cannot_have_an_issue_closed_or_rewritten(desk: Desk) -> None:
    """An issue with our mark and label that a person wrote is not ours."""
    body = "<!-- retraining flights/pull-data -->\nMine."
    issue = desk.existing(body, "mallory")
    desk.alert(WELL)
    desk.failed("pull", DataError("dest is empty."))
    desk.alert(RED)

    assert ("open", body) == (issue.state, issue.body)
    assert "dest is empty" in (desk.double.issues[2].body or "")


def test_another_models_issue_is_left_alone(desk: Desk) -> None:
    """A good night of one model ends nothing of a model whose name begins alike."""
    body = "<!-- retraining flights_eu/pull-data -->\n"
    issue = desk.existing(body, "github-actions[bot]")
    desk.alert(WELL)

    assert "open" == issue.state


def test_jobs_that_are_no_results_are_a_usage_error(desk: Desk) -> None:
    """What is not toJSON(needs) ends with what to pass."""
    for wrong in ("", "[]", "{", '{"monitor": "success"}'):
        ran = desk.run("alert", "--jobs", wrong)
        assert 2 == ran.code
        assert "toJSON(needs)" in ran.err


def test_only_known_models_are_named_to_later_jobs(desk: Desk) -> None:
    """`models` sets the output `model` where one is asked for that exists, and ends with 2 for any other name."""
    output = desk.folder / "output"
    assert 0 == desk.run("models", day=None, MLOPS_MODEL="").code
    assert ("model<<" in output.read_text(), '["flights"]' in output.read_text()) == (False, True)
    assert 0 == desk.run("models", day=None, MLOPS_MODEL="flights").code
    assert "\nflights\n" in output.read_text().partition("model<<")[2]

    before = output.read_text()
    for wrong in ("none", "../flights", "flights\nmodel=x", "Flights"):
        assert 2 == desk.run("models", day=None, MLOPS_MODEL=wrong).code
    assert before == output.read_text()


@pytest.fixture
def number(desk: Desk) -> int:
    """An open pull request."""
    desk.double.push({"x": "1\n"}, "Promote", branch="promote/flights")
    return people.opened(desk.double, "Promote", "why", "promote/flights", "main", "alice").number


def test_the_verdict_is_one_comment_updated_in_place(desk: Desk, number: int) -> None:
    """The second verdict replaces the first; a person's comment that begins alike stays."""
    mark = "<!-- retraining promotion-check -->\nI agree."
    desk.double.comments[1] = Comment(1, number, mark, "mallory")
    path = desk.place.folder / "local" / "review.json"
    Reviews(reviews=(promotion_check.removed("flights"),)).write(path)
    assert 0 == desk.run("comment", "--pull-request", str(number), day=None).code
    sound = Review(
        model="flights", rollback=False, version=2, checks=(Check(name="x", state="passes", sentence="Yes."),), steps=()
    )
    Reviews(reviews=(sound,)).write(path)
    assert 0 == desk.run("comment", day=None, MLOPS_PULL_REQUEST=str(number)).code

    texts = [comment.body for comment in desk.double.comments.values()]
    assert (2, mark) == (len(texts), texts[0])
    assert "may be merged" in texts[1]
    assert "https://github.com/acme/demo/actions/runs/7" in texts[1]


def test_a_check_that_failed_itself_is_told_as_no_verdict(desk: Desk, number: int) -> None:
    """Without review.json nothing is known: the comment says not to merge."""
    assert 0 == desk.run("comment", day=None, MLOPS_PULL_REQUEST=str(number)).code
    assert "could not be checked" in desk.double.comments[1].body
    assert "Do not merge" in desk.double.comments[1].body


def test_on_a_laptop_there_is_nothing_to_comment_on(desk: Desk) -> None:
    """Outside of a workflow the command says which repository it would need."""
    ran = desk.place.mlops("comment", "--pull-request", "1", day=None)

    assert 2 == ran.code
    assert "MLOPS_FORGE=https://github.com/OWNER/NAME" in ran.err


def test_a_replay_is_told_in_one_comment_a_model(desk: Desk, pull: Callable[..., int]) -> None:
    """The thresholds of the default branch and those of the pull request stand side by side, updated in place."""
    number = pull({"model/flights/model.toml": "x = 1\n"})
    alarms = Alarms(performance=1, drift=2, age=3)
    one = PolicyResult(
        policy="main",
        nights=90,
        alarms=alarms,
        retrains=4,
        promotions=3,
        refusals=1,
        mean=0.651,
        worst_week=0.6,
        share_under_floor=0.0,
        false_alarms=None,
        nights_to_first_alarm=None,
    )
    for mean in (0.66, 0.67):
        both = (one, one.model_copy(update={"policy": "default", "mean": mean}))
        ReplayResult(metric="balanced_accuracy", policies=both).write(desk.work / "replay.json")
        assert 0 == desk.run("comment", "--replay", "--pull-request", str(number), day=None).code

    (comment,) = desk.double.comments.values()
    assert "<!-- retraining replay-flights -->" in comment.body
    assert "| now, on the default branch | 1 | 2 | 3 | 4 | 3 | 1 | 0.651 | 0.600 |" in comment.body
    assert "| with this pull request | 1 | 2 | 3 | 4 | 3 | 1 | 0.670 | 0.600 |" in comment.body
