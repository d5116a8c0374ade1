from __future__ import annotations

import pytest

from core.config.github import GitHubContext
from core.errors import ConfigError

RUN = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/demo", "GITHUB_RUN_ID": "7", "GITHUB_TOKEN": "s3cret"}


def test_a_workflow_run_knows_its_repository() -> None:
    """In a workflow run the repository, its addresses and the run come from what the runner sets."""
    hub = GitHubContext.load({**RUN, "GITHUB_API_URL": "http://127.0.0.1:4011"})

    assert hub is not None
    assert ("acme/demo", "http://127.0.0.1:4011") == (hub.repository, hub.api_url)
    assert "https://github.com/acme/demo/actions/runs/7" == hub.run_url
    assert "default" == hub.identity


@pytest.mark.parametrize(
    ("address", "api"),
    [
        ("https://github.com/acme/demo", "https://api.github.com"),
        ("https://github.com/acme/demo.git", "https://api.github.com"),
        ("https://git.acme.example/acme/demo/", "https://git.acme.example/api/v3"),
    ],
)
def test_an_address_names_a_repository(address: str, api: str) -> None:
    """On a laptop MLOPS_FORGE may be the address of a repository, also on an Enterprise Server."""
    hub = GitHubContext.load({"MLOPS_FORGE": address})

    assert hub is not None
    assert ("acme/demo", api) == (hub.repository, hub.api_url)
    assert hub.token is None


@pytest.mark.parametrize("env", [{}, {"MLOPS_FORGE": "forge.git"}, {**RUN, "MLOPS_FORGE": "forge.git"}])
def test_a_folder_is_no_hub(env: dict[str, str]) -> None:
    """Without an address proposals live in a folder, also in a workflow run that names one."""
    assert GitHubContext.load(env) is None


def test_an_address_of_something_else_is_refused_without_its_password() -> None:
    """An address without OWNER/NAME is a config error, and a password in it is not repeated."""
    with pytest.raises(ConfigError) as caught:
        GitHubContext.load({"MLOPS_FORGE": "https://me:hunter2@github.com/acme"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "demo", "acme/demo/x", "acme/de mo"])
def test_a_runner_that_lost_its_repository_says_so(name: str) -> None:
    """A repository that is not OWNER/NAME is a config error, not a trace."""
    with pytest.raises(ConfigError, match="GITHUB_REPOSITORY"):
        GitHubContext.load({**RUN, "GITHUB_REPOSITORY": name})


def test_the_token_is_not_shown() -> None:
    """A record that is printed or written does not hold the token."""
    hub = GitHubContext.load(RUN)

    assert hub is not None
    assert "s3cret" not in f"{hub!r} {hub.to_json()}"
