"""The page of a pull request of the local forge, as on GitHub: one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from review.forge import BOT
from review.text import template

if TYPE_CHECKING:
    from markupsafe import Markup

    from review.forge import Proposal

# Raw HTML is off except for this one construct. Escaped data holds no "<", so data cannot form one.
FOLDED = re.compile(r"^<details>\n<summary>([^<>&\n]*)</summary>\n\n(.*?)\n\n</details>$", re.MULTILINE | re.DOTALL)
HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
KINDS = {"+": "added", "-": "removed", " ": "same", "@": "hunk"}


@dataclass
class DiffLine:
    """A line of a change, numbered as in the new file; a removed line as in the old one."""

    kind: str
    number: int | None
    text: str


@dataclass
class Change:
    """The changed lines of one file."""

    path: str
    lines: list[DiffLine] = field(default_factory=list)

    @property
    def added(self) -> int:
        """Return the number of new lines."""
        return sum(line.kind == "added" for line in self.lines)

    @property
    def removed(self) -> int:
        """Return the number of removed lines."""
        return sum(line.kind == "removed" for line in self.lines)


def render_pull_request(proposal: Proposal, diff: str) -> str:
    """Return the page.

    Args:
        proposal: the pull request.
        diff: what `git diff` prints for it.
    """
    page = template.html("review.pages", "page.html.jinja")
    return str(page.render(proposal=proposal, bot=BOT, text=to_html(proposal.body), files=list(changes(diff))))


def to_html(text: str) -> Markup:
    """Return Markdown as HTML: tables scroll, raw HTML is off except for folded parts, no pictures are loaded."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup, escape

    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    reader.add_render_rule("table_open", _table_open)
    reader.add_render_rule("table_close", _table_close)
    pieces, end = [], 0
    for part in FOLDED.finditer(text):
        pieces.append(reader.render(text[end : part.start()]))
        inner = reader.render(part[2])
        pieces.append(f"<details>\n<summary>{escape(part[1])}</summary>\n{inner}</details>\n")
        end = part.end()
    pieces.append(reader.render(text[end:]))
    return Markup("".join(pieces))  # noqa: S704 - written by a renderer that has raw HTML off


def _table_open(*_: Any) -> str:
    return '<div class="scroll" tabindex="0"><table>\n'


def _table_close(*_: Any) -> str:
    return "</table></div>\n"


def changes(diff: str) -> Iterator[Change]:
    """Return what `git diff` printed, file by file."""
    for part in re.split(r"^diff --git .*\n", diff, flags=re.MULTILINE)[1:]:
        lines = part.rstrip("\n").split("\n")
        names = [line[6:] for line in lines if line.startswith(("--- a/", "+++ b/"))]
        start = next((i for i, line in enumerate(lines) if line.startswith("@@")), len(lines))
        yield Change(names[-1] if names else "a file", list(_numbered(lines[start:])))


def _numbered(lines: Sequence[str]) -> Iterator[DiffLine]:
    old = new = 0
    for line in lines:
        kind = KINDS.get(line[:1], "note")
        if hunk := HUNK.match(line):
            old, new = int(hunk[1]), int(hunk[2])
            yield DiffLine("hunk", None, line)
            continue
        number = old if kind == "removed" else new if kind in {"added", "same"} else None
        yield DiffLine(kind, number, line)
        old += kind in {"removed", "same"}
        new += kind in {"added", "same"}
