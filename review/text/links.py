"""Links from a review to the workflow run, its report and MLflow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Links:
    """Addresses for the reviewer, and whose token opens the pull request.

    `run_url`: the workflow run. `report_url`: its report. `mlflow_url`: base address of the MLflow UI that the team
    chose to show; never the tracking URI, which may hold a password. `token`: "default" is the workflow's own, whose
    pull requests wait for a click before their checks run; "local" is the forge without GitHub.
    """

    run_url: str | None = None
    report_url: str | None = None
    mlflow_url: str | None = None
    token: Literal["default", "app", "local"] = "local"  # noqa: S105 - whose token, not a token


ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9_.:/?&=%~#+-]{0,1000}")


def link(name: str, target: str | None) -> str:
    """Return a Markdown link; empty if the target is not a plain address, because it may hold a password."""
    return f"[{name}]({target})" if target and ADDRESS.fullmatch(target) else ""


def in_mlflow(name: str, links: Links, page: str) -> str:
    """Return a link to a page of the MLflow UI; empty if the team shows none."""
    return link(name, links.mlflow_url and f"{links.mlflow_url.rstrip('/')}/#/{page}")
