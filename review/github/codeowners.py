"""Owners of a file by CODEOWNERS; they are asked to review a promotion."""

from __future__ import annotations

import re
from dataclasses import dataclass

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
PERSON = re.compile(r"@([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)")
TEAM = re.compile(r"@[A-Za-z0-9-]+/([A-Za-z0-9_.-]+)")
EXAMPLE = "your-org"


@dataclass(frozen=True)
class Owners:
    """People and teams by the names that GitHub's review requests take."""

    people: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


def owners(text: str, path: str) -> Owners:
    """Return the owners of `path`: those of the last line whose pattern matches it. E-mail addresses are left out.

    The example names of the template (`@your-org/...`) are ignored.
    """
    from pathspec import GitIgnoreSpec

    listed: list[str] = []
    for line in text.splitlines():
        pattern, *names = line.partition("#")[0].split() or [""]
        if pattern and GitIgnoreSpec.from_lines([pattern]).match_file(path):
            listed = names
    real = [name for name in listed if not name.startswith(f"@{EXAMPLE}")]
    people = (match[1] for name in real if (match := PERSON.fullmatch(name)))
    teams = (match[1] for name in real if (match := TEAM.fullmatch(name)))
    return Owners(tuple(people), tuple(teams))
