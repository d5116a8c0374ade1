"""The double does what GitHub does, seen through PyGithub and checked by GitHub's own description."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from github import InputGitAuthor
from github.Repository import Repository

from tests.github.client import PATH, commit, connect, refusal
from tests.github.double import APP_TOKEN, TOKEN, Double


@pytest.fixture
def repo(double: Double) -> Iterator[Repository]:
    """The double as PyGithub sees it."""
    with connect(double) as github:
        yield github.get_repo(double.name)


def test_a_pull_request_from_commit_to_merge(double: Double, repo: Repository) -> None:
    """Tree, commit, branch, pull request, edit, labels, comment: as GitHub describes them, and the files are in git."""
    head = commit(repo, "{}\n")
    pull = repo.create_pull(base="main", head="promote/flights", title="Promote 2", body="why")
    pull.edit(title="Promote 3", body="because")
    pull.as_issue().edit(labels=["promotion"])
    pull.create_review_request(reviewers=["alice"], team_reviewers=["ml-owners"])
    pull.create_issue_comment("green").edit("red")

    found = repo.get_pulls(state="open", head="acme:promote/flights", base="main")[0]
    assert (1, head, "Promote 3") == (found.number, found.head.sha, found.title)
    assert ("github-actions[bot]", "because") == (found.user.login, found.body)
    assert ["promotion"] == [label.name for label in found.labels]
    assert [(PATH, "added", 1)] == [(file.filename, file.status, file.additions) for file in pull.get_files()]
    assert ["red"] == [comment.body for comment in pull.get_issue_comments()]
    assert b"{}\n" == repo.get_contents(PATH, ref="promote/flights").decoded_content  # type: ignore[union-attr]
    assert "{}\n" == double.read(PATH, "promote/flights")
    assert "{}\n" == double.read(PATH, "refs/pull/1/merge")
    assert double.read(PATH) is None


def test_an_issue_from_opening_to_closing(double: Double, repo: Repository, pull: Callable[..., int]) -> None:
    """Issues are found by state and label, close with a reason, and pull requests stand among them."""
    number = pull({PATH: "{}\n"})
    issue = repo.create_issue("The night failed", body="x", labels=["night"])
    assert [issue.number, number] == [item.number for item in repo.get_issues()]
    assert [issue.number] == [item.number for item in repo.get_issues(labels=["night"])]

    issue.edit(state="closed", state_reason="completed")

    assert [number] == [item.number for item in repo.get_issues(state="open")]
    assert ("closed", "completed") == (double.issues[issue.number].state, double.issues[issue.number].state_reason)
    assert "promotion" == repo.create_label("promotion", "0e8a16", "a new version").name
    assert "0e8a16" == repo.get_label("promotion").color


def test_a_deployment_and_its_status(double: Double, repo: Repository) -> None:
    """A deployment is of a commit, and its last status comes first."""
    made = repo.create_deployment("main", environment="production", auto_merge=False, required_contexts=[])
    made.create_status("in_progress", description="moving")
    made.create_status("success", description="moved")

    assert ["success", "in_progress"] == [status.state for status in made.get_statuses()]
    assert [double.main] == [item.sha for item in repo.get_deployments(environment="production")]


def test_settings_and_dispatches(double: Double, repo: Repository) -> None:
    """Administrators see what workflows may do; a dispatch of a workflow that is there is written down."""
    ask = repo.requester.requestJsonAndCheck
    double.tokens[TOKEN]["administration"] = "read"
    double.push({".github/workflows/ci.yml": "on: push\n"}, "Add CI")
    double.may_create_pulls = False
    starts = {"ref": "main", "inputs": {"reason": "why"}}

    _, found = ask("GET", f"{repo.url}/actions/permissions/workflow")
    assert not found["can_approve_pull_request_reviews"]
    ask("POST", f"{repo.url}/actions/workflows/ci.yml/dispatches", input=starts)
    assert "Not Found" == refusal(
        404, lambda: ask("POST", f"{repo.url}/actions/workflows/x.yml/dispatches", input=starts)
    )
    assert [("ci.yml", "main", {"reason": "why"})] == double.dispatches


def test_an_app_is_not_bound_by_the_setting(double: Double) -> None:
    """With an App's token a pull request is made where workflows may not, and is the App's."""
    double.may_create_pulls = False
    with connect(double, APP_TOKEN) as github:
        repo = github.get_repo(double.name)
        commit(repo, "{}\n")
        pull = repo.create_pull(base="main", head="promote/flights", title="Promote", body="")

    assert "acme-retraining[bot]" == pull.user.login


def test_commits_by_name_are_not_signed(repo: Repository) -> None:
    """GitHub signs what a bot commits through the API only if the bot names no author of its own."""
    parent = repo.get_git_commit(repo.get_branch("main").commit.sha)
    author = InputGitAuthor("me", "me@example.com", "2014-01-01T00:00:00Z")
    named = repo.create_git_commit("m", parent.tree, [parent], author=author)

    assert not named.raw_data["verification"]["verified"]
    assert repo.get_git_commit(commit(repo, "{}\n")).raw_data["verification"]["verified"]
