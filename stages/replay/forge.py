"""The forge of one policy, in memory: a main branch of files and at most one open proposal."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path

from review.forge import Proposal, branch_of


class ReplayForge:
    """A `Forge` whose proposals a replay merges after a number of days."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._main: dict[str, str] = {}
        self._proposed: dict[str, str] = {}
        self._proposals: dict[int, Proposal] = {}

    def ensure(self, root: Path) -> None:
        """Do nothing: it is always ready."""

    def follow(self, root: Path) -> None:
        """Do nothing: a merge changes it directly."""

    def file(self, path: str, at: str | None = None) -> str | None:
        """Return the text of a file on the main branch, or of the open proposal; None if it is not there."""
        return (self._proposed if at else self._main).get(path)

    def open_proposal(self, model: str) -> Proposal | None:
        """Return the open proposal."""
        return next((proposal for proposal in self.proposals(model) if proposal.state == "open"), None)

    def proposals(self, model: str) -> list[Proposal]:
        """Return all proposals, the oldest first."""
        return [proposal for proposal in self._proposals.values() if proposal.model == model]

    def propose(self, model: str, title: str, body: str, files: Mapping[str, str], as_of: dt.datetime) -> Proposal:
        """Open a proposal, or update the open one in place."""
        before, self._proposed = self.open_proposal(model), dict(files)
        (version,) = (json.loads(text)["version"] for text in files.values())
        opened = before.opened_at if before else as_of
        proposal = Proposal(
            number=before.number if before else len(self._proposals) + 1,
            model=model,
            state="open",
            title=title,
            body=body,
            branch=branch_of(model),
            base="",
            head="",
            url=f"version {version} of {opened.date()}",  # in place of an address
            opened_at=opened,
            as_of=as_of,
        )
        self._proposals[proposal.number] = proposal
        return proposal

    def close(self, number: int, reason: str) -> Proposal:
        """Close a proposal without merging it."""
        return self._end(number, state="closed", reason=reason)

    def merge(self, number: int) -> Proposal:
        """Merge a proposal into the main branch."""
        self._main.update(self._proposed)
        return self._end(number, state="merged")

    def _end(self, number: int, **changed: str) -> Proposal:
        self._proposals[number] = self._proposals[number].model_copy(update=changed)
        return self._proposals[number]

    def page(self, proposal: Proposal, folder: Path) -> str:  # noqa: ARG002 - no one reads it
        """Return a text in place of an address."""
        return proposal.url
