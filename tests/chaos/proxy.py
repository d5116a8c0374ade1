"""Stand between a client and a server on loopback, and spoil chosen exchanges as networks and servers do."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Fault:
    """What goes wrong, with the requests from number `first` on (from 1), as often as `times` says.

    `only` leaves alone the requests that do not have it in their path.

    `kind`: "status" (with `status`, `headers`, `body`), "reset" in mid-reply, "cut" (half of the reply, then the end),
    "garbled" (half of the JSON, as if it were all), "silent" (no reply at all), "refused". With `after` the request
    takes effect first, so that only its answer is lost.
    """

    kind: str
    first: int = 1
    times: int = 10**6
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"<html>not the server you asked for</html>"
    only: str = ""
    after: bool = True


LONGEST = 30.0  # seconds that a command may take with a server that fails, where it pauses for nothing
LASTING = {
    "refused": Fault("refused"),
    "reset in mid-reply": Fault("reset"),
    "cut off": Fault("cut"),
    "half a JSON": Fault("garbled"),
    "no reply": Fault("silent"),
    "500": Fault("status", status=500, after=False),
    "500 although done": Fault("status", status=500),
    "502": Fault("status", status=502),
    "503": Fault("status", status=503, after=False),
    "429 for an hour": Fault("status", status=429, headers={"Retry-After": "3600"}, after=False),
    "401": Fault("status", status=401, after=False),
    "200 of a login page": Fault("status", status=200, after=False),
}
# MLflow's client gives up at once where a reply has begun and breaks off: that is a lasting outage to us.
PASSING = ("refused", "500", "502", "503", "429 for an hour", "no reply")


@dataclass
class Reply:
    """An answer of the server."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Proxy:
    """The proxy. `requests` are those of the test so far, as method and path."""

    def __init__(self, port: int) -> None:
        self.upstream = port
        self.fault: Fault | None = None
        self.requests: list[str] = []
        self.over = threading.Event()
        self.lock = threading.Lock()
        proxy = self

        class Handler(_Handler):
            pass

        Handler.proxy = proxy
        self.server = _Threads(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def begin(self, fault: Fault | None) -> None:
        """Forget what was, and spoil what comes."""
        with self.lock:
            self.requests, self.fault = [], fault

    def turn(self, request: str) -> Fault | None:
        """The fault of a request."""
        with self.lock:
            self.requests.append(request)
            fault, number = self.fault, len(self.requests)
            turn = fault and fault.first <= number < fault.first + fault.times and fault.only in request
            return fault if turn else None

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Let the server answer."""
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=60)
        try:
            upstream.request(method, path, body, headers)
            answer = upstream.getresponse()
            return Reply(answer.status, answer.getheaders(), answer.read())
        finally:
            upstream.close()

    def __enter__(self) -> Self:
        """Start to answer."""
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: connections that break are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _exchange(self) -> None:
        fault = self.proxy.turn(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        reply = None
        if fault is None or (fault.after and fault.kind != "refused"):
            reply = self.proxy.ask(self.command, self.path, headers, body)
        self._answer(fault, reply or Reply(200, [], b'{"error_code": "lost", "message": "lost"}'))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _exchange  # noqa: N815

    def _answer(self, fault: Fault | None, reply: Reply) -> None:
        kind = fault.kind if fault else ""
        if fault and kind == "status":
            reply = Reply(fault.status, list(fault.headers.items()), fault.body)
        if kind == "silent":
            self.proxy.over.wait(30)
        if kind in {"silent", "refused"}:
            self._reset()
            return
        body = reply.body[: len(reply.body) // 2] if kind == "garbled" else reply.body
        self.send_response(reply.status)
        for name, value in reply.headers:
            if name.lower() not in {*HOP, "server", "date"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if kind in {"reset", "cut"} else body)
        if kind == "reset":
            self._reset()
        if kind == "cut":
            self.close_connection = True

    def _reset(self) -> None:
        """Break the connection off with RST."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RD)
        self.close_connection = True
        self.connection.close()
