"""Commit files to a branch through GitHub's API: without a clone or credentials on disk, and signed by GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.errors import UsageError

if TYPE_CHECKING:
    from github.GitCommit import GitCommit
    from github.GitRef import GitRef
    from github.Repository import Repository


def commit(repo: Repository, branch: str, files: Mapping[str, str], message: str) -> str:
    """Make `branch` one commit on top of the default branch that changes `files` (path to text), and give that commit.

    Where it is that already, it is left alone: a second call changes nothing.

    Raises:
        UsageError: the default branch has this content already.
    """
    from github import InputGitTreeElement

    parent = repo.get_git_commit(repo.get_git_ref(f"heads/{repo.default_branch}").object.sha)
    wanted = [InputGitTreeElement(path, "100644", "blob", content=text) for path, text in files.items()]
    tree = repo.create_git_tree(wanted, base_tree=parent.tree)
    if tree.sha == parent.tree.sha:
        raise UsageError(
            f"{repo.default_branch} already has what {branch} would change.",
            why="This candidate was merged already.",
            fix="If Production is not what git declares, run the workflow promote by hand.",
        )
    ref = _ref(repo, f"heads/{branch}")
    if ref is not None and _is(repo.get_git_commit(ref.object.sha), tree.sha, parent.sha):
        return ref.object.sha
    # No author and no committer: only then does GitHub sign it.
    made = repo.create_git_commit(message, tree, [parent])
    if ref is None:
        repo.create_git_ref(f"refs/heads/{branch}", made.sha)
    else:
        ref.edit(made.sha, force=True)
    return made.sha


def tip(repo: Repository, branch: str) -> str | None:
    """The commit that a branch is at now; None where there is no such branch."""
    ref = _ref(repo, f"heads/{branch}")
    return ref.object.sha if ref else None


def text_of(repo: Repository, path: str, at: str) -> str | None:
    """The text of a file at a branch or commit; None where it is not."""
    from github import UnknownObjectException

    try:
        found = repo.get_contents(path, ref=at)
    except UnknownObjectException:
        return None
    return None if isinstance(found, list) else found.decoded_content.decode("utf-8", errors="replace")


def _is(made: GitCommit, tree: str, parent: str) -> bool:
    return made.tree.sha == tree and [one.sha for one in made.parents] == [parent]


def _ref(repo: Repository, name: str) -> GitRef | None:
    from github import UnknownObjectException

    try:
        found = repo.get_git_ref(name)
        found.complete()  # only this asks
    except UnknownObjectException:
        return None
    return found
