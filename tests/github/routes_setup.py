"""Answer for how the repository is set up: secrets of environments, rules of branches, workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.github.routing import Answer, Call, missing, route

if TYPE_CHECKING:
    from tests.github.double import Double

CREATED = "2026-01-01T00:00:00Z"


@route("GET", "/environments/([^/]+)/secrets", "environments")
def list_secrets(double: Double, call: Call) -> Answer:
    """The names of an environment's secrets, never a value."""
    found = double.secrets.get(call.args[0])
    if found is None:
        raise missing()
    secrets = [{"name": name, "created_at": CREATED, "updated_at": CREATED} for name in sorted(found)]
    return 200, {"total_count": len(secrets), "secrets": secrets}


@route("GET", "/rules/branches/(.+)")
def list_rules(double: Double, call: Call) -> Answer:
    """The rules that hold for a branch, whichever ruleset they come from."""
    rules = double.rules if call.args[0] == "main" else []
    origin = {"ruleset_source_type": "Repository", "ruleset_source": double.name, "ruleset_id": 1}
    return 200, [{"type": kind, **origin} for kind in rules]


@route("GET", "/actions/workflows/([^/]+)", "actions")
def get_workflow(double: Double, call: Call) -> Answer:
    """A workflow of the default branch."""
    name = call.args[0]
    if double.read(f".github/workflows/{name}") is None:
        raise missing()
    state = "disabled_inactivity" if name in double.asleep else "active"
    page = f"https://github.com/{double.name}"
    return 200, {
        "id": 1,
        "node_id": "W_1",
        "name": name.partition(".")[0],
        "path": f".github/workflows/{name}",
        "state": state,
        "created_at": CREATED,
        "updated_at": CREATED,
        "url": f"{double.url}/repos/{double.name}/actions/workflows/1",
        "html_url": f"{page}/blob/main/.github/workflows/{name}",
        "badge_url": f"{page}/workflows/{name}/badge.svg",
    }
