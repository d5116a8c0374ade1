"""Put text that comes from data into Markdown so that it stays text: no cell, link, mention or tag of its own."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

# GitHub links names, numbers and addresses after it has undone every escape, and once more in e-mail replies, where
# code spans do not protect. A space without width inside them is what keeps them text.
JOINT = "\u200b"
LINKS = re.compile(
    r"(?<=@)|(?<=#)(?=\d)|(?<=gh-)(?=\d)|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=mailto:)|(?<=xmpp:)|(?<=:)(?=[a-z0-9_+-]+:)",
    re.IGNORECASE,
)
ESCAPES = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-_])")
SPECIAL = re.compile(r"([\\`*_{}\[\]<>&|~#@$!^=])")
BLOCK_START = re.compile(r"^([-+:]|\d{1,9}(?=[.)](?:\s|$)))")
Align = Literal["left", "right"]


def clean(text: object, most: int = 300) -> str:
    """One line of at most `most` visible characters, without control, direction-changing or terminal codes."""
    line = ESCAPES.sub("", str(text)[: 8 * most])
    line = "".join(c if _shown(c) else " " if c.isspace() or c == "\x85" else "\ufffd" for c in line)
    line = " ".join(line.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _shown(char: str) -> bool:
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def inert(text: object, most: int = 300) -> str:
    """One line for where there is no Markdown: a title, a commit message, in which GitHub links and obeys words too."""
    return LINKS.sub(JOINT, clean(text, most))


def plain(text: object, most: int = 300) -> str:
    """Text for a paragraph, a list item or a table cell that GitHub shows letter by letter."""
    line = inert(text, most)
    line = SPECIAL.sub(r"\\\1", line)
    return BLOCK_START.sub(lambda match: "\\" + match[0] if not match[0].isdigit() else match[0] + JOINT, line)


def code(text: object, most: int = 80) -> str:
    """A name as a code span; as plain text where it has characters that a code span in a table cannot hold."""
    line = inert(text, most)
    return f"`{line}`" if line and not re.search(r"[`|\\]", line) else plain(text, most)


def table(columns: Sequence[tuple[str, Align]], rows: Iterable[Sequence[str]], most: int = 20) -> str:
    """A table of cells that are Markdown already (`plain`, `code`, numbers); past `most` rows it says how many more."""
    lines = [
        _row([name for name, _ in columns]),
        _row(["---:" if align == "right" else ":---" for _, align in columns]),
    ]
    cells = list(rows)
    lines += [_row(row) for row in cells[:most]]
    more = [f"\n_and {len(cells) - most} more_"] if len(cells) > most else []
    return "\n".join([*lines, *more])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def folded(summary: str, body: str) -> str:
    """A part that is closed until the reader opens it. `summary` is our own text, without markup."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def number(value: float | None, digits: int = 3) -> str:
    """A number for a reader: three digits after the point, thin gaps, a real minus sign, a dash for none."""
    if value is None or not math.isfinite(value):
        return "\u2013"
    text = f"{value:,.{digits}f}".replace(",", "\u202f")
    return text.replace("-", "\u2212" if re.search("[1-9]", text) else "")


def signed(value: float | None, digits: int = 3) -> str:
    """A difference: like `number`, with its sign also where it is positive."""
    text = number(value, digits)
    return f"+{text}" if value is not None and value > 0 and re.search("[1-9]", text) else text


def bar(value: float, most: float, width: int = 10) -> str:
    """A bar of block letters, `width` cells long at `most`."""
    share = min(max(value / most, 0.0), 1.0) if most > 0 else 0.0
    eighths = round(share * width * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip() if eighths else "▏"


def columns(*names: str) -> list[tuple[str, Align]]:
    """Columns for `table`; a name that ends in > is right-aligned."""
    return [(name.removesuffix(">"), "right" if name.endswith(">") else "left") for name in names]


def section(heading: str, *parts: str) -> str:
    """A part of a text under its heading; empty parts are left out."""
    return "\n\n".join([f"## {heading}", *filter(None, parts)])
