"""Choose where pull requests live and where people are told things: GitHub, or a bare git repository here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.hub import Hub
    from core.settings import Settings
    from review.forge import Forge
    from review.setup import Setup
    from review.threads import Threads


def open_forge(settings: Settings) -> Forge:
    """The forge of a repository; nothing is asked of it yet."""
    if settings.hub is not None:
        from review.api import Api
        from review.github import GitHubForge

        return GitHubForge(Api(settings.hub))
    from review.local import LocalForge

    return LocalForge(settings.forge)


def open_threads(hub: Hub) -> Threads:
    """The issues, comments and deployments of a repository on GitHub."""
    from review.api import Api
    from review.threads import Threads

    return Threads(Api(hub))


def open_setup(hub: Hub, environments: tuple[str, ...]) -> Setup:
    """How a repository on GitHub is set up."""
    from review.api import Api
    from review.setup import read

    return read(Api(hub), environments)
