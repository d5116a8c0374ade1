"""Commits through GitHub's API: without a clone or credentials on disk, and signed by GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.errors import UsageError

if TYPE_CHECKING:
    from github.GitCommit import GitCommit
    from github.GitRef import GitRef
    from github.Repository import Repository


def commit(repo: Repository, branch: str, files: Mapping[str, str], message: str) -> str:
    """Make `branch` one commit on top of the default branch that changes `files` (path to text), and return it.

    If it is that commit already, nothing changes.

    Raises:
        UsageError: the default branch already has this content.
    """
    from github import InputGitTreeElement

    parent = repo.get_git_commit(repo.get_git_ref(f"heads/{repo.default_branch}").object.sha)
    wanted = [InputGitTreeElement(path, "100644", "blob", content=text) for path, text in files.items()]
    tree = repo.create_git_tree(wanted, base_tree=parent.tree)
    if tree.sha == parent.tree.sha:
        raise UsageError(
            f"{repo.default_branch} already has what {branch} would change.",
            why="This candidate is already merged.",
            fix="If Production differs from what git declares, run the workflow promote by hand.",
        )
    ref = _ref(repo, f"heads/{branch}")
    if ref is not None and _is(repo.get_git_commit(ref.object.sha), tree.sha, parent.sha):
        return ref.object.sha
    # No author and no committer, because only then GitHub signs it.
    new = repo.create_git_commit(message, tree, [parent])
    if ref is None:
        repo.create_git_ref(f"refs/heads/{branch}", new.sha)
    else:
        ref.edit(new.sha, force=True)
    return new.sha


def tip(repo: Repository, branch: str) -> str | None:
    """Return the newest commit of a branch; None if there is no such branch."""
    ref = _ref(repo, f"heads/{branch}")
    return ref.object.sha if ref else None


def text_of(repo: Repository, path: str, at: str) -> str | None:
    """Return the text of a file at a branch or commit; None if it does not exist."""
    from github import UnknownObjectException

    try:
        content = repo.get_contents(path, ref=at)
    except UnknownObjectException:
        return None
    return None if isinstance(content, list) else content.decoded_content.decode("utf-8", errors="replace")


def _is(commit: GitCommit, tree: str, parent: str) -> bool:
    return commit.tree.sha == tree and [before.sha for before in commit.parents] == [parent]


def _ref(repo: Repository, name: str) -> GitRef | None:
    from github import UnknownObjectException

    try:
        ref = repo.get_git_ref(name)
        ref.complete()  # only this sends a request
    except UnknownObjectException:
        return None
    return ref
