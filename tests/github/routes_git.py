"""Answer for git data: refs, trees, commits, contents and branches, out of the real repository."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tests.github import replies
from tests.github.repository import Entry, Person
from tests.github.routing import Answer, Call, RefusalError, missing, route

if TYPE_CHECKING:
    from tests.github.double import Double


@route("GET", "")
def get_repository(double: Double, _: Call) -> Answer:
    """The repository, which every token may see."""
    return 200, replies.repository(double)


@route("GET", "/branches/(.+)", "contents")
def get_branch(double: Double, call: Call) -> Answer:
    """A branch with its commit."""
    name = call.args[0]
    sha = double.tip(name)
    if sha is None:
        raise RefusalError(404, "Branch not found")
    found = replies.example(double, "get", "/branches/{branch}", 200)
    own = f"{replies.api(double)}/branches/{name}"
    git = replies.commit(double, sha)
    commit = {key: git[key] for key in ("author", "committer", "message", "tree", "url", "verification")}
    found["commit"].update(sha=sha, url=f"{replies.api(double)}/commits/{sha}", html_url=git["html_url"])
    found["commit"].update(parents=git["parents"], commit={**commit, "comment_count": 0})
    found["_links"] = {"html": f"{replies.html(double)}/tree/{name}", "self": own}
    return 200, {**found, "name": name, "protected": name in double.protected, "protection_url": f"{own}/protection"}


@route("GET", "/git/ref/(.+)", "contents")
def get_ref(double: Double, call: Call) -> Answer:
    """A ref."""
    name = f"refs/{call.args[0]}"
    sha = double.repository.resolve(name)
    if sha is None:
        raise missing()
    return 200, replies.ref(double, name, sha)


@route("POST", "/git/refs", "contents")
def create_ref(double: Double, call: Call) -> Answer:
    """Make a ref that is not there yet."""
    name, sha = call.body["ref"], call.body["sha"]
    if not name.startswith("refs/") or name.count("/") < 2:
        raise RefusalError(422, "Reference name must start with 'refs' and contain at least two slashes.")
    if double.repository.resolve(name):
        raise RefusalError(422, "Reference already exists")
    _check_commit(double, sha)
    double.move(name, sha, by=call.who)
    return 201, replies.ref(double, name, sha)


@route("PATCH", "/git/refs/(.+)", "contents")
def update_ref(double: Double, call: Call) -> Answer:
    """Move a ref, backwards or sideways only by force."""
    name, sha = f"refs/{call.args[0]}", call.body["sha"]
    old = double.repository.resolve(name)
    if old is None:
        raise RefusalError(422, "Reference does not exist")
    _check_free(double, name)
    _check_commit(double, sha)
    if not call.body.get("force") and not double.repository.contains(sha, old):
        raise RefusalError(422, "Update is not a fast forward")
    double.move(name, sha, by=call.who)
    return 200, replies.ref(double, name, sha)


@route("DELETE", "/git/refs/(.+)", "contents")
def delete_ref(double: Double, call: Call) -> Answer:
    """Delete a ref."""
    name = f"refs/{call.args[0]}"
    if double.repository.resolve(name) is None:
        raise RefusalError(422, "Reference does not exist")
    _check_free(double, name)
    double.move(name, None, by=call.who)
    return 204, None


@route("POST", "/git/trees", "contents")
def create_tree(double: Double, call: Call) -> Answer:
    """Make a tree out of another and changed files, whose content may stand in the request."""
    base = call.body.get("base_tree")
    if base and not double.repository.has(base, "tree"):
        raise missing()
    entries = {}
    for item in call.body["tree"]:
        blob = double.repository.blob(item["content"]) if "content" in item else item["sha"]
        if blob and not double.repository.has(blob, "blob"):
            raise RefusalError(422, f"tree.sha {blob} is not a valid blob")
        entries[item["path"]] = Entry(blob, item.get("mode", "100644"))
    return 201, _tree(double, double.repository.tree(base, entries))


@route("GET", "/git/trees/(.+)", "contents")
def get_tree(double: Double, call: Call) -> Answer:
    """A tree, or that of a commit."""
    sha = double.repository.resolve(f"{call.args[0]}^{{tree}}")
    if sha is None:
        raise missing()
    return 200, _tree(double, sha, recursive="recursive" in call.request.query)


@route("POST", "/git/commits", "contents")
def create_commit(double: Double, call: Call) -> Answer:
    """Make a commit; GitHub signs it if the client names neither author nor committer."""
    body = call.body
    parents = body.get("parents", [])
    if not double.repository.has(body["tree"], "tree"):
        raise RefusalError(422, "Tree SHA does not exist")
    for parent in parents:
        _check_commit(double, parent)
    bot = {"name": call.who, "email": f"{call.who}@users.noreply.github.example"}
    author = body.get("author", bot)
    committer = body.get("committer", body.get("author", {"name": "GitHub", "email": "noreply@github.example"}))
    people = (Person(author["name"], author["email"]), Person(committer["name"], committer["email"]))
    sha = double.repository.commit(body["tree"], parents, body["message"], *people)
    if not {"author", "committer"} & set(body):
        double.verified.add(sha)
    return 201, replies.commit(double, sha)


@route("GET", "/git/commits/([0-9a-f]+)", "contents")
def get_commit(double: Double, call: Call) -> Answer:
    """A commit."""
    if not double.repository.has(call.args[0], "commit"):
        raise missing()
    return 200, replies.commit(double, call.args[0])


@route("GET", "/contents/(.*)", "contents")
def get_contents(double: Double, call: Call) -> Answer:
    """A file at a ref, or the list of a folder."""
    path, ref = call.args[0].strip("/"), call.request.query.get("ref", "main").removeprefix("refs/heads/")
    commit = double.repository.commit_of(ref)
    if commit is None:
        raise RefusalError(404, f"No commit found for the ref {ref}")
    content = double.repository.read(path, commit)
    if content is not None:
        encoded = base64.encodebytes(content).decode()
        return 200, {**_entry(double, path, ref, commit, "file"), "encoding": "base64", "content": encoded}
    if double.repository.resolve(f"{commit}:{path}") is None:
        raise missing()
    rows = double.repository.git("ls-tree", f"{commit}:{path}").splitlines()
    kinds = {row.split("\t")[1]: "dir" if row.split()[1] == "tree" else "file" for row in rows}
    return 200, [_entry(double, f"{path}/{name}".lstrip("/"), ref, commit, kind) for name, kind in kinds.items()]


def _entry(double: Double, path: str, ref: str, commit: str, kind: str) -> dict[str, Any]:
    own = f"{replies.api(double)}/contents/{path}?ref={ref}"
    page = f"{replies.html(double)}/{'tree' if kind == 'dir' else 'blob'}/{ref}/{path}"
    content = double.repository.read(path, commit)
    more = {"url": own, "git_url": None, "html_url": page, "download_url": None}
    links = {"self": own, "git": None, "html": page}
    sha = double.repository.resolve(f"{commit}:{path}")
    name = path.rpartition("/")[2]
    return {"type": kind, "size": len(content or b""), "name": name, "path": path, "sha": sha, **more, "_links": links}


def _tree(double: Double, sha: str, *, recursive: bool = False) -> dict[str, Any]:
    items = []
    for row in double.repository.git("ls-tree", *(["-r", "-t"] if recursive else []), sha).splitlines():
        meta, path = row.split("\t")
        mode, kind, name = meta.split()
        url = f"{replies.api(double)}/git/{kind}s/{name}"
        items.append({"path": path, "mode": mode, "type": kind, "sha": name, "url": url})
    return {"sha": sha, "url": f"{replies.api(double)}/git/trees/{sha}", "tree": items, "truncated": False}


def _check_commit(double: Double, sha: str) -> None:
    if not double.repository.has(sha, "commit"):
        raise RefusalError(422, "Object does not exist")


def _check_free(double: Double, name: str) -> None:
    if name.removeprefix("refs/heads/") in double.protected:
        raise RefusalError(422, "Cannot update this protected ref.")
