"""Answer for deployments, the repository's settings and workflow dispatches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.github import replies
from tests.github.routing import Answer, Call, RefusalError, invalid, missing, route
from tests.github.state import Deployment, Status

if TYPE_CHECKING:
    from tests.github.double import Double

DESCRIPTION_LIMIT = 140
INPUTS_LIMIT = 25


@route("GET", "/deployments", "deployments")
def list_deployments(double: Double, call: Call) -> Answer:
    """The deployments of an environment, a ref, a task; newest first."""
    wanted = {key: call.request.query.get(key) for key in ("environment", "ref", "task", "sha")}
    found = [
        item
        for item in reversed(double.deployments.values())
        if all(value in (None, getattr(item, key)) for key, value in wanted.items())
    ]
    return 200, [replies.deployment(double, item) for item in call.page(found)]


@route("POST", "/deployments", "deployments")
def create_deployment(double: Double, call: Call) -> Answer:
    """Start a deployment."""
    body = call.body
    sha = double.repository.commit_of(body["ref"])
    if sha is None:
        raise RefusalError(422, f"No ref found for: {body['ref']}")
    environment = body.get("environment", "production")
    item = Deployment(len(double.deployments) + 1, body["ref"], sha, body.get("task", "deploy"), environment, call.who)
    item.description, item.payload = body.get("description"), body.get("payload")
    item.production = body.get("production_environment", environment == "production")
    double.deployments[item.id] = item
    return 201, replies.deployment(double, item)


@route("GET", r"/deployments/(\d+)/statuses", "deployments")
def list_statuses(double: Double, call: Call) -> Answer:
    """What became of a deployment, newest first."""
    item = _deployment(double, call)
    return 200, [replies.status(double, status, item) for status in call.page(item.statuses[::-1])]


@route("POST", r"/deployments/(\d+)/statuses", "deployments")
def create_status(double: Double, call: Call) -> Answer:
    """Say what became of a deployment."""
    item, body = _deployment(double, call), call.body
    if len(body.get("description", "")) > DESCRIPTION_LIMIT:
        raise invalid("DeploymentStatus", f"description is too long (maximum is {DESCRIPTION_LIMIT} characters)")
    status = Status(1 + sum(len(d.statuses) for d in double.deployments.values()), body["state"], call.who)
    status.description, status.environment = body.get("description", ""), body.get("environment", item.environment)
    status.log_url = body.get("log_url", body.get("target_url", ""))
    status.environment_url = body.get("environment_url", "")
    item.statuses.append(status)
    return 201, replies.status(double, status, item)


@route("GET", "/actions/permissions/workflow", "administration")
def get_workflow_permissions(double: Double, _: Call) -> Answer:
    """What the repository lets its workflows do."""
    may = {"can_approve_pull_request_reviews": double.may_create_pulls}
    return 200, {"default_workflow_permissions": "read", **may}


@route("POST", "/actions/workflows/([^/]+)/dispatches", "actions")
def dispatch(double: Double, call: Call) -> Answer:
    """Start a workflow of a branch, which is only written down."""
    workflow, ref, inputs = call.args[0], call.body["ref"].removeprefix("refs/heads/"), call.body.get("inputs", {})
    if double.tip(ref) is None:
        raise RefusalError(422, f"No ref found for: {ref}")
    if double.read(f".github/workflows/{workflow}", ref) is None:
        raise missing()
    if len(inputs) > INPUTS_LIMIT:
        raise RefusalError(422, f"you may only define up to {INPUTS_LIMIT} `inputs` for a `workflow_dispatch` event")
    double.dispatches.append((workflow, ref, inputs))
    return 204, None


def _deployment(double: Double, call: Call) -> Deployment:
    item = double.deployments.get(int(call.args[0]))
    if item is None:
        raise missing()
    return item
