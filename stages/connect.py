"""Choose where pull requests live and where people are told things: GitHub, or a bare git repository here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.config import GitHubContext, Settings
    from review.forge import Forge
    from review.github import Setup, Threads


def open_forge(settings: Settings) -> Forge:
    """The forge of a repository; nothing is asked of it yet."""
    if settings.hub is not None:
        from review.github import Api, GitHubForge

        return GitHubForge(Api(settings.hub))
    from review.local import LocalForge

    return LocalForge(settings.forge)


def open_threads(hub: GitHubContext) -> Threads:
    """The issues, comments and deployments of a repository on GitHub."""
    from review.github import Api, Threads

    return Threads(Api(hub))


def open_setup(hub: GitHubContext, environments: tuple[str, ...]) -> Setup:
    """How a repository on GitHub is set up."""
    from review.github import Api, read

    return read(Api(hub), environments)
