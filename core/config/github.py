"""Find GitHub from the environment: which repository, under which addresses, with which token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from core.errors import ConfigError
from core.records import Record

PUBLIC = "github.com"
REPOSITORY = r"[\w.-]+/[\w.-]+"


class GitHubContext(Record):
    """A repository on GitHub or GitHub Enterprise Server.

    `repository` is OWNER/NAME; `server_url` is for people, `api_url` for programs. `identity` says whose token it is:
    that of the workflow run, or that of a GitHub App (whose pull requests start their checks by themselves).
    `run_url` and `report_url` are those of the workflow run and of its report; `mlflow_url` is an address of MLflow's
    pages that the team chose to show (the tracking URI itself is a secret).
    """

    repository: Annotated[str, Field(pattern=f"^{REPOSITORY}$")]
    server_url: str
    api_url: str
    token: SecretStr | None
    identity: Literal["default", "app"]
    run_url: str | None
    report_url: str | None
    mlflow_url: str | None

    @classmethod
    def load(cls, env: Mapping[str, str]) -> Self | None:
        """The repository that a workflow run belongs to, or the one that `MLOPS_FORGE` gives the address of.

        None elsewhere, and where `MLOPS_FORGE` is a folder: then proposals live in a bare git repository.

        Raises:
            ConfigError: what should name a repository does not.
        """
        address = env.get("MLOPS_FORGE", "")
        if address.startswith(("https://", "http://")):
            server, repository = _parts(address)
        elif env.get("GITHUB_ACTIONS") == "true" and not address:
            server, repository = env.get("GITHUB_SERVER_URL", f"https://{PUBLIC}"), env.get("GITHUB_REPOSITORY", "")
        else:
            return None
        if not re.fullmatch(REPOSITORY, repository):
            raise ConfigError(
                f"GITHUB_REPOSITORY is {repository!r}, which is not OWNER/NAME.",
                why="A runner sets it; somewhere it was overwritten.",
                fix="Do not set it, or name a folder with MLOPS_FORGE.",
            )
        run = env.get("GITHUB_RUN_ID", "")
        token = env.get("GITHUB_TOKEN") or env.get("GH_TOKEN")
        return cls(
            repository=repository,
            server_url=server,
            api_url=env.get("GITHUB_API_URL") or _api(server),
            token=SecretStr(token) if token else None,
            identity="app" if env.get("MLOPS_APP") else "default",
            run_url=f"{server}/{repository}/actions/runs/{run}" if run.isdigit() else None,
            report_url=env.get("REPORT_URL") or None,
            mlflow_url=(env.get("MLFLOW_UI_URL") or "").rstrip("/") or None,
        )

    def commit_url(self, commit: str) -> str:
        """Where people read a commit."""
        return f"{self.server_url}/{self.repository}/commit/{commit}"


def _parts(address: str) -> tuple[str, str]:
    url = urlsplit(address.removesuffix("/").removesuffix(".git"))
    repository = url.path.strip("/")
    if not re.fullmatch(REPOSITORY, repository) or not url.hostname:
        raise ConfigError(
            f"MLOPS_FORGE is {url.scheme}://{url.hostname or ''}{url.path}, which is no repository.",
            fix="Write it like https://github.com/OWNER/NAME, or name a folder.",
        )
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}", repository


def _api(server: str) -> str:
    """GitHub's own API has a host of its own; that of an Enterprise Server stands below its address."""
    return f"https://api.{PUBLIC}" if urlsplit(server).hostname == PUBLIC else f"{server}/api/v3"
