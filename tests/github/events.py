"""Write what GitHub tells a workflow about the event that started it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.github import replies

if TYPE_CHECKING:
    from tests.github.double import Double


def payload(
    double: Double,
    event: str,
    ref: str,
    inputs: Mapping[str, str],
    more: Mapping[str, Any],
    at: str | None = None,
) -> dict[str, Any]:
    """The content of the event's file; `more` is put over what is known without it, `at` is the commit of a push."""
    owner, name = double.name.split("/")
    full = {"full_name": double.name, "name": name, "default_branch": "main", "private": True, "fork": False}
    found: dict[str, Any] = {
        "repository": {**full, "owner": {"login": owner}, "html_url": replies.html(double)},
        "sender": {"login": "alice", "type": "User"},
    }
    if event == "workflow_dispatch":
        found.update(inputs=dict(inputs), ref=f"refs/heads/{ref}")
    elif event == "push":
        tip = at or double.tip(ref)
        before = double.repository.resolve(f"{tip}^1") or "0" * 40
        found.update(ref=f"refs/heads/{ref}", before=before, after=tip)
    elif event.startswith("pull_request"):
        shown = replies.pull(double, double.pulls[more["number"]])
        found.update(action="opened", pull_request=shown)
    return {**found, **more}
