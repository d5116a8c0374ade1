"""Change the statistics and the gates in one place at a time, and see whether a test notices.

usage: python -m bench.mutants    (type `make mutants`, which installs mutmut first)

Which files are changed and which tests judge them stands in pyproject.toml (tool.mutmut). Only a failing test kills a
mutant: one that no test reaches, or that never ends, counts as one that lives. It ends with a table, and with exit code
1 where less than 90 % are killed, or where those that live are not those of `survivors.toml`, which has a reason for
each. Mutants are known by the function they are in and the line they change, so that the list outlives other changes.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
LISTED = Path(__file__).with_name("survivors.toml")
NEEDED = 0.9
NAME = re.compile(r"(?P<module>.+)\.(?:x_|xǁ(?P<owner>.+)ǁ)(?P<function>\w+?)__mutmut_\d+")


class Mutant(NamedTuple):
    """One change: the function it is in, the line as it stands, and as it became."""

    function: str
    line: str
    became: str


def place(name: str) -> tuple[str, str]:
    """The file and the function of a mutant, from the name that mutmut gives it."""
    found = NAME.match(name)
    if not found:
        sys.exit(f"{name!r} is not a name that mutmut 3 gives: this needs another version of it.")
    function = ".".join(part for part in found.group("module", "owner", "function") if part)
    return f"{found['module'].replace('.', '/')}.py", function


def mutant(name: str, diff: str) -> Mutant:
    """What a mutant changes, from its unified diff."""
    lines = [line for line in diff.splitlines() if not line.startswith(("+++", "---"))]
    gone, new = ([line[1:].strip() for line in lines if line.startswith(sign)] for sign in "-+")
    # An argument that is left out takes its line along, and the bracket after it is another one to diff.
    line, became = [part for part in gone if part not in new], [part for part in new if part not in gone]
    return Mutant(place(name)[1], " ".join(line), " ".join(became))


def listed(path: Path = LISTED) -> dict[Mutant, str]:
    """The mutants that may live, each with its reason."""
    groups = tomllib.loads(path.read_text(encoding="utf-8"))["reason"]
    return {Mutant(*one): group["why"] for group in groups for one in group["mutants"]}


def table(states: Mapping[str, str]) -> str:
    """A row a file, and one for all: mutants, killed, survived, and the share that was killed."""
    every = Counter(place(name)[0] for name in states)
    killed = Counter(place(name)[0] for name, state in states.items() if state == "killed")
    rows = [*sorted((path, killed[path], count) for path, count in every.items()), ("all", killed.total(), len(states))]
    lines = [f"{path:26} {count:8} {dead:8} {count - dead:9} {dead / count:7.1%}" for path, dead, count in rows]
    return "\n".join([f"{'':26} {'mutants':>8} {'killed':>8} {'survived':>9} {'score':>7}", *lines])


def complaints(states: Mapping[str, str], alive: Collection[Mutant], known: Collection[Mutant]) -> list[str]:
    """What stands against this run; nothing where it is as it should be."""
    score = sum(state == "killed" for state in states.values()) / len(states)
    new = [one for one in alive if one not in known]
    gone = [one for one in known if one not in alive]
    return [
        *([f"{score:.1%} are killed, {NEEDED:.0%} are needed."] if score < NEEDED else []),
        *(["No test notices these: write one, or list them in bench/survivors.toml with the reason:"] if new else []),
        *(f"  {json.dumps(one, ensure_ascii=False)}," for one in new),
        *(["These of bench/survivors.toml are killed, or are no more: take them out:"] if gone else []),
        *(f"  {json.dumps(one, ensure_ascii=False)}," for one in gone),
    ]


def mutmut(*words: str, shown: bool = False) -> str:
    """What mutmut answers; ends with its own words where it fails."""
    program = Path(sys.executable).with_name("mutmut")
    done = subprocess.run([program, *words], cwd=ROOT, capture_output=not shown, text=True, check=False)
    if done.returncode:
        sys.exit(f"{(done.stdout or '')[-5000:]}{done.stderr or ''}\nmutmut {' '.join(words)} failed.")
    return done.stdout or ""


def main() -> int:
    """Run mutmut from scratch, and judge what it finds."""
    began = time.monotonic()
    shutil.rmtree(ROOT / "mutants", ignore_errors=True)
    mutmut("run", shown=sys.stdout.isatty())
    lines = [line.strip() for line in mutmut("results", "--all", "true").splitlines()]
    states = dict(line.rsplit(": ", 1) for line in lines if NAME.match(line))
    alive = {mutant(name, mutmut("show", name)): state for name, state in states.items() if state != "killed"}
    wrong = complaints(states, alive, listed())
    print("\n".join([*wrong, "", table(states), f"{(time.monotonic() - began) / 60:.0f} minutes"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
