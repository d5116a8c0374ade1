"""Say what a pull request is and what its home must do, so that GitHub and a bare git repository look alike."""

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

    `number` is unique in its forge; `base` is the commit of the default branch it was made on and `head` its own last
    commit; `opened_at` stays while it is updated in place, `as_of` is the night of the last update; `reason` says why
    it was closed without being merged.
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
    """Where pull requests live. Every method may raise OutsideError when it cannot be reached."""

    @property
    def notes(self) -> list[str]:
        """What did not work but stops nothing, such as a reviewer who could not be asked."""

    def ensure(self, root: Path) -> None:
        """Make it ready to take proposals from the repository at `root`."""

    def follow(self, root: Path) -> None:
        """Learn what was merged in the checkout at `root`, where that does not happen by itself."""

    def file(self, path: str, at: str | None = None) -> str | None:
        """The text of a file on the default branch, or at a commit; None where it is not."""

    def open_proposal(self, model: str) -> Proposal | None:
        """The open proposal of a model; there is at most one."""

    def proposals(self, model: str) -> list[Proposal]:
        """All proposals of a model, oldest first, as they stand now."""

    def propose(self, model: str, title: str, body: str, files: Mapping[str, str], as_of: dt.datetime) -> Proposal:
        """Open a proposal that changes `files` (path to new text), or update the open one in place."""

    def close(self, number: int, reason: str) -> Proposal:
        """Close a proposal without merging it."""

    def page(self, proposal: Proposal, folder: Path) -> str:
        """Where a reviewer reads a proposal; a forge without pages of its own writes one into `folder`."""


def branch_of(model: str) -> str:
    """The branch of a model's proposals; one a model, so that two models never meet."""
    return f"promote/{model}"
