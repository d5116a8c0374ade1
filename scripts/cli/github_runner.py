"""Outputs, summary and annotations of a GitHub runner, and protection against workflow commands in data."""

from __future__ import annotations

import io
import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from core.redaction import redact

if TYPE_CHECKING:
    from core.errors import MlopsError

MOST_SUMMARY = 1_000_000  # bytes per step; above 1 MiB GitHub shows nothing at all
CUT = "\n\n_The summary is cut here. See the log for the rest._\n"
FILE = re.compile(r"model/[a-z][a-z0-9_]*/(?:model\.toml|pipeline\.py|production\.json)")
COLOR = re.compile("\x1b\\[[0-9;]*m")
_guard: ContextVar[str | None] = ContextVar("guard", default=None)


def active() -> bool:
    """Return whether this is a step of a workflow run."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


@contextmanager
def disable_workflow_commands() -> Iterator[None]:
    """Disable workflow commands in everything that is printed inside, except those of this module.

    A runner executes every line that begins with `::`, also in an error text or a trace that quotes a row. All lines
    pass through `sanitize`, because libraries may print secrets and control characters.
    """
    if not active():
        yield
        return
    token = secrets.token_hex(16)
    _write(f"::stop-commands::{token}")
    before = _guard.set(token)
    out, err = Printed(sys.stdout), Printed(sys.stderr)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            yield
    finally:
        out.end()
        err.end()
        _guard.reset(before)
        _write(f"::{token}::")


class Printed(io.TextIOBase):
    """A stream that passes each complete line through `sanitize`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begun = ""

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Write the complete lines, and keep the rest until its line ends."""
        *lines, self._begun = re.split("\r\n|\r|\n", self._begun + text)
        self._stream.write("".join(f"{sanitize(line)}\n" for line in lines))
        return len(text)

    def flush(self) -> None:
        """Flush the complete lines. The rest must wait, because a secret may be cut in two."""
        self._stream.flush()

    def end(self) -> None:
        """Write what is left as a line of its own."""
        if self._begun:
            self.write("\n")
        self.flush()


def sanitize(line: str) -> str:
    """Return a line without secrets, colors and control characters."""
    plain = COLOR.sub("", redact(line))
    return "".join(c if c.isprintable() or c in "\t\u200b" else "\ufffd" for c in plain)


def command(name: str, message: str, **properties: str) -> None:
    """Send a workflow command to the runner, such as an annotation."""
    fields = ",".join(f"{key}={_escape(value, property_=True)}" for key, value in properties.items() if value)
    line = f"::{name}{' ' if fields else ''}{fields}::{_escape(message)}"
    token = _guard.get()
    sys.stderr.flush()
    _write(*((f"::{token}::", line, f"::stop-commands::{token}") if token else (line,)))


def annotate(err: MlopsError) -> None:
    """Annotate the run with an error, at the file of the model if the error names one."""
    text = "\n".join(filter(None, (err.what, err.why, err.fix)))
    file = FILE.search(text)
    command("error", text, title=redact(err.what)[:120], file=file[0] if file else "")


def warn(text: str) -> None:
    """Annotate the run with a warning."""
    command("warning", text)


@contextmanager
def group(title: str) -> Iterator[None]:
    """Fold what is printed inside under a title."""
    command("group", " ".join(title.split()))
    try:
        yield
    finally:
        command("endgroup", "")


def output(name: str, value: str) -> None:
    """Set an output of the step. Any text is safe, because it ends at a random delimiter."""
    path = os.environ.get("GITHUB_OUTPUT")
    if not active() or not path:
        return
    delimiter = f"end-{secrets.token_hex(16)}"
    with Path(path).open("a", encoding="utf-8", errors="replace") as file:
        file.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")


def summary(markdown: str) -> None:
    """Add Markdown to the page of the run. Beyond the limit it is cut after a line, with a note."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not active() or not path:
        return
    file = Path(path)
    room = MOST_SUMMARY - (file.stat().st_size if file.exists() else 0)
    data = f"{markdown.rstrip()}\n\n".encode(errors="replace")
    if len(data) > room:
        kept = data[: max(0, room - len(CUT))].decode(errors="ignore")
        data = (kept.rpartition("\n")[0] + CUT).encode() if room > len(CUT) else b""
    with file.open("ab") as page:
        page.write(data)


def _write(*lines: str) -> None:
    if isinstance(sys.stdout, Printed):
        sys.stdout.end()  # the runner recognizes a command only at the start of a line
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _escape(text: str, *, property_: bool = False) -> str:
    # Sanitized first, because the runner decodes these escapes before it shows the text.
    escaped = "%0A".join(sanitize(line).replace("%", "%25") for line in text.splitlines())
    return escaped.replace(":", "%3A").replace(",", "%2C") if property_ else escaped
