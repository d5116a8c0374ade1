"""Run Prism, which knows GitHub's description and refuses what is not in it, and read its objections."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

SECONDS = 60
TRIES = 3
ERRORS = 400  # statuses from here on


class Prism:
    """A validating proxy in a process of its own.

    Args:
        words: what starts it.
        description: the OpenAPI file to check by.
        upstream: the address of what it stands before.

    Raises:
        AssertionError: it does not start.
    """

    def __init__(self, words: list[str], description: Path, upstream: str) -> None:
        # It cannot say which free port it took, so it is given one; where another program was faster, again.
        for _ in range(TRIES):
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port: int = free.getsockname()[1]
            options = ["--host", "127.0.0.1", "--port", str(self.port), "--errors"]
            self.process = subprocess.Popen(
                [*words, "proxy", *options, str(description), upstream],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.said: list[bytes] = []
            if self._listens():
                return
            self.stop()
        said = b"".join(self.said).decode(errors="replace")
        raise AssertionError(f"Prism did not start within {SECONDS} seconds: {' '.join(words)}\n{said}")

    def stop(self) -> None:
        """End it and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join()

    def _listens(self) -> bool:
        """Wait for its word that it listens, or for its end; go on reading, else it would stop at a full pipe."""
        ready, ended = threading.Event(), threading.Event()

        def read() -> None:
            with self.process.stdout or contextlib.nullcontext() as lines:
                for line in lines or ():
                    if not ready.is_set():
                        self.said.append(line)
                    if b"listening on" in line:
                        ready.set()
            ended.set()
            ready.set()

        self.reader = threading.Thread(target=read, daemon=True)
        self.reader.start()
        return ready.wait(SECONDS) and not ended.is_set()


def objections(status: int, headers: dict[str, str], content: bytes) -> list[str]:
    """What Prism found wrong, as it told the client.

    An error's status is often missing in the description (401, 403 and 5xx go without saying): that is no objection.
    """
    if headers.get("content-type", "").startswith("application/problem+json"):
        problem = json.loads(content)
        listed = [f"{problem['title']}: {item['message']}" for item in problem.get("validation", [])]
        return listed or [f"{problem['title']}: {problem.get('detail', '')}"]
    items = json.loads(headers.get("sl-violations", "[]"))
    return [str(item["message"]) for item in items if item["severity"] == "Error" or status < ERRORS]
