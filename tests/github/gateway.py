"""Serve doubles on loopback behind Prism, which holds each request and each answer against GitHub's description.

A request goes client -> front -> Prism -> back -> double. The front keeps the record, breaks and kills on purpose, and
sees what Prism says to the client; the back only lets the double answer.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Self

from tests.github import tools
from tests.github.double import Double
from tests.github.prism import Prism
from tests.github.server import Back, Front, Handler
from tests.github.spec import Spec


class Gateway:
    """The servers of one test process; the double behind them changes from test to test.

    Args:
        folder: where the cut description is written.

    Raises:
        MissingError: Prism, node or GitHub's description is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self.double: Double | None = None
        words = tools.prism()
        self.spec = Spec(tools.description())
        self.back = self._server(Back)
        self.front = self._server(Front)
        file = self.spec.write(folder / "github.json")
        self.prism = Prism(words, file, f"http://127.0.0.1:{self.back.server_port}")

    @property
    def url(self) -> str:
        """The address that clients are given."""
        return f"http://127.0.0.1:{self.front.server_port}"

    def __enter__(self) -> Self:
        """Start to answer."""
        for server in (self.back, self.front):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them all."""
        for server in (self.back, self.front):
            server.shutdown()
            server.server_close()
        self.prism.stop()

    @contextlib.contextmanager
    def serving(self, double: Double) -> Iterator[Double]:
        """Let a double answer; whatever Prism objects to will stand in its `violations`."""
        double.spec, double.url = self.spec, self.url
        self.double = double
        try:
            yield double
        finally:
            self.double = None

    def _server(self, handler: type[Handler]) -> ThreadingHTTPServer:
        return Server(("127.0.0.1", 0), type(handler.__name__, (handler,), {"gateway": self}))


class Server(ThreadingHTTPServer):
    """Does not wait at its end for clients that keep their connection, and takes it well when one of them dies."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Complain about all but a connection that the client has left."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]
