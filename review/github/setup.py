"""How a repository is set up on GitHub, as far as the token may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.records import Record
from review.github.api import Api, limited

if TYPE_CHECKING:
    from github.Repository import Repository

HIDDEN = (401, 403, 404)  # of settings that a token may not see, and of those that do not exist


class Setup(Record):
    """The settings of a repository; None if the token may not see one, or it does not exist.

    `secrets`: names by environment. `rules`: kinds of rules for the default branch. `schedule`: the state of
    nightly.yml, as in "active" or "disabled_inactivity". `may_open_pulls`: whether workflows may open pull requests.
    """

    default_branch: str | None
    may_open_pulls: bool | None
    secrets: dict[str, tuple[str, ...] | None]
    rules: tuple[str, ...] | None
    schedule: str | None


def read(api: Api, environments: tuple[str, ...]) -> Setup:
    """Return how the repository is set up.

    Raises:
        OutsideError: GitHub does not respond.
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
            secrets={name: listed and _names(listed["secrets"], "name") for name, listed in secrets.items()},
            rules=None if rules is None else _names(rules, "type"),
            schedule=nightly and str(nightly["state"]),
        )

    return api("read the settings of the repository", operation)


def _names(items: list[dict[str, Any]], key: str) -> tuple[str, ...]:
    return tuple(sorted({str(item[key]) for item in items}))


def _ask(repo: Repository, path: str) -> Any:
    """Return the response of GitHub; None if the token may not see it."""
    from github import GithubException

    try:
        return repo.requester.requestJsonAndCheck("GET", f"{repo.url}{path}")[1]
    except GithubException as err:
        if err.status not in HIDDEN or limited(err):
            raise
        return None
