"""The double does what GitHub does, seen through PyGithub and checked by GitHub's own description."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from github import Auth, Github, GithubException, InputGitTreeElement
from github.Repository import Repository

from tests.github.double import APP_TOKEN, TOKEN, Double

PATH = "model/flights/production.json"


def connect(double: Double, token: str = TOKEN) -> Github:
    """PyGithub without its own waiting and repeating."""
    quick = {"retry": None, "seconds_between_requests": None, "seconds_between_writes": None}
    return Github(base_url=double.url, auth=Auth.Token(token), user_agent="tests", **quick)


@pytest.fixture
def repo(double: Double) -> Iterator[Repository]:
    """The double as PyGithub sees it."""
    with connect(double) as github:
        yield github.get_repo(double.name)


def commit(repo: Repository, text: str, branch: str = "promote/flights") -> str:
    """Put a commit on a branch through the API, as our forge does, and return it."""
    parent = repo.get_git_commit(repo.get_branch("main").commit.sha)
    element = InputGitTreeElement(PATH, "100644", "blob", content=text)
    tree = repo.create_git_tree([element], base_tree=repo.get_git_tree(parent.tree.sha))
    made = repo.create_git_commit("Promote flights", tree, [parent])
    repo.create_git_ref(f"refs/heads/{branch}", made.sha)
    return str(made.sha)


def refusal(status: int, call: Callable[[], object]) -> str:
    """What GitHub says when it refuses a call with that status."""
    with pytest.raises(GithubException) as caught:
        call()
    assert status == caught.value.status, caught.value
    data = dict(caught.value.data or {})
    words = [data.get("message", data.get("title")), *(error.get("message", "") for error in data.get("errors", []))]
    return " ".join(words).strip()


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


def test_an_app_is_not_bound_by_the_setting(double: Double) -> None:
    """With an App's token a pull request is made where workflows may not, and is the App's."""
    double.may_create_pulls = False
    with connect(double, APP_TOKEN) as github:
        repo = github.get_repo(double.name)
        commit(repo, "{}\n")
        pull = repo.create_pull(base="main", head="promote/flights", title="Promote", body="")

    assert "acme-retraining[bot]" == pull.user.login


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


def test_commits_by_name_are_not_signed(repo: Repository) -> None:
    """GitHub signs what a bot commits through the API only if the bot names no author of its own."""
    from github import InputGitAuthor

    parent = repo.get_git_commit(repo.get_branch("main").commit.sha)
    author = InputGitAuthor("me", "me@example.com", "2014-01-01T00:00:00Z")
    named = repo.create_git_commit("m", parent.tree, [parent], author=author)

    assert not named.raw_data["verification"]["verified"]
    assert repo.get_git_commit(commit(repo, "{}\n")).raw_data["verification"]["verified"]
