"""The rule for names of columns, the same in `model.toml` and in `mlops new`."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

LONGEST_NAME = 128
# Quotes, and what is markup in HTML, Markdown tables or format strings. Brackets, # and * are escaped on every page.
REFUSED_SIGNS = frozenset('"`\\|<>{};')
# Control and format characters, unassigned and private ones, and all separators but the plain space.
REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})


def name_problem(text: str) -> str | None:
    """Return why a text is not a valid column name; None if it is one."""
    if not text:
        return "it is empty"
    if len(text) > LONGEST_NAME:
        return f"it has {len(text)} characters, at most {LONGEST_NAME} are allowed"
    for char in text:
        if char in REFUSED_SIGNS:
            return f"it contains {char}"
        if char != " " and unicodedata.category(char) in REFUSED_CATEGORIES:
            return f"it contains {unicodedata.name(char, 'a control character').lower()} (U+{ord(char):04X})"
    if text[0] in " -" or text[-1] == " ":
        return "it starts with a dash or a space, or ends with a space"
    return None


def _require_valid(text: str) -> str:
    problem = name_problem(text)
    if problem:
        msg = f"{text[:LONGEST_NAME]!r} is not a valid column name: {problem}"
        raise ValueError(msg)
    return text


Name = Annotated[str, AfterValidator(_require_valid)]
