"""Markdown for text from data: it stays text, without a cell, link, mention or tag of its own."""

from __future__ import annotations

import re
import unicodedata

# GitHub links names, numbers and addresses after it has undone every escape, and once more in e-mail replies, where
# code spans do not protect. Only a zero-width space inside them keeps them text. The same holds for the words in a
# commit message that skip workflows or name authors: title and body become one when a pull request is squashed.
JOINT = "\u200b"
LINKS = re.compile(
    r"(?<=@)|(?<=#)(?=\d)|(?<=gh-)(?=\d)|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=mailto:)|(?<=xmpp:)|(?<=:)(?=[a-z0-9_+-]+:)"
    r"|(?<=\[)(?=(?:skip ci|ci skip|no ci|skip actions|actions skip)\])|(?<=skip-checks)(?=\s*:)|(?<=-by)(?=\s*:)",
    re.IGNORECASE,
)
ESCAPES = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-_])")
SPECIAL = re.compile(r"([\\`*_{}\[\]<>&|~#@$!^=])")
BLOCK_START = re.compile(r"^([-+:]|\d{1,9}(?=[.)](?:\s|$)))")
ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9_.:/?&=%~#+-]{0,1000}")
# A number as pages show it. It is not Markdown anywhere, so it needs no escapes.
NUMBER = re.compile(r"[+\u2212]?\d[\d,]*(?:\.\d+)?")


def clean(text: object, most: int = 300) -> str:
    """Return one line of at most `most` visible characters, without control, direction-changing or terminal codes."""
    line = ESCAPES.sub("", str(text)[: 8 * most])
    line = "".join(c if _shown(c) else " " if c.isspace() or c == "\x85" else "\ufffd" for c in line)
    line = " ".join(line.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _shown(char: str) -> bool:
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def inert(text: object, most: int = 300) -> str:
    """Return one line for a title or a commit message: no Markdown there, but GitHub links names and obeys words."""
    return LINKS.sub(JOINT, clean(text, most))


def plain(text: object, most: int = 300) -> str:
    """Return text for a paragraph, a list item or a table cell that GitHub shows letter by letter."""
    line = inert(text, most)
    if NUMBER.fullmatch(line):
        return line
    line = SPECIAL.sub(r"\\\1", line)
    return BLOCK_START.sub(lambda match: "\\" + match[0] if not match[0].isdigit() else match[0] + JOINT, line)


def code(text: object, most: int = 80) -> str:
    """Return a name as a code span, or as plain text if a code span in a table cannot hold its characters."""
    line = inert(text, most)
    return f"`{line}`" if line and not re.search(r"[`|\\]", line) else plain(text, most)


def link(name: str, target: str | None) -> str:
    """Return a link; empty if the target is not a plain address, because it may hold a password."""
    return f"[{name}]({target})" if target and ADDRESS.fullmatch(target) else ""
