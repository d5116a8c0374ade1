"""Answer for pull requests, and refuse them for the reasons that GitHub has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.github import people, replies
from tests.github.routing import Answer, Call, RefusalError, check_text, invalid, missing, route
from tests.github.state import Pull, now

if TYPE_CHECKING:
    from tests.github.double import Double

LETTERS = {"A": "added", "M": "modified", "D": "removed", "T": "changed"}


@route("GET", "/pulls", "pull-requests")
def list_pulls(double: Double, call: Call) -> Answer:
    """The pull requests of a state, of a head `owner:branch`, into a base; newest first."""
    query = call.request.query
    state, head, base = query.get("state", "open"), query.get("head"), query.get("base")
    owner = double.name.split("/")[0]
    found = [
        pull
        for pull in sorted(double.pulls.values(), key=lambda pull: pull.number, reverse=True)
        if state in ("all", pull.state) and head in (None, f"{owner}:{pull.head}") and base in (None, pull.base)
    ]
    if query.get("direction") == "asc":
        found.reverse()
    return 200, [replies.pull(double, pull, listed=True) for pull in call.page(found)]


@route("POST", "/pulls", "pull-requests")
def create_pull(double: Double, call: Call) -> Answer:
    """Open a pull request."""
    if not double.may_create_pulls and not call.request.token.startswith("app_"):
        raise RefusalError(403, "GitHub Actions is not permitted to create or approve pull requests.")
    owner = double.name.split("/")[0]
    head, base = call.body["head"].removeprefix(f"{owner}:"), call.body["base"]
    check_text("PullRequest", call.body)
    for field, branch in (("head", head), ("base", base)):
        if double.tip(branch) is None:
            raise RefusalError(422, "Validation Failed", resource="PullRequest", field=field, code="invalid")
    _check_new(double, head, base)
    pull = people.opened(double, call.body["title"], call.body.get("body"), head, base, call.who)
    pull.draft = bool(call.body.get("draft"))
    return 201, replies.pull(double, pull)


@route("GET", r"/pulls/(\d+)", "pull-requests")
def get_pull(double: Double, call: Call) -> Answer:
    """A pull request."""
    return 200, replies.pull(double, _pull(double, call))


@route("PATCH", r"/pulls/(\d+)", "pull-requests")
def edit_pull(double: Double, call: Call) -> Answer:
    """Change its title, text, state or base."""
    pull, body = _pull(double, call), call.body
    check_text("PullRequest", body)
    base = body.get("base", pull.base)
    if double.tip(base) is None:
        raise RefusalError(422, "Validation Failed", resource="PullRequest", field="base", code="invalid")
    if body.get("state") == "open" and pull.state == "closed":
        if pull.merged or double.tip(pull.head) is None:
            raise invalid("PullRequest", f"state cannot be changed. The {pull.head} branch is merged or was deleted.")
        _check_new(double, pull.head, base)
    pull.title, pull.body, pull.base = body.get("title", pull.title), body.get("body", pull.body), base
    pull.turn(body.get("state", pull.state))
    pull.updated_at = now()
    if pull.state == "open":
        double.settle(pull, moved=pull.head, by=call.who)
    return 200, replies.pull(double, pull)


@route("GET", r"/pulls/(\d+)/files", "pull-requests")
def list_files(double: Double, call: Call) -> Answer:
    """What it changes."""
    pull = _pull(double, call)
    base = double.repository.resolve(f"{pull.merge_commit}^1") if pull.merged else double.tip(pull.base)
    found = []
    for path, letter, patch, added, removed in double.repository.changes(base or "", pull.sha):
        blob = double.repository.resolve(f"{pull.sha}:{path}")
        page = f"{replies.html(double)}/blob/{pull.sha}/{path}"
        counts = {"additions": added, "deletions": removed, "changes": added + removed}
        links = {"blob_url": page, "raw_url": page.replace("/blob/", "/raw/")}
        links["contents_url"] = f"{replies.api(double)}/contents/{path}?ref={pull.sha}"
        found.append({"sha": blob, "filename": path, "status": LETTERS[letter], **counts, **links, "patch": patch})
    return 200, call.page(found)


@route("POST", r"/pulls/(\d+)/requested_reviewers", "pull-requests")
def request_reviewers(double: Double, call: Call) -> Answer:
    """Ask people and teams to review it."""
    pull = _pull(double, call)
    reviewers, teams = call.body.get("reviewers", []), call.body.get("team_reviewers", [])
    if pull.author in reviewers:
        raise RefusalError(422, "Review cannot be requested from pull request author.")
    if set(reviewers) - double.collaborators or set(teams) - double.teams:
        raise RefusalError(
            422,
            "Reviews may only be requested from collaborators. One or more of the users or teams you specified "
            f"is not a collaborator of the {double.name} repository.",
        )
    pull.reviewers += [login for login in reviewers if login not in pull.reviewers]
    pull.teams += [slug for slug in teams if slug not in pull.teams]
    return 201, replies.pull(double, pull, listed=True)


def _pull(double: Double, call: Call) -> Pull:
    pull = double.pulls.get(int(call.args[0]))
    if pull is None:
        raise missing()
    return pull


def _check_new(double: Double, head: str, base: str) -> None:
    for pull in double.pulls.values():
        if pull.state == "open" and (pull.head, pull.base) == (head, base):
            owner = double.name.split("/")[0]
            raise invalid("PullRequest", f"A pull request already exists for {owner}:{head}.")
    if double.repository.contains(double.tip(base) or "", double.tip(head) or ""):
        raise invalid("PullRequest", f"No commits between {base} and {head}")
