"""Let the network and GitHub fail on purpose, and kill a client at an exact request."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.github.state import Request

if TYPE_CHECKING:
    from tests.github.double import Double


@dataclass
class Fault:
    """What goes wrong with the next `times` requests that match.

    `path` is a regular expression searched for in the path; `after` lets the request take effect first.
    Then the client gets `status` with `headers` and `message`; or no answer (`drop`); or half of the answer (`cut`).
    """

    method: str = ".*"
    path: str = ""
    times: int = 1
    after: bool = False
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "Server Error"
    drop: bool = False
    cut: bool = False

    def matches(self, request: Request) -> bool:
        """Whether it is this request's turn."""
        return bool(self.times and re.fullmatch(self.method, request.method) and re.search(self.path, request.path))


@dataclass(frozen=True)
class Kill:
    """The write request, counted from the double's first, whose sender dies; or waits while something else is done."""

    number: int
    after: bool
    instead: Callable[[], object] | None = None


def next_fault(double: Double, request: Request) -> Fault | None:
    """The fault of a request, used up by asking."""
    with double.lock:
        fault = next((fault for fault in double.faults if fault.matches(request)), None)
        if fault:
            fault.times -= 1
        return fault


def next_kill(double: Double, request: Request) -> Kill | None:
    """The kill whose turn it is with this request, used up by asking."""
    with double.lock:
        if double.kill is None or not request.writes or double.writes != double.kill.number:
            return None
        kill, double.kill = double.kill, None
        return kill


def slay(agent: str) -> None:
    """Kill the client that says `pid/1234`.

    Raises:
        ValueError: it does not say so, or that process is not a child of this one.
    """
    found = re.search(r"\bpid/(\d+)\b", agent)
    if not found:
        raise ValueError(f"the client does not tell its process id: its User-Agent is {agent!r}, without pid/1234")
    pid = int(found[1])
    if not _is_below(pid, os.getpid()):
        raise ValueError(f"process {pid} is not a child of the test ({os.getpid()}), so it is not killed")
    os.kill(pid, signal.SIGKILL)


def _is_below(pid: int, ancestor: int) -> bool:
    while pid > 1 and pid != ancestor:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return False
        child, pid = pid, int(stat.rpartition(")")[2].split()[1])
        if pid == ancestor and child != ancestor:
            return True
    return False
