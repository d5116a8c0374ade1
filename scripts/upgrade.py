"""The command `mlops upgrade`: merge the newest template, also into a repository made without its history."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import ConfigError, UsageError
from scripts.cli import options, output
from stages.repository import find_root

if TYPE_CHECKING:
    from review.local import Git

EXAMPLE = "model/flights/"
JOIN = "Join the history of the template"


def upgrade(
    check: Annotated[
        bool, typer.Option("--check", help="Only list what would change and which files conflict.")
    ] = False,
    upstream: Annotated[str, typer.Option(help="Remote and branch of the template.")] = "upstream/main",
    json: options.Json = False,
    out: options.Out = None,
) -> None:
    """Merge the newest template into this repository. You check the result and commit it.

    Example: mlops upgrade --check
    """
    result = run(find_root(Path.cwd()), upstream, check=check)
    output.show(result, lines(result), as_json=json, out=out)
    if result["conflicts"]:
        raise typer.Exit(2)


def run(root: Path, upstream: str, *, check: bool) -> dict[str, Any]:
    """Merge the template unless a file conflicts, and return its new commits, changed files and conflicts.

    With a conflict nothing is merged and the repository stays unchanged.

    Raises:
        UsageError: there are uncommitted changes.
        ConfigError: the remote does not exist, or the repository was not made from this template.
    """
    from review.local import Git

    git = Git(root)
    if git("status", "--porcelain"):
        raise UsageError(
            "There are changes that are not committed.", fix="Commit or stash them, then run mlops upgrade again."
        )
    remote, _, branch = upstream.partition("/")
    if not git.succeeds("remote", "get-url", remote):
        raise ConfigError(
            f"There is no remote {remote!r}.",
            why="mlops upgrade fetches the template from it.",
            fix=f"Type: git remote add {remote} https://github.com/OWNER/retraining-template",
        )
    git("fetch", "--quiet", remote, branch)
    new = git("rev-parse", "FETCH_HEAD")
    base = common(git, new)
    commits = git("log", "--format=%h %s", f"{base}..{new}", f"^{base}").splitlines()
    files = git("diff", "--name-only", base, new).splitlines()
    conflicts = trial(git, base, new)
    merged = bool(commits) and not conflicts and not check
    if merged:
        join(git, base)
        merge(git, new)
    return {"commits": commits, "files": files, "conflicts": conflicts, "merged": merged}


def common(git: Git, new: str) -> str:
    """Return the newest commit of the template that is contained in this repository.

    A repository made with "Use this template" has a first commit of its own, with the files of a commit of the
    template.
    """
    if git.succeeds("merge-base", "HEAD", new):
        return git("merge-base", "HEAD", new)
    first = {git("rev-parse", f"{commit}^{{tree}}") for commit in git("rev-list", "--max-parents=0", "HEAD").split()}
    for line in git("log", "--format=%H %T", new).splitlines():
        commit, tree = line.split()
        if tree in first:
            return commit
    raise ConfigError(
        "This repository shares no commit with the template, and its first commit matches no commit of the template.",
        why="Files were changed before the first commit, or the remote is another template.",
        fix="Find the commit of the template that you copied, and join it once: "
        "git merge --strategy ours --allow-unrelated-histories COMMIT",
    )


def trial(git: Git, base: str, new: str) -> list[str]:
    """Return the files that conflict in a trial merge, which is made in a temporary folder."""
    from review.local import Git

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "trial"
        git("worktree", "add", "--quiet", "--detach", str(place), "HEAD")
        try:
            copy = Git(place)
            join(copy, base)
            return merge(copy, new)
        finally:
            git("worktree", "remove", "--force", str(place))


def join(git: Git, base: str) -> None:
    """Record in git that this repository contains `base`, if git does not know it; no file changes."""
    if not git.succeeds("merge-base", "HEAD", base):
        git("merge", "--quiet", "--strategy", "ours", "--allow-unrelated-histories", "-m", JOIN, base)


def merge(git: Git, new: str) -> list[str]:
    """Merge without a commit, and return the files that conflict. A deleted example stays deleted.

    Git must not look for renames, or a model folder that was copied from the example would get its changes. (The
    strategy is named because the newer one of git looks for renames in spite of the option, up to git 2.49.)
    """
    how = ("--strategy", "recursive", "--strategy-option", "no-renames")
    git.succeeds("merge", "--quiet", "--no-commit", "--no-ff", *how, new)
    if not git("ls-tree", "--name-only", "HEAD", EXAMPLE):
        git("rm", "-r", "--quiet", "--force", "--ignore-unmatch", EXAMPLE)
    return git("diff", "--name-only", "--diff-filter=U").splitlines()


def lines(result: dict[str, Any]) -> list[str]:
    """Return the result as text."""
    if not result["commits"]:
        return ["nothing new in the template"]
    head = f"the template has {len(result['commits'])} new commits, which change {len(result['files'])} files"
    commits = [f"  {output.clean(commit)}" for commit in result["commits"][:20]]
    if result["conflicts"]:
        end = [f"  [yellow]conflict[/] {output.clean(name)}" for name in result["conflicts"]]
        end.append("You and the template changed these files: move your change, or merge by hand (docs/upgrading.md).")
    elif result["merged"]:
        end = ["merged, not committed. Next: make setup && make test && mlops doctor, then git commit"]
    else:
        end = ["no conflicts: mlops upgrade merges it"]
    return [head, *commits, *end]
