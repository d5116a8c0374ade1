from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from core.errors import ConfigError, OutsideError
from review.alerts.apprise import addresses, send

# Apprise looks for the old module imghdr when it loads its plugin for mail.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Chat(HTTPServer):
    """A chat service on loopback: what it was told, and the status it answers with."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Post)
        self.told: list[dict[str, Any]] = []
        self.status = 200

    @property
    def address(self) -> str:
        """Where Apprise posts to."""
        return f"json://hook:hidden-password@127.0.0.1:{self.server_port}/room"


class Post(BaseHTTPRequestHandler):
    """Takes a message."""

    server: Chat

    def do_POST(self) -> None:
        """Keep it, and answer."""
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def chat() -> Iterator[Chat]:
    """The service, running."""
    with Chat() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_addresses_stand_on_lines_or_between_blanks() -> None:
    """One secret holds any number of addresses, and none where it is empty."""
    assert ("json://a", "json://b", "json://c") == addresses(" json://a json://b\n\tjson://c\n")
    assert () == addresses(" \n")


def test_a_message_arrives_at_each_address(chat: Chat) -> None:
    """Title and text come as they were given, Markdown and HTML as letters."""
    send([chat.address, f"{chat.address}2"], "flights: pull failed", "It *broke*: <b>x</b>")

    assert 2 == len(chat.told)
    assert {("flights: pull failed", "It *broke*: <b>x</b>")} == {(one["title"], one["message"]) for one in chat.told}


def test_a_refusal_does_not_repeat_the_address(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    """What did not take the message is counted, not named: its address holds a password."""
    chat.status = 500
    with pytest.raises(OutsideError, match="At least one of the 1 addresses") as caught:
        send([chat.address], "title", "text")

    assert "hidden-password" not in f"{caught.value} {caught.value.why} {caught.value.fix} {caplog.text}"


def test_a_wrong_address_is_told_by_its_place(chat: Chat) -> None:
    """An address that Apprise does not know is named by its number; the others get the message."""
    with pytest.raises(ConfigError, match="Address 2 of 2 in APPRISE_URLS is not a valid Apprise URL") as caught:
        send([chat.address, "nonsense://hidden-password"], "title", "text")

    assert "hidden-password" not in f"{caught.value} {caught.value.fix}"
    assert ["text"] == [one["message"] for one in chat.told]
