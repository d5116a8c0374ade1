"""The repository that a command was started in: its root, its only model, and the commit that is checked out."""

from __future__ import annotations

from pathlib import Path

from core.errors import ConfigError, UsageError

ROOMS = ("core", "monitoring", "training", "registry", "stages")  # whose code makes a model
BEHIND_A_MODEL = (".py", "/model.toml")


def find_root(folder: Path) -> Path:
    """Return the repository: the nearest folder, from `folder` upwards, with a `model/NAME/model.toml`.

    Raises:
        UsageError: there is no such folder.
    """
    from core.config import model_names

    for place in (folder, *folder.parents):
        if model_names(place):
            return place
    raise UsageError(
        f"No model/NAME/model.toml here or above ({folder}).", fix="Run the command inside the repository."
    )


def only_model(root: Path) -> str:
    """Return the only model of the repository.

    Raises:
        UsageError: there are several.
    """
    from core.config import model_names

    names = model_names(root)
    if len(names) > 1:
        raise UsageError(f"There are several models: {', '.join(names)}.", fix="Name one with --model.")
    return names[0]


def head_commit(root: Path) -> str:
    """Return the commit that is checked out at `root`, as 40 hex digits; empty if `root` is not under git."""
    from review.local import Git

    git = Git(root)
    return git("rev-parse", "HEAD") if git.succeeds("rev-parse", "--verify", "--quiet", "HEAD") else ""


def head_author(root: Path) -> str:
    """Return who made the commit that is checked out at `root`; empty if `root` is not under git."""
    from review.local import Git

    return Git(root)("log", "-1", "--format=%an") if head_commit(root) else ""


def require_top_level(root: Path) -> None:
    """Make sure that the template is not in a subfolder of a git repository; without git nothing is checked.

    Raises:
        ConfigError: it is: pull requests name model/NAME/production.json from the top of the repository.
    """
    from review.local import Git

    git = Git(root)
    prefix = git("rev-parse", "--show-prefix").strip("/") if git.succeeds("rev-parse", "--git-dir") else ""
    if prefix:
        raise ConfigError(
            f"The template is in the subfolder {prefix} of a git repository, and not at its top.",
            why="Pull requests change model/NAME/production.json at the top of a repository, and GitHub reads "
            "workflows only there: a merge would promote nothing.",
            fix=f"Give it a repository of its own: git subtree split --prefix={prefix} -b template makes a branch. "
            "Push that to a new repository as main.",
        )


def uncommitted(root: Path, name: str) -> tuple[str, ...]:
    """Return the files behind a model that differ from the commit: its folder without production.json, and the code.

    Nothing without git.
    """
    from review.local import Git

    git = Git(root)
    if not git.succeeds("rev-parse", "--verify", "--quiet", "HEAD"):
        return ()
    paths = (f"model/{name}", *ROOMS)
    lines = git("status", "--porcelain", "--untracked-files=all", "--no-renames", "--", *paths).splitlines()
    files = (line[3:].strip('"') for line in lines)
    return tuple(sorted(file for file in files if file.endswith(BEHIND_A_MODEL)))
