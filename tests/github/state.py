"""Say what the double remembers beside git: pull requests, issues, comments, deployments, and what was asked of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any


def now() -> str:
    """The present moment as GitHub writes it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Issue:
    """An issue; `state_reason` is completed, not_planned, reopened or None."""

    number: int
    title: str
    body: str | None
    author: str
    labels: list[str] = field(default_factory=list)
    state: str = "open"
    state_reason: str | None = None
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)
    closed_at: str | None = None

    def turn(self, state: str) -> None:
        """Open or close it."""
        if state != self.state:
            self.state = state
            self.closed_at = now() if state == "closed" else None


@dataclass
class Pull(Issue):
    """A pull request from branch `head` into branch `base`; `sha` is the last commit that it had while it was open."""

    head: str = ""
    base: str = "main"
    sha: str = ""
    draft: bool = False
    merged_by: str | None = None
    merged_at: str | None = None
    merge_commit: str | None = None
    mergeable: bool = True
    reviewers: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)

    @property
    def merged(self) -> bool:
        """Whether it was merged."""
        return self.merged_at is not None


@dataclass
class Comment:
    """A comment below the issue or pull request `number`."""

    id: int
    number: int
    body: str
    author: str
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


@dataclass
class Status:
    """What became of a deployment."""

    id: int
    state: str
    author: str
    description: str = ""
    environment: str = ""
    log_url: str = ""
    environment_url: str = ""
    created_at: str = field(default_factory=now)


@dataclass
class Deployment:
    """A deployment of a commit; statuses oldest first."""

    id: int
    ref: str
    sha: str
    task: str
    environment: str
    author: str
    description: str | None = None
    payload: Any = None
    production: bool = True
    statuses: list[Status] = field(default_factory=list)
    created_at: str = field(default_factory=now)


@dataclass(frozen=True)
class Request:
    """What a client sent; `path` is below the server's address, without the query."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: str
    agent: str

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method != "GET"
