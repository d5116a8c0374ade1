from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.config.github import GitHubContext
from core.errors import ConfigError, OutsideError, UsageError
from review.github import api as api_module
from review.github.api import LONGEST_PAUSE, TRIES, Api
from review.github.forge import LABEL, GitHubForge
from review.github.threads import Threads
from tests.github.double import TOKEN, Double
from tests.github.faults import Fault

NIGHT = dt.datetime(2013, 6, 1, tzinfo=dt.UTC)
PATH = "model/flights/production.json"
BRANCH = "promote/flights"
OWNERS = "* @alice\n/model/*/production.json @bob @acme/ml-owners  # the owners\n"


def hub(double: Double, token: str | None = TOKEN) -> GitHubContext:
    """The double as the environment of a workflow run gives it."""
    env = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": double.name, "GITHUB_API_URL": double.url}
    made = GitHubContext.load({**env, "GITHUB_RUN_ID": "7"})
    assert made is not None
    return made.model_copy(update={"token": SecretStr(token) if token else None})


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that were waited."""
    return []


@pytest.fixture
def api(double: Double, pauses: list[float]) -> Api:
    """The repository, with pauses that take no time."""
    return Api(hub(double), pause=pauses.append)


@pytest.fixture
def forge(api: Api, double: Double) -> GitHubForge:
    """A repository with a model."""
    double.push({".github/CODEOWNERS": OWNERS, "model/flights/model.toml": "x = 1\n"}, "Use this template")
    return GitHubForge(api)


def propose(forge: GitHubForge, version: int = 1, night: dt.datetime = NIGHT) -> int:
    """Propose a version; the number of the pull request."""
    title, body = f"Promote flights version {version}", f"Version {version} is better.\n\nSee for yourself."
    return forge.propose("flights", title, body, {PATH: f'{{"version": {version}}}\n'}, night).number


class TestPropose:
    """One branch and one open pull request a model."""

    def test_a_proposal_is_a_signed_commit_on_a_branch_with_a_pull_request(
        self, forge: GitHubForge, double: Double
    ) -> None:
        """The manifest is one commit on top of main, which GitHub signs; the pull request is labelled, owners asked."""
        number = propose(forge)

        pull = double.pulls[number]
        assert '{"version": 1}\n' == double.read(PATH, BRANCH)
        assert double.main == double.repository.git("rev-parse", f"{BRANCH}^")
        assert double.tip(BRANCH) in double.verified
        assert double.read(PATH, "main") is None
        assert (["promotion"], {"bob"}, {"ml-owners"}) == (pull.labels, set(pull.reviewers), set(pull.teams))

    def test_what_was_proposed_is_read_back(self, forge: GitHubForge) -> None:
        """The open proposal has the title, the body and the night that were given, and its state follows GitHub."""
        number = propose(forge)
        found = forge.open_proposal("flights")

        assert found is not None
        assert (number, "open", NIGHT) == (found.number, found.state, found.as_of)
        assert found.body.startswith("Version 1 is better.")
        assert forge.open_proposal("other") is None

    def test_a_second_night_updates_it_in_place(self, forge: GitHubForge, double: Double) -> None:
        """Another candidate replaces commit, title and body of the same pull request."""
        first = propose(forge)
        second = propose(forge, 2, NIGHT + dt.timedelta(days=1))

        assert first == second
        assert '{"version": 2}\n' == double.read(PATH, BRANCH)
        assert ("Promote flights version 2", 1) == (double.pulls[first].title, len(double.pulls))
        assert forge.open_proposal("flights").as_of.day == 2  # type: ignore[union-attr]

    def test_the_same_again_writes_nothing_that_shows(self, forge: GitHubForge, double: Double) -> None:
        """A second run with the same result leaves commit and pull request as they are."""
        number = propose(forge)
        commit, updated = double.tip(BRANCH), double.pulls[number].updated_at
        propose(forge)

        assert (commit, updated) == (double.tip(BRANCH), double.pulls[number].updated_at)

    def test_after_a_merge_the_old_branch_is_used_anew(self, forge: GitHubForge, double: Double) -> None:
        """GitHub keeps the branch of a merged pull request; the next proposal is a new one on top of main."""
        first = propose(forge)
        double.merge(first)
        second = propose(forge, 2)

        assert second != first
        assert double.main == double.repository.git("rev-parse", f"{BRANCH}^")
        assert ["merged", "open"] == [one.state for one in forge.proposals("flights")]

    def test_what_is_merged_is_not_proposed(self, forge: GitHubForge, double: Double) -> None:
        """Content that main has already is a usage error, not an empty pull request."""
        double.merge(propose(forge))

        with pytest.raises(UsageError, match="already"):
            propose(forge)

    def test_a_branch_of_a_fork_does_not_count(self, forge: GitHubForge, double: Double) -> None:
        """Only pull requests from the repository's own branch are ours."""
        propose(forge)
        asked = [one.query for one in double.requests if one.path.endswith("/pulls") and not one.writes]

        assert asked
        assert {"acme:promote/flights"} == {query.get("head") for query in asked}

    def test_an_owner_who_cannot_be_asked_stops_nothing(self, forge: GitHubForge, double: Double) -> None:
        """A wrong name in CODEOWNERS is a note; the pull request is there, with its label."""
        double.push({".github/CODEOWNERS": "* @nobody-here\n"}, "Owners")
        number = propose(forge)

        assert [LABEL] == double.pulls[number].labels
        assert "nobody-here" in forge.notes[0]

    def test_a_label_that_may_not_be_made_stops_nothing(self, forge: GitHubForge, double: Double) -> None:
        """An App without the right to issues opens its pull request all the same, and says what is missing."""
        double.faults = [Fault("POST", "/issues/.*/labels$", status=403, message="Resource not accessible")]
        number = propose(forge)

        assert ("open", []) == (double.pulls[number].state, double.pulls[number].labels)
        assert "label" in forge.notes[0]

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("step", range(1, 8))
    @pytest.mark.parametrize("open_", [False, True], ids=["new", "update"])
    def test_killed_anywhere_and_run_again_it_ends_the_same(
        self, forge: GitHubForge, double: Double, *, step: int, when: str, open_: bool
    ) -> None:
        """SIGKILL before or after any write request, then once more: one branch, one open pull request."""
        if open_:
            propose(forge, 1, NIGHT - dt.timedelta(days=1))
        writes = double.writes
        double.kill_at(step, when)
        code = (
            "import os, sys, json, datetime as dt\n"
            "from core.config import GitHubContext\nfrom review.github.api import Api\n"
            "from review.github.forge import GitHubForge\n"
            "title, body, path, text = json.loads(sys.argv[1])\n"
            "forge = GitHubForge(Api(GitHubContext.load(os.environ), agent=f'test pid/{os.getpid()}'))\n"
            "forge.propose('flights', title, body, {path: text}, dt.datetime(2013, 6, 1, tzinfo=dt.UTC))\n"
        )
        words = json.dumps(["Promote flights version 2", "Body", PATH, '{"version": 2}\n'])
        env = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": double.name, "GITHUB_API_URL": double.url}
        root = str(Path(__file__).parents[3])
        run = [sys.executable, "-c", code, words]
        first = subprocess.run(run, env={**os.environ, **env, "GITHUB_TOKEN": TOKEN}, cwd=root, check=False)
        assert (first.returncode == -9) == (double.kill is None)
        double.kill = None
        assert double.writes > writes

        again = forge.propose("flights", "Promote flights version 2", "Body", {PATH: '{"version": 2}\n'}, NIGHT)

        pulls = [pull for pull in double.pulls.values() if pull.state == "open"]
        assert [again.number] == [pull.number for pull in pulls]
        assert 1 == len(double.pulls)
        assert '{"version": 2}\n' == double.read(PATH, BRANCH)
        assert ("Promote flights version 2", [LABEL]) == (pulls[0].title, pulls[0].labels)
        assert {"bob"} == set(pulls[0].reviewers)


class TestTwoAtOnce:
    """Two runs that propose at the same time, because somebody switched the workflows' concurrency off."""

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("step", range(1, 8))
    @pytest.mark.parametrize("other", [1, 2], ids=["same", "another"])
    @pytest.mark.parametrize("open_", [False, True], ids=["new", "update"])
    def test_one_pull_request_of_one_candidate_is_left(
        self, forge: GitHubForge, double: Double, *, step: int, when: str, other: int, open_: bool
    ) -> None:
        """At any write of one run the other one does all of its own: commit, title and text are of one of the two."""
        if open_:
            propose(forge, 9, NIGHT - dt.timedelta(days=1))
        second = GitHubForge(Api(hub(double), pause=[].append))
        double.meanwhile(lambda: propose(second, other), step, when)
        propose(forge)
        if double.kill is not None:  # the run has fewer writes
            double.kill = None
            propose(second, other)

        (pull,) = double.pulls.values()
        version = json.loads(double.read(PATH, BRANCH) or "")["version"]
        assert version in {1, other}
        assert ("open", f"Promote flights version {version}") == (pull.state, pull.title)
        assert f"Version {version} is better." in (pull.body or "")
        assert ([LABEL], {"bob"}) == (pull.labels, set(pull.reviewers))

    def test_who_finds_the_other_says_so(self, forge: GitHubForge, double: Double) -> None:
        """A run whose commit was replaced before its text was written writes both again, and notes why."""
        second = GitHubForge(Api(hub(double), pause=[].append))
        propose(forge, 9)
        double.meanwhile(lambda: propose(second, 2), 3, "after")
        propose(forge)

        assert '{"version": 1}\n' == double.read(PATH, BRANCH)
        assert [f"Another run wrote to {BRANCH} at the same time, so this run wrote again."] == forge.notes

    def test_who_is_always_overtaken_gives_up_and_says_why(
        self, forge: GitHubForge, double: Double, pauses: list[float]
    ) -> None:
        """After a few tries it is an error that names the branch and the other run; what that one wrote stays."""
        second, versions = GitHubForge(Api(hub(double), pause=[].append)), iter(range(2, 99))

        def other() -> None:
            propose(second, next(versions))
            double.meanwhile(other, 5, "after")  # when the next commit of the first run is on the branch

        propose(forge, 9)
        double.meanwhile(other, 3, "after")
        with pytest.raises(OutsideError, match=f"another run keeps writing to {BRANCH}") as caught:
            propose(forge)

        assert "at the same time" in caught.value.why
        assert TRIES - 1 == len(pauses)
        assert f'{{"version": {1 + TRIES}}}\n' == double.read(PATH, BRANCH)


class TestClose:
    """A proposal that is overtaken is closed, with a reason."""

    def test_closing_says_why_once(self, forge: GitHubForge, double: Double) -> None:
        """It ends closed and not merged, with one comment, also when it is closed twice."""
        number = propose(forge)
        closed = [forge.close(number, "Superseded by a rollback.") for _ in range(2)]

        assert ["closed", "closed"] == [one.state for one in closed]
        assert "flights" == closed[0].model
        assert ["Superseded by a rollback." in one.body for one in double.comments.values()] == [True]
        assert forge.open_proposal("flights") is None

    def test_a_merged_one_stays(self, forge: GitHubForge, double: Double) -> None:
        """What is merged is undone by a revert, not by closing it."""
        number = propose(forge)
        double.merge(number)

        with pytest.raises(UsageError, match="merged"):
            forge.close(number, "late")

    def test_files_are_read_from_main_and_from_a_proposal(self, forge: GitHubForge) -> None:
        """The manifest is not on main before the merge, and is in the proposal's head."""
        propose(forge)
        opened = forge.open_proposal("flights")

        assert opened is not None
        assert forge.file(PATH) is None
        assert '{"version": 1}\n' == forge.file(PATH, opened.head)


class TestRefusals:
    """What GitHub is known to refuse ends in advice, and what passes is tried again."""

    def test_the_setting_that_is_off_in_every_new_repository(self, forge: GitHubForge, double: Double) -> None:
        """Where workflows may not open pull requests, the error names the box to tick; a later run finishes it."""
        double.may_create_pulls = False
        with pytest.raises(OutsideError, match="403") as caught:
            propose(forge)

        assert "Allow GitHub Actions to create and approve pull requests" in caught.value.fix
        double.may_create_pulls = True
        assert "open" == double.pulls[propose(forge)].state

    def test_a_missing_permission_is_named(self, forge: GitHubForge, double: Double) -> None:
        """A token that may only read is told which permission GitHub asks for."""
        double.tokens[TOKEN] = {"contents": "read", "pull-requests": "read"}
        with pytest.raises(OutsideError, match="403") as caught:
            propose(forge)

        assert "permission" in caught.value.why

    def test_a_protected_branch(self, forge: GitHubForge, double: Double) -> None:
        """A rule that covers promote/** is named as what is in the way."""
        propose(forge)
        double.protected.add(BRANCH)
        with pytest.raises(OutsideError) as caught:
            propose(forge, 2)

        assert "promote/**" in caught.value.why

    def test_an_expired_token(self, double: Double, pauses: list[float]) -> None:
        """A bad token is not tried again, and is not in the message."""
        forge = GitHubForge(Api(hub(double, "ghs_expired"), pause=pauses.append))
        with pytest.raises(OutsideError, match="401") as caught:
            forge.open_proposal("flights")

        assert "ghs_expired" not in str(caught.value)
        assert [] == pauses

    def test_without_a_token(self, double: Double) -> None:
        """A step that was not given the token says how to give it."""
        with pytest.raises(ConfigError) as caught:
            GitHubForge(Api(hub(double, None))).open_proposal("flights")
        assert "github.token" in caught.value.fix

    @pytest.mark.parametrize("fault", [{"status": 502}, {"status": 503}, {"drop": True}, {"cut": True}])
    @pytest.mark.parametrize("after", [False, True], ids=["lost", "answer lost"])
    @pytest.mark.parametrize("path", ["/git/commits$", "/git/refs", "/pulls$", "/issues/"])
    def test_a_disturbance_is_waited_out(
        self, forge: GitHubForge, double: Double, pauses: list[float], *, path: str, fault: dict[str, int], after: bool
    ) -> None:
        """A write that fails, or whose answer is lost, is done again without making anything twice."""
        double.faults = [Fault("POST|PATCH", path, after=after, **fault)]  # type: ignore[arg-type]
        number = propose(forge)

        assert 0 == double.faults[0].times
        assert 1 == len(pauses)
        assert [number] == list(double.pulls)
        assert [LABEL] == double.pulls[number].labels

    def test_a_lasting_disturbance_ends(self, forge: GitHubForge, double: Double, pauses: list[float]) -> None:
        """After a few tries it is an error that says to run it again."""
        double.faults = [Fault("POST", "/pulls$", times=99, status=503)]
        with pytest.raises(OutsideError, match="503") as caught:
            propose(forge)

        assert TRIES - 1 == len(pauses)
        assert "Re-run" in caught.value.fix

    def test_all_tries_together_have_a_time_limit(
        self, forge: GitHubForge, double: Double, pauses: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However many tries are left, none is begun when the time for an operation is over."""
        monkeypatch.setattr(api_module, "IN_ALL", 0.0)
        double.faults = [Fault("POST", "/pulls$", times=99, status=503)]
        with pytest.raises(OutsideError, match="503"):
            propose(forge)

        assert [] == pauses

    def test_a_rate_limit_is_waited_for_as_long_as_github_asks(
        self, forge: GitHubForge, double: Double, pauses: list[float]
    ) -> None:
        """A short pause that GitHub asks for is kept to the second."""
        double.faults = [Fault("GET", status=403, headers={"retry-after": "7"}, message="secondary rate limit")]
        propose(forge)

        assert [7.0] == pauses

    @pytest.mark.parametrize("head", [{}, {"x-ratelimit-remaining": "4711", "x-ratelimit-reset": "9999999999"}])
    def test_a_secondary_limit_without_a_time_is_waited_for_a_minute(
        self, forge: GitHubForge, double: Double, pauses: list[float], head: dict[str, str]
    ) -> None:
        """GitHub names no pause, or only when the hourly limit ends, which is not used up: a minute, then again."""
        text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        double.faults = [Fault("GET", status=403, headers=head, message=text)]
        assert None is forge.open_proposal("flights")
        assert [60.0] == pauses

    def test_a_long_rate_limit_is_reported(self, forge: GitHubForge, double: Double, pauses: list[float]) -> None:
        """No job waits for an hour: it ends, and says that it is the limit."""
        head = {"retry-after": str(int(LONGEST_PAUSE) + 1)}
        double.faults = [Fault("GET", status=429, headers=head, message="API rate limit exceeded for installation.")]
        with pytest.raises(OutsideError, match="rate limit") as caught:
            propose(forge)

        assert [] == pauses
        assert "later" in caught.value.fix


class TestThreads:
    """Issues, comments and deployments are told once and updated in place."""

    def test_one_issue_a_cause(self, api: Api, double: Double) -> None:
        """The same cause again changes the issue; another cause opens another; closing leaves a last comment."""
        threads = Threads(api)
        first, new = threads.tell("flights/pull-data", "flights: pull failed", "humid is gone")
        again, newer = threads.tell("flights/pull-data", "flights: pull failed", "humid is gone, twice")
        threads.tell("other/pull-data", "other: pull failed", "x")

        assert (first.number, True, False) == (again.number, new, newer)
        assert ["flights/pull-data"] == [one.key for one in threads.known("flights")]
        assert "twice" in (double.issues[first.number].body or "")
        for _ in range(2):
            threads.done(first.number, "Over.")
        assert ("closed", "completed") == (double.issues[first.number].state, double.issues[first.number].state_reason)
        assert 1 == len(double.comments)
        assert [] == threads.known("flights")

    def test_an_issue_that_a_person_wrote_is_not_ours(self, api: Api, double: Double) -> None:
        """Anybody may write our mark into an issue: only those that an app opened are updated and closed."""
        threads = Threads(api)
        issue, _ = threads.tell("flights/pull-data", "t", "b")
        double.issues[issue.number].author = "mallory"

        assert [] == threads.known("flights")
        assert threads.tell("flights/pull-data", "t", "b")[1]

    def test_one_comment_a_subject(self, api: Api, double: Double, pull: Callable[..., int]) -> None:
        """The verdict on a pull request is one comment, whatever people write in between."""
        number = pull({"a": "b"})
        for text in ("red", "green", "green"):
            Threads(api).comment(number, "promotion-check", text)

        assert ["<!-- retraining promotion-check -->\ngreen"] == [one.body for one in double.comments.values()]

    def test_a_deployment_is_noted_once(self, api: Api, double: Double) -> None:
        """What is in Production stands at the repository's page, with its version, once a promotion."""
        for _ in range(2):
            Threads(api).deployed("production/flights", double.main, "flights version 3 is in Production", None)

        (made,) = double.deployments.values()
        assert ("production/flights", double.main) == (made.environment, made.sha)
        assert ["success"] == [status.state for status in made.statuses]
