"""Issues, comments and deployments on GitHub: one issue for a cause, one comment for a subject."""

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
    """An open issue of the template: its key (`MODEL/CAUSE`) and its text."""

    key: str
    number: int
    url: str
    title: str
    body: str


class Threads:
    """Issues, comments and deployments of one repository. A second call updates what the first wrote."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def known(self, model: str) -> list[OpenIssue]:
        """Return the open issues of the template about a model, oldest first."""
        issues = self.api(f"list the issues of {model}", _own)
        return [issue for issue in issues if issue.key.startswith(f"{model}/")]

    def tell(self, key: str, title: str, body: str) -> tuple[OpenIssue, bool]:
        """Open or update the issue of a model and cause (`MODEL/CAUSE`), and return it with whether it is new."""
        text = f"<!-- retraining {key} -->\n{body}"[:LONGEST]

        def operation(repo: Repository) -> tuple[OpenIssue, bool]:
            old = next((issue for issue in _own(repo) if issue.key == key), None)
            if old is None:
                issue = repo.create_issue(title, body=text, labels=[LABEL])
                return OpenIssue(key=key, number=issue.number, url=issue.html_url, title=title, body=text), True
            if (old.title, old.body) != (title, text):
                repo.get_issue(old.number).edit(title=title, body=text)
            return old.model_copy(update={"title": title, "body": text}), False

        return self.api(f"write the issue of {key}", operation)

    def done(self, number: int, text: str) -> None:
        """Close an issue with a last comment."""

        def operation(repo: Repository) -> None:
            issue = repo.get_issue(number)
            if issue.state == "open":
                comment(issue, "done", text)
                issue.edit(state="closed", state_reason="completed")

        self.api(f"close issue {number}", operation)

    def comment(self, number: int, subject: str, text: str) -> None:
        """Comment on a pull request or issue, or replace the comment on the same subject."""
        self.api(f"comment on #{number}", lambda repo: comment(repo.get_issue(number), subject, text))

    def deployed(self, environment: str, commit: str, description: str, url: str | None) -> None:
        """Record that `environment` now runs `commit`, with a description of at most 140 characters."""
        from github.GithubObject import NotSet

        def operation(repo: Repository) -> None:
            same = repo.get_deployments(sha=commit, environment=environment)
            deployment = next(
                (old for old in same if old.description == description[:140]), None
            ) or repo.create_deployment(
                commit,
                auto_merge=False,
                required_contexts=[],
                environment=environment,
                description=description[:140],
                production_environment=True,
            )
            if not any(status.state == "success" for status in deployment.get_statuses()):
                deployment.create_status(
                    "success",
                    description=description[:140],
                    environment_url=url or NotSet,
                    target_url=self.api.hub.run_url or NotSet,
                )

        self.api(f"record the deployment of {environment}", operation)


def comment(issue: Issue, subject: str, text: str) -> None:
    """Write or update the comment on a subject; a comment by a person is never changed."""
    mark = f"<!-- retraining {subject} -->"
    whole = f"{mark}\n{text}"[:LONGEST]
    for old in issue.get_comments():
        if old.body.startswith(mark) and old.user.type == "Bot":
            if old.body != whole:
                old.edit(whole)
            return
    issue.create_comment(whole)


def _own(repo: Repository) -> list[OpenIssue]:
    """Return the open issues with the mark of the template, opened by an app; anybody can write the mark."""
    issues = repo.get_issues(state="open", labels=[LABEL], sort="created", direction="asc")
    return [
        OpenIssue(key=mark[1], number=issue.number, url=issue.html_url, title=issue.title, body=issue.body)
        for issue in issues
        if issue.pull_request is None and issue.user.type == "Bot" and (mark := MARK.match(issue.body or ""))
    ]
