"""Ask GitHub how a repository is set up, as far as the token at hand may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.records import Record
from review.github.api import Api, limited

if TYPE_CHECKING:
    from github.Repository import Repository

HIDDEN = (401, 403, 404)  # what GitHub says of things that a token may not see, and of those that are not there


class Setup(Record):
    """What GitHub tells of a repository; None where the token may not see it, or it is not there.

    `secrets`: names by environment. `rules`: kinds of rules for the default branch. `schedule`: the state of
    nightly.yml, as in "active" or "disabled_inactivity". `may_open_pulls`: whether workflows may open pull requests.
    """

    default_branch: str | None
    may_open_pulls: bool | None
    secrets: dict[str, tuple[str, ...] | None]
    rules: tuple[str, ...] | None
    schedule: str | None


def read(api: Api, environments: tuple[str, ...]) -> Setup:
    """How the repository is set up.

    Raises:
        OutsideError: GitHub does not answer.
    """

    def operation(repo: Repository) -> Setup:
        home = _ask(repo, "")
        branch = home and str(home["default_branch"])
        allowed = _ask(repo, "/actions/permissions/workflow")
        secrets = {name: _ask(repo, f"/environments/{name}/secrets") for name in environments}
        rules = _ask(repo, f"/rules/branches/{branch}") if branch else None
        nightly = _ask(repo, "/actions/workflows/nightly.yml")
        return Setup(
            default_branch=branch,
            may_open_pulls=allowed and bool(allowed["can_approve_pull_request_reviews"]),
            secrets={name: found and _names(found["secrets"], "name") for name, found in secrets.items()},
            rules=None if rules is None else _names(rules, "type"),
            schedule=nightly and str(nightly["state"]),
        )

    return api("read how it is set up", operation)


def _names(found: list[dict[str, Any]], key: str) -> tuple[str, ...]:
    return tuple(sorted({str(one[key]) for one in found}))


def _ask(repo: Repository, path: str) -> Any:
    """What GitHub says; None where it hides it."""
    from github import GithubException

    try:
        return repo.requester.requestJsonAndCheck("GET", f"{repo.url}{path}")[1]
    except GithubException as err:
        if err.status not in HIDDEN or limited(err):
            raise
        return None
