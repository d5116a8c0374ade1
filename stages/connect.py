"""The choice of forge: GitHub, or a bare git repository on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.config import GitHubContext, Settings
    from review.forge import Forge
    from review.github import Setup, Threads


def open_forge(settings: Settings) -> Forge:
    """Return the forge of a repository. No request is made yet."""
    if settings.hub is not None:
        from review.github import Api, GitHubForge

        return GitHubForge(Api(settings.hub))
    from review.local import LocalForge

    return LocalForge(settings.forge)


def open_threads(hub: GitHubContext) -> Threads:
    """Return the issues, comments and deployments of a repository on GitHub."""
    from review.github import Api, Threads

    return Threads(Api(hub))


def open_setup(hub: GitHubContext, environments: tuple[str, ...]) -> Setup:
    """Return how a repository on GitHub is set up."""
    from review.github import Api, read

    return read(Api(hub), environments)
