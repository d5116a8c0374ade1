"""Addresses for the reviewer: the workflow run, its report and MLflow."""

from __future__ import annotations

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

    def mlflow_page(self, path: str) -> str | None:
        """Return the address of a page of the MLflow UI; None if the team shows none."""
        return f"{self.mlflow_url.rstrip('/')}/#/{path}" if self.mlflow_url else None
