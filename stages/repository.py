"""The repository that a command was started in: its root, its only model, and the commit that is checked out."""

from __future__ import annotations

from pathlib import Path

from core.errors import UsageError


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
