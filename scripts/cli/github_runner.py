"""Speak the language of a GitHub runner: outputs, summary, annotations, and no command that comes from data."""

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

MOST_SUMMARY = 1_000_000  # bytes a step; over 1 MiB GitHub shows nothing at all
CUT = "\n\n_The summary is cut here: the log has the rest._\n"
FILE = re.compile(r"model/[a-z][a-z0-9_]*/(?:model\.toml|pipeline\.py|production\.json)")
COLOUR = re.compile("\x1b\\[[0-9;]*m")
_guard: ContextVar[str | None] = ContextVar("guard", default=None)


def active() -> bool:
    """Whether this is a step of a workflow run."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


@contextmanager
def disable_workflow_commands() -> Iterator[None]:
    """Let nothing that is printed inside be taken for a command of the runner, but for our own.

    A runner obeys any line that begins with `::`, also one in an error text or a trace that quotes a row. What
    libraries print is made `sanitize` too: they know nothing of secrets and of terminals.
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
    """A stream for lines that anybody may read: each is made `sanitize` when it is whole."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begun = ""

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def write(self, text: str) -> int:
        """Keep `text` until its line ends."""
        *lines, self._begun = re.split("\r\n|\r|\n", self._begun + text)
        self._stream.write("".join(f"{sanitize(line)}\n" for line in lines))
        return len(text)

    def flush(self) -> None:
        """Hand on all whole lines; a secret may be in the middle of the others."""
        self._stream.flush()

    def end(self) -> None:
        """Hand on everything, on a line of its own."""
        if self._begun:
            self.write("\n")
        self.flush()


def sanitize(line: str) -> str:
    """A line without secrets, without colours, and without other characters that a terminal obeys."""
    plain = COLOUR.sub("", redact(line))
    return "".join(c if c.isprintable() or c in "\t\u200b" else "\ufffd" for c in plain)


def command(name: str, message: str, **properties: str) -> None:
    """Give the runner a command, such as an annotation."""
    told = ",".join(f"{key}={_escape(value, property_=True)}" for key, value in properties.items() if value)
    line = f"::{name}{' ' if told else ''}{told}::{_escape(message)}"
    token = _guard.get()
    sys.stderr.flush()
    _write(*((f"::{token}::", line, f"::stop-commands::{token}") if token else (line,)))


def annotate(err: MlopsError) -> None:
    """Mark the run with an error, on the file of the model that it is about where it names one."""
    text = "\n".join(filter(None, (err.what, err.why, err.fix)))
    found = FILE.search(text)
    command("error", text, title=redact(err.what)[:120], file=found[0] if found else "")


def warn(text: str) -> None:
    """Mark the run with a warning."""
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
    """Set an output of the step; any text is safe, because it ends at a mark that nobody can foresee."""
    path = os.environ.get("GITHUB_OUTPUT")
    if not active() or not path:
        return
    mark = f"end-{secrets.token_hex(16)}"
    with Path(path).open("a", encoding="utf-8", errors="replace") as file:
        file.write(f"{name}<<{mark}\n{value}\n{mark}\n")


def summary(markdown: str) -> None:
    """Add to the page of the run; past its limit it is cut at a line, and says so."""
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
        sys.stdout.end()  # a runner sees a command only at the start of a line
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _escape(text: str, *, property_: bool = False) -> str:
    # Made fit before: the runner undoes what is escaped here, and shows it.
    escaped = "%0A".join(sanitize(line).replace("%", "%25") for line in text.splitlines())
    return escaped.replace(":", "%3A").replace(",", "%2C") if property_ else escaped
