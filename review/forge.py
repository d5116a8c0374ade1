"""The interface of a forge, so that GitHub and a bare git repository look alike, and its pull requests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field

from core.records import Record

BOT = "retraining-bot"
State = Literal["open", "merged", "closed"]


class Proposal(Record):
    """A pull request that puts one model version into Production when it is merged.

    `number` is unique in its forge. `base` is its commit of the default branch, `head` its own last commit.
    `opened_at` stays when it is updated, `as_of` is the night of the last update. `reason` says why it was closed
    without being merged.
    """

    number: Annotated[int, Field(ge=1)]
    model: str
    state: State
    title: str
    body: str
    branch: str
    base: str
    head: str
    url: str
    opened_at: dt.datetime
    as_of: dt.datetime
    reason: str = ""


class Forge(Protocol):
    """A host of pull requests. Every method may raise OutsideError if the host does not respond."""

    @property
    def notes(self) -> list[str]:
        """Return problems that stop nothing, such as a review that could not be requested."""

    def ensure(self, root: Path) -> None:
        """Prepare the forge for proposals from the repository at `root`."""

    def follow(self, root: Path) -> None:
        """Update the forge after a merge in the checkout at `root`, if it does not know by itself."""

    def file(self, path: str, at: str | None = None) -> str | None:
        """Return the text of a file on the default branch, or at a commit; None if it does not exist."""

    def open_proposal(self, model: str) -> Proposal | None:
        """Return the open proposal of a model; there is at most one."""

    def proposals(self, model: str) -> list[Proposal]:
        """Return all proposals of a model, oldest first, in their present state."""

    def propose(self, model: str, title: str, body: str, files: Mapping[str, str], as_of: dt.datetime) -> Proposal:
        """Open a proposal that changes `files` (path to new text), or update the open one."""

    def close(self, number: int, reason: str) -> Proposal:
        """Close a proposal without merging it."""

    def page(self, proposal: Proposal, folder: Path) -> str:
        """Return where a reviewer reads a proposal; a forge without pages writes one into `folder`."""


def branch_of(model: str) -> str:
    """Return the branch of a model's proposals: one for each model, so that two models never conflict."""
    return f"promote/{model}"
