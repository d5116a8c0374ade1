"""Messages to chat or mail through Apprise, for teams that do not work with GitHub issues."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import ConfigError, OutsideError


def addresses(text: str) -> tuple[str, ...]:
    """Return the Apprise addresses in a value: separated by spaces or line ends."""
    return tuple(text.split())


def send(urls: Sequence[str], title: str, text: str) -> None:
    """Send a message to all addresses. They hold passwords, so no error repeats them.

    Args:
        urls: Apprise addresses, such as those of Slack, Teams or mail.
        title: one line.
        text: plain text.

    Raises:
        ConfigError: Apprise is not installed, or an address is not valid.
        OutsideError: at least one address did not accept the message.
    """
    try:
        import apprise
    except ImportError as err:
        raise ConfigError(
            "APPRISE_URLS is set, but the package apprise is not installed.",
            fix="Install the extra: pip install '.[notify]' (requirements.lock has it).",
        ) from err
    post = apprise.Apprise()
    invalid = [str(place) for place, url in enumerate(urls, start=1) if not post.add(url)]
    # One bad address does not keep the message from the others.
    sent = len(invalid) == len(urls) or post.notify(title=title, body=text, body_format=apprise.NotifyFormat.TEXT)
    if invalid:
        raise ConfigError(
            f"Address {', '.join(invalid)} of {len(urls)} in APPRISE_URLS is not a valid Apprise URL.",
            fix="Separate addresses with spaces; see the Apprise documentation for the format.",
        )
    if not sent:
        raise OutsideError(
            f"At least one of the {len(urls)} addresses in APPRISE_URLS did not accept the message.",
            why="The service is down, or its password or webhook changed.",
            fix="Test each address with the apprise command.",
        )
