"""Make a workflow runnable by act, which knows less than GitHub does, by changing as little of it as possible."""

from __future__ import annotations

import re
from pathlib import Path

STANDINS = Path(__file__).parent / "standins"
SETUP = "local/setup@offline"
PINNED = re.compile(r"""^\s*(?:-\s+)?uses:\s*["']?([\w.-]+/[\w.-]+)((?:/[\w./-]+)?)@([\w./-]+)""", re.MULTILINE)
IN_BRACES = re.compile(r"^ *(?:concurrency|environment): *\{[^\n]*\}", re.MULTILINE)
IN_BRACES_KEY = re.compile(r"(?:, *(?:queue|deployment): *\w+|(?<=\{) *(?:queue|deployment): *\w+ *,)")


def rewrite(text: str) -> str:
    """A workflow as act 0.2.89 takes it. Exactly these lines become others.

    - `uses: $/PATH` (this repository, the newer spelling) becomes `uses: ./PATH`;
    - the composite action .github/actions/setup becomes a stand-in, as it would install a gigabyte for each job;
    - `queue:` of a concurrency group and `deployment:` of an environment are dropped, on a line of their own or in
      braces: to act they are errors, and it has neither queues nor environments.
    """
    text = re.sub(r"""(uses:\s*["']?)\$/""", r"\1./", text)
    text = re.sub(r"""uses:\s*["']?\./\.github/actions/setup/?["']?(?=\s|$)""", f"uses: {SETUP}", text)
    text = IN_BRACES.sub(lambda found: IN_BRACES_KEY.sub("", found[0]), text)
    return re.sub(r"^ +(?:queue|deployment):.*\n", "", text, flags=re.MULTILINE)


def rewrite_all(folder: Path) -> None:
    """Rewrite the workflows and actions of a checkout, without committing it."""
    for path in (folder / ".github").rglob("*.yml"):
        path.write_text(rewrite(path.read_text(encoding="utf-8")), encoding="utf-8")


def standins(folder: Path) -> list[str]:
    """The stand-in of each action that a checkout uses, as OWNER/REPO@REF=FOLDER.

    Raises:
        LookupError: there is none.
    """
    found = set()
    for path in (folder / ".github").rglob("*.yml"):
        for name, below, ref in PINNED.findall(path.read_text(encoding="utf-8")):
            place = STANDINS / name
            if below or not (place / "action.yml").is_file():
                known = ", ".join(sorted(str(p.parent.relative_to(STANDINS)) for p in STANDINS.rglob("action.yml")))
                raise LookupError(
                    f"{path.relative_to(folder)} uses {name}{below}@{ref}, which has no stand-in to run offline. "
                    f"There are: {known}. Add {place / 'action.yml'}."
                )
            found.add(f"{name}@{ref}={place}")
    return sorted(found)
