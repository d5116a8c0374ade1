"""Take over what is new in the template, also where a repository was made from it without its history."""

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
    check: Annotated[bool, typer.Option("--check", help="Only say what would change and what is in the way.")] = False,
    upstream: Annotated[str, typer.Option(help="Remote and branch of the template.")] = "upstream/main",
    json: options.Json = False,
    out: options.Out = None,
) -> None:
    """Merge the newest template into this repository, and leave the result to be looked at and committed.

    Example: mlops upgrade --check
    """
    result = run(find_root(Path.cwd()), upstream, check=check)
    output.show(result, lines(result), as_json=json, out=out)
    if result["conflicts"]:
        raise typer.Exit(2)


def run(root: Path, upstream: str, *, check: bool) -> dict[str, Any]:
    """What is new, the files that were changed here and upstream in the same place, and whether it was merged.

    Nothing is merged where there is such a file: the repository stays as it was.

    Raises:
        UsageError: there are changes that are not committed.
        ConfigError: no such remote, or the repository was not made from this template.
    """
    from review.local import Git

    git = Git(root)
    if git("status", "--porcelain"):
        raise UsageError("There are changes that are not committed.", fix="Commit them, or `git stash`, then again.")
    remote, _, branch = upstream.partition("/")
    if not git.answers("remote", "get-url", remote):
        raise ConfigError(
            f"There is no remote {remote!r}.",
            why="It tells where the template comes from.",
            fix=f"Type: git remote add {remote} https://github.com/OWNER/retraining-template",
        )
    git("fetch", "--quiet", remote, branch)
    new = git("rev-parse", "FETCH_HEAD")
    base = common(git, new)
    commits = git("log", "--format=%h %s", f"{base}..{new}", f"^{base}").splitlines()
    files = git("diff", "--name-only", base, new).splitlines()
    conflicts = tried(git, base, new)
    merged = bool(commits) and not conflicts and not check
    if merged:
        join(git, base)
        merge(git, new)
    return {"commits": commits, "files": files, "conflicts": conflicts, "merged": merged}


def common(git: Git, new: str) -> str:
    """The commit of the template that this repository stands on.

    A repository made with "Use this template" begins with a commit of its own that has the files of one of the
    template's.
    """
    if git.answers("merge-base", "HEAD", new):
        return git("merge-base", "HEAD", new)
    first = {git("rev-parse", f"{commit}^{{tree}}") for commit in git("rev-list", "--max-parents=0", "HEAD").split()}
    for line in git("log", "--format=%H %T", new).splitlines():
        commit, tree = line.split()
        if tree in first:
            return commit
    raise ConfigError(
        "This repository shares no commit with the template, and does not begin with the files of one.",
        why="Files were changed before the first commit, or the remote is another template.",
        fix="Find the commit of the template that you copied, and join it once: "
        "git merge --strategy ours --allow-unrelated-histories COMMIT",
    )


def tried(git: Git, base: str, new: str) -> list[str]:
    """The files in the way of a merge, which is tried in a folder of its own."""
    from review.local import Git

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "trial"
        git("worktree", "add", "--quiet", "--detach", str(place), "HEAD")
        try:
            trial = Git(place)
            join(trial, base)
            return merge(trial, new)
        finally:
            git("worktree", "remove", "--force", str(place))


def join(git: Git, base: str) -> None:
    """Note that this repository stands on `base`, if git does not know it; no file changes."""
    if not git.answers("merge-base", "HEAD", base):
        git("merge", "--quiet", "--strategy", "ours", "--allow-unrelated-histories", "-m", JOIN, base)


def merge(git: Git, new: str) -> list[str]:
    """Merge without a commit; the files that conflict. The example that was deleted here stays deleted.

    Git must not look for renames: a model folder that began as a copy of the example would get the example's changes.
    (The strategy is named because git's newer one looks for them all the same, up to git 2.49.)
    """
    how = ("--strategy", "recursive", "--strategy-option", "no-renames")
    git.answers("merge", "--quiet", "--no-commit", "--no-ff", *how, new)
    if not git("ls-tree", "--name-only", "HEAD", EXAMPLE):
        git("rm", "-r", "--quiet", "--force", "--ignore-unmatch", EXAMPLE)
    return git("diff", "--name-only", "--diff-filter=U").splitlines()


def lines(result: dict[str, Any]) -> list[str]:
    """The result for a person."""
    if not result["commits"]:
        return ["nothing new in the template"]
    head = f"{len(result['commits'])} commits, {len(result['files'])} files are new in the template"
    news = [f"  {output.clean(commit)}" for commit in result["commits"][:20]]
    if result["conflicts"]:
        end = [f"  [yellow]in the way[/] {output.clean(name)}" for name in result["conflicts"]]
        end.append("These were changed here and there: move your change, or merge by hand (docs/upgrading.md).")
    elif result["merged"]:
        end = ["merged, not committed: make setup && make test && mlops doctor, then git commit"]
    else:
        end = ["nothing is in the way: mlops upgrade merges it"]
    return [head, *news, *end]
