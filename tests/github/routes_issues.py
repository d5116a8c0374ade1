"""Answer for issues, comments and labels; pull requests are issues too, as at GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.github import replies
from tests.github.routing import Answer, Call, RefusalError, check_text, missing, route
from tests.github.state import Comment, Issue, now

if TYPE_CHECKING:
    from tests.github.double import Double


@route("GET", "/issues", "issues")
def list_issues(double: Double, call: Call) -> Answer:
    """The issues and pull requests of a state that have all the labels asked for; newest first."""
    query = call.request.query
    state, labels = query.get("state", "open"), set(filter(None, query.get("labels", "").split(",")))
    found = [
        item
        for item in sorted([*double.issues.values(), *double.pulls.values()], key=lambda item: -item.number)
        if state in ("all", item.state)
        and labels <= set(item.labels)
        and query.get("creator") in (None, item.author)
        and query.get("since", "") <= item.updated_at
    ]
    if query.get("direction") == "asc":
        found.reverse()
    return 200, [replies.issue(double, item) for item in call.page(found)]


@route("POST", "/issues", "issues")
def create_issue(double: Double, call: Call) -> Answer:
    """Open an issue."""
    check_text("Issue", call.body)
    issue = Issue(double.next_number(), str(call.body["title"]), call.body.get("body"), call.who)
    double.issues[issue.number] = issue
    issue.labels = _labels(double, call.body.get("labels", []))
    return 201, replies.issue(double, issue)


@route("GET", r"/issues/(\d+)", "issues", "pull-requests")
def get_issue(double: Double, call: Call) -> Answer:
    """An issue, or a pull request as one."""
    return 200, replies.issue(double, _item(double, call))


@route("PATCH", r"/issues/(\d+)", "issues", "pull-requests")
def edit_issue(double: Double, call: Call) -> Answer:
    """Change its title, text, state or labels."""
    item, body = _item(double, call), call.body
    check_text("Issue", body)
    item.title, item.body = body.get("title", item.title), body.get("body", item.body)
    if "labels" in body:
        item.labels = _labels(double, body["labels"])
    if "state" in body and body["state"] != item.state:
        item.turn(body["state"])
        item.state_reason = "reopened" if item.state == "open" else "completed"
    if body.get("state_reason"):
        item.state_reason = body["state_reason"]
    item.updated_at = now()
    return 200, replies.issue(double, item)


@route("POST", r"/issues/(\d+)/labels", "issues", "pull-requests")
def add_labels(double: Double, call: Call) -> Answer:
    """Add labels to an issue or pull request."""
    item = _item(double, call)
    item.labels = list(dict.fromkeys([*item.labels, *_labels(double, call.body["labels"])]))
    item.updated_at = now()
    return 200, [replies.label(double, name) for name in item.labels]


@route("GET", r"/issues/(\d+)/comments", "issues", "pull-requests")
def list_comments(double: Double, call: Call) -> Answer:
    """The comments of an issue or pull request, oldest first."""
    number = _item(double, call).number
    found = [comment for comment in double.comments.values() if comment.number == number]
    return 200, [replies.comment(double, comment) for comment in call.page(found)]


@route("POST", r"/issues/(\d+)/comments", "issues", "pull-requests")
def create_comment(double: Double, call: Call) -> Answer:
    """Comment on an issue or pull request."""
    item = _item(double, call)
    check_text("IssueComment", call.body)
    comment = Comment(len(double.comments) + 1, item.number, call.body["body"], call.who)
    double.comments[comment.id] = comment
    return 201, replies.comment(double, comment)


@route("PATCH", r"/issues/comments/(\d+)", "issues", "pull-requests")
def edit_comment(double: Double, call: Call) -> Answer:
    """Change a comment."""
    comment = double.comments.get(int(call.args[0]))
    if comment is None:
        raise missing()
    check_text("IssueComment", call.body)
    comment.body, comment.updated_at = call.body["body"], now()
    return 200, replies.comment(double, comment)


@route("POST", "/labels", "issues", "pull-requests")
def create_label(double: Double, call: Call) -> Answer:
    """Make a label."""
    name = call.body["name"]
    if name in double.labels:
        raise RefusalError(422, "Validation Failed", resource="Label", code="already_exists", field="name")
    double.labels[name] = {key: call.body[key] for key in ("color", "description") if key in call.body}
    return 201, replies.label(double, name)


@route("GET", "/labels/(.+)", "issues", "pull-requests")
def get_label(double: Double, call: Call) -> Answer:
    """A label."""
    if call.args[0] not in double.labels:
        raise missing()
    return 200, replies.label(double, call.args[0])


def _item(double: Double, call: Call) -> Issue:
    """The issue or pull request that is meant; the permission for pull requests does not open issues."""
    number = int(call.args[0])
    item = double.pulls.get(number) or double.issues.get(number)
    if item is None:
        raise missing()
    if number in double.issues:
        call.allow("issues")
    return item


def _labels(double: Double, wanted: list[Any]) -> list[str]:
    """The names of labels; those that are not there yet are made, as GitHub does."""
    names = [label if isinstance(label, str) else label["name"] for label in wanted]
    for name in names:
        double.labels.setdefault(name, {})
    return list(dict.fromkeys(names))
