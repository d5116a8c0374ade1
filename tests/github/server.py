"""Speak HTTP for the gateway: the front takes what clients send, the back what Prism lets through."""

from __future__ import annotations

import http.client
import json
import traceback
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from tests.github.faults import Fault, next_fault, next_kill, slay
from tests.github.prism import objections
from tests.github.state import Request

if TYPE_CHECKING:
    from tests.github.double import Double
    from tests.github.gateway import Gateway

OWN = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "accept-encoding", "date", "server"}


class Handler(BaseHTTPRequestHandler):
    """What both have in common."""

    gateway: ClassVar[Gateway]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the small packets of an answer wait for each other

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def serve(self) -> None:
        """Take a request to the double."""
        self.content = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.gateway.double is None:
            self.reply(503, {}, b'{"message": "no test is served now"}')
            return
        self.answer(self.gateway.double)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve  # noqa: N815 - the base class finds them by name

    def answer(self, double: Double) -> None:
        """Answer it."""
        raise NotImplementedError

    def request_sent(self) -> Request:
        """The request as the double knows it."""
        url = urlsplit(self.path)
        try:
            body = json.loads(self.content) if self.content else None
        except ValueError:
            body = None  # Prism refuses it
        token = self.headers.get("authorization", "").rpartition(" ")[2]
        query = dict(parse_qsl(url.query))
        return Request(self.command, url.path, query, body, token, self.headers.get("user-agent", ""))

    def reply(self, status: int, headers: dict[str, str], content: bytes, *, cut: bool = False) -> None:
        """Send an answer, or only half of what it says it sends."""
        self.send_response(status)
        for name, value in {"content-type": "application/json; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        if status != http.HTTPStatus.NO_CONTENT:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = self.close_connection or cut


class Back(Handler):
    """Behind Prism: lets the double answer."""

    def answer(self, double: Double) -> None:
        """Answer; a mistake in the double is no answer of GitHub's, so it fails the test."""
        try:
            status, body = double.answer(self.request_sent())
        except Exception:  # noqa: BLE001 - whatever it is, the test must see it
            double.violations.append(f"the double broke on {self.command} {self.path}: {traceback.format_exc()}")
            status, body = 500, {"message": "the double broke"}
        self.reply(status, {}, b"" if body is None else json.dumps(body).encode())


class Front(Handler):
    """Before Prism: keeps the record, and lets things fail on purpose."""

    def answer(self, double: Double) -> None:
        """Answer with what Prism says, or with the fault whose turn it is."""
        request = self.request_sent()
        with double.lock:
            double.requests.append(request)
            fault, kill = next_fault(double, request), next_kill(double, request)
        if kill and kill.instead and not kill.after:
            kill.instead()
        elif kill and not kill.after:
            self._slay(double, request)
            return
        given: tuple[int, dict[str, str], bytes] | None = None
        if not fault or fault.after or fault.cut:
            given = self._ask_prism()
            double.violations += [f"{self.command} {self.path}: {text}" for text in objections(*given)]
        if kill and kill.instead and kill.after:
            kill.instead()
        if kill and not kill.instead:
            self._slay(double, request)
        elif fault:
            self._fail(fault, given)
        elif given:
            self.reply(*given)

    def _ask_prism(self) -> tuple[int, dict[str, str], bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OWN}
        prism = http.client.HTTPConnection("127.0.0.1", self.gateway.prism.port, timeout=60)
        try:
            prism.request(self.command, self.path, self.content or None, headers)
            answer = prism.getresponse()
            content = answer.read()
        finally:
            prism.close()
        kept = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in OWN}
        return answer.status, kept, content

    def _fail(self, fault: Fault, given: tuple[int, dict[str, str], bytes] | None) -> None:
        if fault.drop:
            self.close_connection = True
        elif fault.cut and given:
            self.reply(*given, cut=True)
        else:
            body: dict[str, Any] = {"message": fault.message, "documentation_url": "https://docs.github.com/rest"}
            self.reply(fault.status, fault.headers, json.dumps(body).encode())

    def _slay(self, double: Double, request: Request) -> None:
        self.close_connection = True
        try:
            slay(request.agent)
        except ValueError as err:
            double.violations.append(f"{request.method} {request.path} was to be the last one, but {err}")
