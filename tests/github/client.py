"""Talk to the double as our forge does, by PyGithub."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from github import Auth, Github, GithubException, InputGitTreeElement
from github.Repository import Repository

from tests.github.double import TOKEN, Double

PATH = "model/flights/production.json"


def connect(double: Double, token: str = TOKEN) -> Github:
    """PyGithub without its own waiting and repeating."""
    return Github(
        base_url=double.url,
        auth=Auth.Token(token),
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )


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
