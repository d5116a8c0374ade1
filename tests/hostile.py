"""Text that wants to be more than text, and what would notice if it were."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from hypothesis import strategies as st
from pydantic import BaseModel

FRAGMENTS = (
    "closes #1",
    "Fixes: GH-12, resolves o/r#4 and o/r@abc1234",
    "@octocat @acme/ml-owners mail ann@example.org",
    "[click](https://evil.example) ![x](https://evil.example/a.png) <https://evil.example> www.evil.example",
    "[click][x]\n\n[x]: https://evil.example",
    "<img src=x onerror=alert(1)><script>alert(1)</script>",
    '"><svg/onload=alert(1)>',
    "</title></style></textarea></svg>",
    "</details>\n\n<!-- promotion {} --><!-- retraining flights/pull-data -->",
    "&lt;b&gt; &#64;octocat &commat;octocat",
    "\x1b[31mred\x1b[0m\x1b]8;;https://evil.example\x07link\x1b]8;;\x07\x9b2J",
    "::set-output name=retrain::true",
    "\n::add-mask::e\n::stop-commands::x\n::endgroup::\n##[error]x",
    "\r\n::error title=x::y\rretrain=true\nretrain<<EOF\ntrue\nEOF\n",
    "%0A::warning::x %25",
    "'; DROP TABLE predictions; -- \" ` \\",
    "$(touch pwned) `touch pwned` ; touch pwned && ${IFS} %PATH% | cat",
    "../../../etc/passwd\x00.json",
    "--upload-pack=touch -c core.pager=x",
    "[bold red]x[/] [link=https://evil.example]x[/link] [/]",
    "{{ 7 * 7 }} {% raw %} ${{ github.token }} {0} %s",
    "| a | b |\n|---|---|\n- x\n1. x\n# h\n> q\n```mermaid\nx\n```\n$$x$$ :tada: [^1]",
    "right\u202eto\u2066left\u2028next\u2029\x85\x0b\x0c",
    "\ud800",
    "*a* _b_ ~~c~~ **d** <b>e</b>",
)
hostile = st.lists(
    st.sampled_from(FRAGMENTS) | st.text(max_size=8) | st.text("|\\`@#<>[]()!*_~-+.:/&;%$\n\r\t aw1", max_size=8),
    min_size=1,
    max_size=3,
).map("".join)
LIVE = re.compile(r"(?i)@\w|#\d|gh-\d|://|www\.|mailto:\w")
R = TypeVar("R", bound=BaseModel)


def spoiled(record: R, text: str) -> R:
    """A record with `text` in every field and list that may hold any text, in the records inside it too."""
    changes = {
        name: _spoiled(getattr(record, name), text)
        for name, field in type(record).model_fields.items()
        if not (isinstance(getattr(record, name), str) and (_fixed(field.annotation) or field.metadata))
    }
    return record.model_copy(update=changes)


def _fixed(annotation: Any) -> bool:
    """Whether a field takes only some words, as a Literal does."""
    return str(annotation).startswith(("typing.Literal", "typing.Annotated"))


def _spoiled(value: Any, text: str) -> Any:
    if isinstance(value, str):
        return text
    if isinstance(value, BaseModel):
        return spoiled(value, text)
    if isinstance(value, tuple):
        return tuple(_spoiled(item, text) for item in value)
    return value


def reaches_out(text: str) -> str:
    """What GitHub would link, notify or close in a text, once every escape of Markdown is undone; empty for nothing."""
    found = LIVE.search(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text))
    return found[0] if found else ""


def obeyed(log: str) -> list[str]:
    """The commands that a runner carries out of what a step prints, by name; those it was told to stop are none."""
    token, found = "", []
    for line in log.splitlines():
        command = re.match(r"\s*::([^\s:]+)(?: [^:]*)?::(.*)", line) or re.match(r"\s*##\[([^\s\]]+)[^\]]*\](.*)", line)
        if command is None:
            continue
        if token:
            token = "" if command[1] == token else token
        elif command[1] == "stop-commands":
            token = command[2]
        else:
            found.append(command[1])
    return found
