"""Write what the double remembers as GitHub's answers: GitHub's own examples with this run's values put in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.github.state import Comment, Deployment, Issue, Pull, Status

if TYPE_CHECKING:
    from tests.github.double import Double


def example(double: Double, method: str, path: str, status: int) -> Any:
    """GitHub's example, as if it were about this repository."""
    if double.spec is None:
        raise AssertionError("a double without GitHub's description cannot answer requests")
    return double.spec.example(method, path, status, url=double.url, repository=double.name)


def api(double: Double) -> str:
    """The repository's address for programs."""
    return f"{double.url}/repos/{double.name}"


def html(double: Double) -> str:
    """The repository's address for people."""
    return f"https://github.com/{double.name}"


def user(double: Double, login: str) -> dict[str, Any]:
    """An account."""
    found: dict[str, Any] = example(double, "post", "/issues/{issue_number}/comments", 201)["user"]
    bot = login.endswith("[bot]")
    page = f"https://github.com/apps/{login.removesuffix('[bot]')}" if bot else f"https://github.com/{login}"
    return {**found, "login": login, "type": "Bot" if bot else "User", "html_url": page}


def repository(double: Double) -> dict[str, Any]:
    """The repository. Parts that GitHub's example has and GitHub's schema refuses are left out."""
    found: dict[str, Any] = example(double, "get", "", 200)
    for name in ("source", "parent", "template_repository"):
        found.pop(name, None)
    owner, name = double.name.split("/")
    found["owner"]["login"] = owner
    return {**found, "name": name, "default_branch": "main", "language": None, "url": api(double)}


def ref(double: Double, name: str, sha: str) -> dict[str, Any]:
    """A ref (its name begins with `refs/`) and its commit."""
    found: dict[str, Any] = example(double, "get", "/git/ref/{ref}", 200)
    target = {"type": "commit", "sha": sha, "url": f"{api(double)}/git/commits/{sha}"}
    return {**found, "ref": name, "url": f"{api(double)}/git/{name}", "object": target}


def commit(double: Double, sha: str) -> dict[str, Any]:
    """A commit as the git data API shows it."""
    form = "%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
    tree, parents, *signed, message = double.repository.git("log", "-1", f"--format={form}", sha).split("\0")
    people = [dict(zip(("name", "email", "date"), signed[at : at + 3], strict=True)) for at in (0, 3)]
    verified = sha in double.verified
    verification = {"verified": verified, "reason": "valid" if verified else "unsigned"}
    return {
        "sha": sha,
        "node_id": f"C_{sha}",
        "url": f"{api(double)}/git/commits/{sha}",
        "html_url": f"{html(double)}/commit/{sha}",
        "author": people[0],
        "committer": people[1],
        "message": message.rstrip("\n"),
        "tree": {"sha": tree, "url": f"{api(double)}/git/trees/{tree}"},
        "parents": [
            {"sha": p, "url": f"{api(double)}/git/commits/{p}", "html_url": f"{html(double)}/commit/{p}"}
            for p in parents.split()
        ],
        "verification": {**verification, "signature": None, "payload": None, "verified_at": None},
    }


def label(double: Double, name: str) -> dict[str, Any]:
    """A label. GitHub's example lacks what GitHub's schema asks for; some schemas refuse a description of null."""
    found: dict[str, Any] = example(double, "post", "/labels", 201)
    own = double.labels.get(name, {})
    also = {"archived_at": None, "archived_by": None, "default": False, "url": f"{api(double)}/labels/{name}"}
    return {**found, **also, "name": name, "description": "", **own, "id": 1 + list(double.labels).index(name)}


def shared(double: Double, item: Issue) -> dict[str, Any]:
    """What issues and pull requests show alike."""
    issue_url = f"{api(double)}/issues/{item.number}"
    return {
        "id": item.number,
        "number": item.number,
        "title": item.title,
        "body": item.body,
        "state": item.state,
        "user": user(double, item.author),
        "labels": [label(double, name) for name in item.labels],
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments_url": f"{issue_url}/comments",
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "closed_at": item.closed_at,
    }


def issue(double: Double, item: Issue) -> dict[str, Any]:
    """An issue, or a pull request as the list of issues shows it."""
    found: dict[str, Any] = example(double, "post", "/issues", 201)
    found.pop("pull_request", None)
    page = f"{html(double)}/{'pull' if isinstance(item, Pull) else 'issues'}/{item.number}"
    below = [comment for comment in double.comments.values() if comment.number == item.number]
    also = {"url": f"{api(double)}/issues/{item.number}", "html_url": page, "state_reason": item.state_reason}
    closed_by = user(double, item.author) if item.closed_at else None
    found.update(shared(double, item), **also, comments=len(below), closed_by=closed_by)
    if isinstance(item, Pull):
        own = f"{api(double)}/pulls/{item.number}"
        links = {"url": own, "html_url": page, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch"}
        found["pull_request"] = {**links, "merged_at": item.merged_at}
    return found


def pull(double: Double, item: Pull, *, listed: bool = False) -> dict[str, Any]:
    """A pull request, whole or as a list shows it."""
    found = example(double, "get", "/pulls" if listed else "/pulls/{pull_number}", 200)
    found = found[0] if listed else found
    own, page = f"{api(double)}/pulls/{item.number}", f"{html(double)}/pull/{item.number}"
    found.update(shared(double, item), url=own, html_url=page, issue_url=f"{api(double)}/issues/{item.number}")
    found.update(draft=item.draft, merge_commit_sha=item.merge_commit, merged_at=item.merged_at, auto_merge=None)
    found["requested_reviewers"] = [user(double, login) for login in item.reviewers]
    team = example(double, "get", "/pulls", 200)[0]["requested_teams"][0]
    found["requested_teams"] = [{**team, "slug": slug, "name": slug, "type": "organization"} for slug in item.teams]
    owner = double.name.split("/")[0]
    for side, branch, sha in (("head", item.head, item.sha), ("base", item.base, double.tip(item.base))):
        found[side].update(ref=branch, sha=sha, label=f"{owner}:{branch}")
    if not listed:
        found.update(merged=item.merged, mergeable=item.mergeable and item.state == "open", rebaseable=None)
        found["merged_by"] = user(double, item.merged_by) if item.merged_by else None
    return dict(found)


def comment(double: Double, item: Comment) -> dict[str, Any]:
    """A comment."""
    found: dict[str, Any] = example(double, "post", "/issues/{issue_number}/comments", 201)
    issue_url = f"{api(double)}/issues/{item.number}"
    kind = "pull" if item.number in double.pulls else "issues"
    found.update(id=item.id, body=item.body, user=user(double, item.author), issue_url=issue_url)
    found.update(created_at=item.created_at, updated_at=item.updated_at)
    found.update(html_url=f"{html(double)}/{kind}/{item.number}#issuecomment-{item.id}")
    return {**found, "url": f"{api(double)}/issues/comments/{item.id}"}


def deployment(double: Double, item: Deployment) -> dict[str, Any]:
    """A deployment."""
    found: dict[str, Any] = example(double, "post", "/deployments", 201)
    own = f"{api(double)}/deployments/{item.id}"
    found.update(id=item.id, url=own, statuses_url=f"{own}/statuses", sha=item.sha, ref=item.ref, task=item.task)
    found.update(environment=item.environment, original_environment=item.environment, payload=item.payload or {})
    found.update(description=item.description, creator=user(double, item.author), created_at=item.created_at)
    return {**found, "updated_at": item.created_at, "production_environment": item.production}


def status(double: Double, item: Status, deployed: Deployment) -> dict[str, Any]:
    """What became of a deployment."""
    found: dict[str, Any] = example(double, "post", "/deployments/{deployment_id}/statuses", 201)
    own = f"{api(double)}/deployments/{deployed.id}"
    found.update(id=item.id, url=f"{own}/statuses/{item.id}", deployment_url=own, state=item.state)
    found.update(description=item.description, environment=item.environment, creator=user(double, item.author))
    found.update(created_at=item.created_at, updated_at=item.created_at)
    urls = {"log_url": item.log_url, "environment_url": item.environment_url}
    for name in urls:
        found.pop(name, None)
    return {**found, "target_url": item.log_url or own, **{name: url for name, url in urls.items() if url}}
