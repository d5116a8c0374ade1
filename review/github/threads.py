"""Tell people things on GitHub beside the proposal itself: one issue a cause, one comment a subject, deployments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import BaseModel

from review.github.api import Api

if TYPE_CHECKING:
    from github.Issue import Issue
    from github.Repository import Repository

LABEL = "retraining"
MARK = re.compile(r"<!-- retraining ([a-z0-9_]+/[a-z-]+) -->")
LONGEST = 65_000  # GitHub takes 65,536 characters


class OpenIssue(BaseModel):
    """An open issue of ours: whose, about what, and its text."""

    key: str
    number: int
    url: str
    title: str
    body: str


class Threads:
    """Issues, comments and deployments of one repository. Everything may be told again: it is then updated in place."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def known(self, model: str) -> list[OpenIssue]:
        """The open issues that we opened about a model, oldest first."""
        found = self.api(f"list the issues of {model}", _ours)
        return [one for one in found if one.key.startswith(f"{model}/")]

    def tell(self, key: str, title: str, body: str) -> tuple[OpenIssue, bool]:
        """Open the issue of a model and cause (`MODEL/CAUSE`), or update it; and whether it is new."""
        text = f"<!-- retraining {key} -->\n{body}"[:LONGEST]

        def operation(repo: Repository) -> tuple[OpenIssue, bool]:
            old = next((one for one in _ours(repo) if one.key == key), None)
            if old is None:
                made = repo.create_issue(title, body=text, labels=[LABEL])
                return OpenIssue(key=key, number=made.number, url=made.html_url, title=title, body=text), True
            if (old.title, old.body) != (title, text):
                repo.get_issue(old.number).edit(title=title, body=text)
            return old.model_copy(update={"title": title, "body": text}), False

        return self.api(f"tell of {key} in an issue", operation)

    def done(self, number: int, text: str) -> None:
        """Close an issue with a last comment."""

        def operation(repo: Repository) -> None:
            issue = repo.get_issue(number)
            if issue.state == "open":
                comment(issue, "done", text)
                issue.edit(state="closed", state_reason="completed")

        self.api(f"close issue {number}", operation)

    def comment(self, number: int, subject: str, text: str) -> None:
        """Say something under a pull request or issue; what was said on the subject before is replaced."""
        self.api(f"comment on #{number}", lambda repo: comment(repo.get_issue(number), subject, text))

    def deployed(self, environment: str, commit: str, description: str, url: str | None) -> None:
        """Tell that `commit` is what `environment` runs now, with a line of at most 140 characters."""
        from github.GithubObject import NotSet

        def operation(repo: Repository) -> None:
            same = repo.get_deployments(sha=commit, environment=environment)
            made = next((one for one in same if one.description == description[:140]), None) or repo.create_deployment(
                commit,
                auto_merge=False,
                required_contexts=[],
                environment=environment,
                description=description[:140],
                production_environment=True,
            )
            if not any(status.state == "success" for status in made.get_statuses()):
                made.create_status(
                    "success",
                    description=description[:140],
                    environment_url=url or NotSet,
                    target_url=self.api.hub.run_url or NotSet,
                )

        self.api(f"note the deployment of {environment}", operation)


def comment(issue: Issue, subject: str, text: str) -> None:
    """Write the comment on a subject, or bring ours up to date; one that a person wrote is never taken for ours."""
    mark = f"<!-- retraining {subject} -->"
    whole = f"{mark}\n{text}"[:LONGEST]
    for old in issue.get_comments():
        if old.body.startswith(mark) and old.user.type == "Bot":
            if old.body != whole:
                old.edit(whole)
            return
    issue.create_comment(whole)


def _ours(repo: Repository) -> list[OpenIssue]:
    """The open issues with our mark. Anybody can write that mark, but only an app opens issues as one."""
    issues = repo.get_issues(state="open", labels=[LABEL], sort="created", direction="asc")
    return [
        OpenIssue(key=mark[1], number=one.number, url=one.html_url, title=one.title, body=one.body)
        for one in issues
        if one.pull_request is None and one.user.type == "Bot" and (mark := MARK.match(one.body or ""))
    ]
