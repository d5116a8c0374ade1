"""Find what README and docs tell their reader to type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "example" / "model" / "flights" / "README.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", EXAMPLE]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
PROGRAMS = (
    "mlops|make|git|gh|uvx?|pipx?|npm|docker|kubectl|psql|sudo|airflow|uvicorn|python3?|pytest|export|cd|mkdir|curl"
)
# What begins with a program and goes on: a word alone, such as `make`, is a name.
COMMAND = re.compile(rf"\.ci/run$|(?:[A-Z_]+=(?:\$\(.*?\)|\S+) )*(?:(?:{PROGRAMS}) \S|(?:source )?\.venv/bin/\w+ \S)")
# A comment behind a command: the shell would not run it either.
COMMENT = re.compile(r"\s+# .*$")


@dataclass(frozen=True)
class Shown:
    """A command that a page shows, and the lines of its output that it shows with it.

    Several commands joined by && are several. `block` is the line at which its block begins, 0 in a sentence or table.
    """

    page: str
    command: str
    output: tuple[str, ...] = ()
    block: int = 0


def shown(path: Path) -> list[Shown]:
    """The commands of a page, in its order."""
    page = path.relative_to(ROOT).as_posix()
    found: list[Shown] = []
    for token in MarkdownIt().enable("table").parse(path.read_text(encoding="utf-8")):
        if token.type == "fence":
            found += in_block(page, token)
        for child in token.children or ():
            text = " ".join(child.content.split())
            if child.type == "code_inline" and COMMAND.match(text):
                found += [Shown(page, part) for part in text.split(" && ")]
    return found


def in_block(page: str, block: Token) -> list[Shown]:
    """The commands of a block: what stands behind a prompt."""
    found: list[Shown] = []
    line = (block.map or [0])[0] + 1
    for typed in re.split(r"^\$ ", block.content, flags=re.MULTILINE)[1:]:
        cut = typed.index("\nEND\n") + 4 if "<<" in typed else typed.index("\n")
        output = tuple(line for line in typed[cut:].splitlines() if line not in {"", "..."})
        parts = [typed[:cut]] if "<<" in typed else COMMENT.sub("", typed[:cut]).split(" && ")
        found += [Shown(page, part, block=line) for part in parts[:-1]] + [Shown(page, parts[-1], output, line)]
    assert block.info == "console" or not found, f"{page}, line {line}: a block with a prompt is `console`"
    return found


def hidden(path: Path) -> list[str]:
    """Lines of a page's blocks that look like commands and stand behind no prompt, where `shown` sees none."""
    blocks = (token for token in MarkdownIt().parse(path.read_text(encoding="utf-8")) if token.type == "fence")
    return [line for block in blocks for line in block.content.splitlines() if COMMAND.match(line)]
