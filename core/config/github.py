"""The GitHub repository of this environment: its addresses and token."""

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

    `repository` is OWNER/NAME; `server_url` is for people, `api_url` for programs. `identity`: whether the token is
    that of the workflow run or of a GitHub App (whose pull requests start their checks without a click). `run_url` and
    `report_url` point to the workflow run and its report. `mlflow_url` is the public address of MLflow's pages, if the
    team configured one (the tracking URI itself is a secret).
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
        """Return the repository of the workflow run, or the one at the address in `MLOPS_FORGE`.

        None outside of a workflow run, and if `MLOPS_FORGE` is a folder: proposals are then in a bare git repository.

        Raises:
            ConfigError: the variable does not name a repository.
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
                f"GITHUB_REPOSITORY is {repository!r}, expected OWNER/NAME.",
                why="The runner sets this variable; one of your steps or settings overwrote it.",
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
        """Return the page of a commit."""
        return f"{self.server_url}/{self.repository}/commit/{commit}"


def _parts(address: str) -> tuple[str, str]:
    url = urlsplit(address.removesuffix("/").removesuffix(".git"))
    repository = url.path.strip("/")
    if not re.fullmatch(REPOSITORY, repository) or not url.hostname:
        raise ConfigError(
            f"MLOPS_FORGE is {url.scheme}://{url.hostname or ''}{url.path}, which is not a repository.",
            fix="Write it like https://github.com/OWNER/NAME, or name a folder.",
        )
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}", repository


def _api(server: str) -> str:
    """Return the address of the API: a separate host for github.com, a path for an Enterprise Server."""
    return f"https://api.{PUBLIC}" if urlsplit(server).hostname == PUBLIC else f"{server}/api/v3"
