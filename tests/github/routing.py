"""Lead a request to the function that answers it, and refuse it as GitHub would where the token may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.github.state import Request

if TYPE_CHECKING:
    from tests.github.double import Double

BODY_LIMIT = 65_536
TITLE_LIMIT = 256
LEVELS = ("none", "read", "write", "admin")
Answer = tuple[int, Any]


class RefusalError(Exception):
    """GitHub says no."""

    def __init__(self, status: int, message: str, /, **error: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(status),
        }
        if error:
            self.body["errors"] = [error]


def invalid(resource: str, message: str, /, **more: str) -> RefusalError:
    """A 422 as GitHub words it."""
    return RefusalError(422, "Validation Failed", resource=resource, code="custom", message=message, **more)


def missing() -> RefusalError:
    """A 404."""
    return RefusalError(404, "Not Found")


@dataclass(frozen=True)
class Call:
    """A request on its way: the parts of its path that vary, and who sent it."""

    request: Request
    args: tuple[str, ...]
    who: str
    granted: dict[str, str]

    @property
    def body(self) -> dict[str, Any]:
        """Its JSON object."""
        return self.request.body or {}

    def allow(self, *permissions: str) -> None:
        """Go on only if the token has one of these permissions, to write if the request writes."""
        level = LEVELS.index("write" if self.request.writes else "read")
        if permissions and all(LEVELS.index(self.granted.get(name, "none")) < level for name in permissions):
            raise RefusalError(403, "Resource not accessible by integration")

    def page(self, items: list[Any]) -> list[Any]:
        """The part of a list that is asked for."""
        size, number = int(self.request.query.get("per_page", "30")), int(self.request.query.get("page", "1"))
        return items[size * (number - 1) : size * number]


Handler = Callable[["Double", Call], Answer]
ROUTES: list[tuple[str, re.Pattern[str], tuple[str, ...], Handler]] = []


def route(method: str, path: str, *permissions: str) -> Callable[[Handler], Handler]:
    """Have a function answer `method` on `path` below the repository, for tokens with one of the permissions."""

    def register(handler: Handler) -> Handler:
        ROUTES.append((method, re.compile(path), permissions, handler))
        return handler

    return register


def answer(double: Double, request: Request) -> Answer:
    """What the double says to a request."""
    try:
        return _find(double, request)
    except RefusalError as refused:
        return refused.status, refused.body


def _find(double: Double, request: Request) -> Answer:
    granted = double.tokens.get(request.token)
    if granted is None:
        raise RefusalError(401, "Bad credentials")
    root = f"/repos/{double.name}"
    if not request.path.startswith(root):
        raise missing()
    rest = request.path.removeprefix(root)
    for method, path, permissions, handler in ROUTES:
        match = path.fullmatch(rest)
        if match and method == request.method:
            call = Call(request, tuple(map(unquote, match.groups())), double.bot(request.token), granted)
            call.allow(*permissions)
            return handler(double, call)
    raise missing()


def check_text(resource: str, body: dict[str, Any]) -> None:
    """Refuse a title or a text that is longer than GitHub takes."""
    for name, limit in (("title", TITLE_LIMIT), ("body", BODY_LIMIT)):
        if len(body.get(name) or "") > limit:
            raise invalid(resource, f"{name} is too long (maximum is {limit} characters)", field=name)
