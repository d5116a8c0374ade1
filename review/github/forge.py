"""Pull requests on GitHub: one branch and one open pull request for a model, through the API."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UsageError
from review.forge import Proposal, State, branch_of
from review.github.api import Api, OvertakenError, limited
from review.github.codeowners import PLACES, Owners, owners
from review.github.commits import commit, text_of, tip
from review.github.errors import message_of
from review.github.threads import comment

if TYPE_CHECKING:
    from github.PullRequest import PullRequest
    from github.Repository import Repository

LABEL = "promotion"
# The last line of a body, which GitHub does not show: the night of the proposal.
MARK = re.compile(r"^<!-- promotion (\{.*\}) -->\s*$", re.MULTILINE)


class GitHubForge:
    """A forge that is a repository on GitHub. Commits are made through the API, so GitHub signs them.

    `notes` has problems that stop nothing, such as a reviewer who cannot be requested.
    """

    def __init__(self, api: Api) -> None:
        self.api = api
        self.notes: list[str] = []

    def ensure(self, root: Path) -> None:
        """Do nothing: the repository on GitHub exists."""

    def follow(self, root: Path) -> None:
        """Do nothing: GitHub knows what was merged."""

    def page(self, proposal: Proposal, folder: Path) -> str:
        """Return the address of a proposal. Nothing is written into `folder`."""
        del folder
        return proposal.url

    def file(self, path: str, at: str | None = None) -> str | None:
        """Return the text of a file on the default branch, or at a commit; None if it does not exist."""
        return self.api(f"read {path}", lambda repo: text_of(repo, path, at or repo.default_branch))

    def open_proposal(self, model: str) -> Proposal | None:
        """Return the open proposal of a model; a branch of the same name in a fork does not count."""
        pull = self.api(f"look for the open pull request of {model}", lambda repo: self._open(repo, model))
        return self._proposal(pull, model) if pull else None

    def proposals(self, model: str) -> list[Proposal]:
        """Return all proposals of a model, oldest first."""
        pulls = self.api(
            f"list the pull requests of {model}",
            lambda repo: list(repo.get_pulls(state="all", head=self._head_name(model), sort="created")),
        )
        return sorted((self._proposal(pull, model) for pull in pulls), key=lambda proposal: proposal.number)

    def propose(self, model: str, title: str, body: str, files: Mapping[str, str], as_of: dt.datetime) -> Proposal:
        """Open a proposal on top of the default branch, or update the open one in place.

        Safe to interrupt and repeat: it ends with one branch and one open pull request.

        Raises:
            UsageError: the default branch already has this content.
            OutsideError: GitHub refused, or did not respond.
        """
        text = f"{body.rstrip()}\n\n<!-- promotion {json.dumps({'model': model, 'as_of': as_of.isoformat()})} -->"

        def operation(repo: Repository) -> PullRequest:
            head = commit(repo, branch_of(model), files, title)
            pull = self._open(repo, model)
            same = pull is not None and (pull.title, pull.body) == (title, text)
            if pull is None:
                pull = repo.create_pull(base=repo.default_branch, head=branch_of(model), title=title, body=text)
            elif not same:
                pull.edit(title=title, body=text)
            if not same or LABEL not in {label.name for label in pull.labels}:
                self._ask(repo, pull, [*files])
                self._label(pull)  # last, so a pull request with the label is complete
            # Text and commit must belong to one candidate, also if another run writes its own at the same time.
            if tip(repo, branch_of(model)) != head:
                self.notes.append(f"Another run wrote to {branch_of(model)} at the same time, so this run wrote again.")
                raise OvertakenError(f"another run keeps writing to {branch_of(model)}")
            return pull

        return self._proposal(self.api(f"open the pull request of {model}", operation), model)

    def close(self, number: int, reason: str) -> Proposal:
        """Close a proposal without merging it, with the reason in a comment.

        Raises:
            UsageError: the proposal is merged.
        """

        def operation(repo: Repository) -> PullRequest:
            pull = repo.get_pull(number)
            if pull.merged:
                raise UsageError(
                    f"Pull request {number} is already merged.", fix="Undo the merge with its Revert button."
                )
            if pull.state == "open":
                comment(pull.as_issue(), "closed", reason)
                pull.edit(state="closed")
            return pull

        pull = self.api(f"close pull request {number}", operation)
        return self._proposal(pull, pull.head.ref.removeprefix(branch_of(""))).model_copy(update={"reason": reason})

    def _head_name(self, model: str) -> str:
        return f"{self.api.hub.repository.split('/')[0]}:{branch_of(model)}"

    def _open(self, repo: Repository, model: str) -> PullRequest | None:
        pulls = repo.get_pulls(state="open", head=self._head_name(model), base=repo.default_branch)
        return next(iter(pulls), None)

    def _ask(self, repo: Repository, pull: PullRequest, paths: list[str]) -> None:
        """Request a review from the owners of the files, except the author and those requested already."""
        codeowners = next((text for place in PLACES if (text := text_of(repo, place, repo.default_branch))), "")
        listed = [owners(codeowners, path) for path in paths]
        requested = {pull.user.login, *(user.login for user in pull.requested_reviewers)}
        people = sorted({name for file in listed for name in file.people} - requested)
        teams = sorted({name for file in listed for name in file.teams} - {team.slug for team in pull.requested_teams})
        if not people and not teams:
            if listed and all(file == Owners() for file in listed):
                self.notes.append("CODEOWNERS has no owner of the manifest, so no review was requested.")
            return
        # Separately, because a workflow token may request people, but not teams.
        for names, request in ((people, {"reviewers": people}), (teams, {"team_reviewers": teams})):
            if names:
                with self._tolerant(f"No review could be requested from {', '.join(names)}"):
                    pull.create_review_request(**request)

    def _label(self, pull: PullRequest) -> None:
        """Add the label of the template, and keep those that people set."""
        # The call of PyGithub sends a bare list, which is not in GitHub's API description.
        with self._tolerant(f"The label {LABEL} could not be set"):
            pull.requester.requestJsonAndCheck("POST", f"{pull.issue_url}/labels", input={"labels": [LABEL]})

    @contextmanager
    def _tolerant(self, note: str) -> Iterator[None]:
        """Continue with a note if GitHub refuses a mere convenience."""
        from github import GithubException

        try:
            yield
        except GithubException as err:
            if err.status not in {403, 404, 422} or limited(err):
                raise
            self.notes.append(f"{note}: {message_of(err.data)[:200]}")

    def _proposal(self, pull: PullRequest, model: str) -> Proposal:
        state: State = "merged" if pull.merged_at else "open" if pull.state == "open" else "closed"
        body = pull.body or ""
        return Proposal(
            number=pull.number,
            model=model,
            state=state,
            title=pull.title,
            body=body,
            branch=pull.head.ref,
            base=pull.base.sha,
            head=pull.head.sha,
            url=pull.html_url,
            opened_at=pull.created_at,
            as_of=_night(body) or pull.created_at,
        )


def _night(body: str) -> dt.datetime | None:
    """Return the night in the mark of a body; None if the mark was edited."""
    try:
        return dt.datetime.fromisoformat(json.loads(MARK.findall(body)[-1])["as_of"])
    except (IndexError, KeyError, TypeError, ValueError, RecursionError):
        return None
