"""The double says no where GitHub does, in GitHub's words; Prism says no to what GitHub does not know."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from github.Repository import Repository

from tests.github.client import commit, connect, refusal
from tests.github.double import Double


@pytest.fixture
def repo(double: Double) -> Iterator[Repository]:
    """The double as PyGithub sees it."""
    with connect(double) as github:
        yield github.get_repo(double.name)


def test_prism_refuses_what_github_does_not_know(double: Double, repo: Repository) -> None:
    """A request that is not as GitHub describes it never reaches the double, and would fail the test."""
    ask = repo.requester.requestJsonAndCheck
    assert "Invalid request" == refusal(422, lambda: ask("POST", f"{repo.url}/pulls", input={"title": 1}))
    assert "Route not resolved, no path matched" == refusal(404, lambda: ask("GET", f"{repo.url}/nonsense"))
    assert "Invalid request" == refusal(422, lambda: list(repo.get_pulls(state="ajar")))

    assert {} == double.pulls
    assert 5 == len(double.violations)
    assert "POST /repos/acme/demo/pulls: Invalid request: Request body must have required property 'head'" in (
        double.violations
    )
    double.violations.clear()


def test_prism_refuses_what_github_would_not_answer(double: Double, repo: Repository) -> None:
    """A mistake of the double itself, an answer that is not as GitHub describes it, is found too."""
    double.labels["broken"] = {"color": 7}  # type: ignore[dict-item]

    assert "Request/Response not valid" == refusal(500, lambda: repo.get_label("broken"))

    assert 1 == len(double.violations)
    assert "color must be string" in double.violations[0]
    double.violations.clear()


def test_pull_requests_are_refused_for_githubs_reasons(double: Double, repo: Repository) -> None:
    """A second one of a branch, one without commits, of no branch, too long a text, and by a workflow that may not."""

    def create(head: str = "promote/flights", body: str = "") -> object:
        return repo.create_pull(base="main", head=head, title="Promote", body=body)

    commit(repo, "{}\n")
    repo.create_git_ref("refs/heads/empty", double.main)
    double.may_create_pulls = False
    assert "GitHub Actions is not permitted to create or approve pull requests." == refusal(403, create)
    double.may_create_pulls = True
    too_long = "Validation Failed body is too long (maximum is 65536 characters)"
    assert too_long == refusal(422, lambda: create(body="x" * 65_537))
    assert "Validation Failed No commits between main and empty" == refusal(422, lambda: create("empty"))
    assert "Validation Failed" == refusal(422, lambda: create("nowhere"))
    create(body="x" * 65_536)
    assert "Validation Failed A pull request already exists for acme:promote/flights." == refusal(422, create)
    assert too_long == refusal(422, lambda: repo.create_issue("Long", body="x" * 65_537))
    assert too_long == refusal(422, lambda: repo.get_issue(1).create_comment("x" * 65_537))
    unknown = refusal(422, lambda: repo.get_pull(1).create_review_request(reviewers=["nobody"]))
    assert unknown.startswith("Reviews may only be requested from collaborators.")
    assert [1] == list(double.pulls)


def test_refs_are_refused_for_githubs_reasons(double: Double, repo: Repository) -> None:
    """A ref that is there, is not there, is protected, or would move sideways without force."""
    head, other = commit(repo, "{}\n"), commit(repo, "[]\n", "other")
    ref = repo.get_git_ref("heads/promote/flights")
    assert "Reference already exists" == refusal(422, lambda: repo.create_git_ref(ref.ref, other))
    assert "Not Found" == refusal(404, lambda: repo.get_git_ref("heads/nowhere"))
    assert "Object does not exist" == refusal(422, lambda: repo.create_git_ref("refs/heads/new", "0" * 40))
    assert "Update is not a fast forward" == refusal(422, lambda: ref.edit(other))
    double.protected = {"main"}
    assert "Cannot update this protected ref." == refusal(422, lambda: repo.get_git_ref("heads/main").edit(head))

    ref.edit(other, force=True)
    assert other == double.tip("promote/flights")
    ref.delete()
    assert double.tip("promote/flights") is None


def test_tokens_do_what_they_are_granted(double: Double) -> None:
    """An unknown token is nobody's; a known one reads and writes what it is granted, and nothing else."""
    double.tokens["ghs_small"] = {"contents": "write", "pull-requests": "read"}
    with connect(double, "ghs_unknown") as unknown:
        assert "Bad credentials" == refusal(401, lambda: unknown.get_repo(double.name))
    with connect(double, "ghs_small") as small:
        repo = small.get_repo(double.name)
        commit(repo, "{}\n")
        assert [] == list(repo.get_pulls())
        for call in (
            lambda: repo.create_pull(base="main", head="promote/flights", title="Promote", body=""),
            lambda: repo.create_issue("Failed"),
            lambda: list(repo.get_deployments()),
            lambda: repo.requester.requestJsonAndCheck("GET", f"{repo.url}/actions/permissions/workflow"),
        ):
            assert "Resource not accessible by integration" == refusal(403, call)
    assert {"ghs_small", "ghs_unknown"} == {request.token for request in double.requests}
