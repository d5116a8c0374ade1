"""Send a few lines to chat or mail through Apprise, for teams that do not live in GitHub's issues."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import ConfigError, OutsideError


def addresses(text: str) -> tuple[str, ...]:
    """Apprise's addresses from one value: separated by blanks or line ends."""
    return tuple(text.split())


def send(urls: Sequence[str], title: str, text: str) -> None:
    """Send to all addresses. They hold passwords, so no message of ours repeats them.

    Args:
        urls: Apprise addresses, such as those of Slack, Teams or mail.
        title: one line.
        text: plain text.

    Raises:
        ConfigError: Apprise is not installed, or one of the addresses is none.
        OutsideError: at least one could not be reached.
    """
    try:
        import apprise
    except ImportError as err:
        raise ConfigError(
            "APPRISE_URLS is set, but the package apprise is not installed.",
            fix="Install the extra: pip install '.[notify]' (requirements.lock has it).",
        ) from err
    post = apprise.Apprise()
    wrong = [place for place, url in enumerate(urls, start=1) if not post.add(url)]
    if wrong:
        numbers = ", ".join(str(place) for place in wrong)
        raise ConfigError(
            f"Of the {len(urls)} addresses in APPRISE_URLS, number {numbers} is none that Apprise knows.",
            fix="Write them as Apprise's documentation says, separated by blanks.",
        )
    if not post.notify(title=title, body=text, body_format=apprise.NotifyFormat.TEXT):
        raise OutsideError(
            f"At least one of the {len(urls)} addresses in APPRISE_URLS did not take the message.",
            why="The service is down, or its password or hook was changed.",
            fix="Test them with the command apprise; the issue on GitHub says the same.",
        )
