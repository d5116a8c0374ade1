"""Mutation tests of the statistics and the gates: one change at a time, which a test must notice.

usage: python -m bench.mutants    (type `make mutants`, which installs mutmut first)

pyproject.toml (tool.mutmut) lists the files that are changed and the tests that must notice. Only a failing test kills
a mutant; a mutant that no test reaches, or that never ends, counts as alive. The command prints a table. Its exit code
is 1 if less than 90% are killed, or if the survivors are not those of `survivors.toml`, which has a reason for each.
Mutants are identified by their function and the changed line, so that the list survives other changes of the file.
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
    """One change: its function, the line before and the line after."""

    function: str
    line: str
    became: str


def place(name: str) -> tuple[str, str]:
    """Return the file and the function of a mutant, from the name that mutmut gives it."""
    match = NAME.match(name)
    if not match:
        sys.exit(f"{name!r} is not a name that mutmut 3 gives: this needs another version of it.")
    function = ".".join(part for part in match.group("module", "owner", "function") if part)
    return f"{match['module'].replace('.', '/')}.py", function


def mutant(name: str, diff: str) -> Mutant:
    """Return the change that a unified diff of a mutant shows."""
    lines = [line for line in diff.splitlines() if not line.startswith(("+++", "---"))]
    gone, new = ([line[1:].strip() for line in lines if line.startswith(sign)] for sign in "-+")
    # Removing an argument removes its line, and diff then shows a different closing bracket.
    line, became = [part for part in gone if part not in new], [part for part in new if part not in gone]
    return Mutant(place(name)[1], " ".join(line), " ".join(became))


def listed(path: Path = LISTED) -> dict[Mutant, str]:
    """Return the mutants that may survive, each with its reason."""
    groups = tomllib.loads(path.read_text(encoding="utf-8"))["reason"]
    return {Mutant(*fields): group["why"] for group in groups for fields in group["mutants"]}


def table(states: Mapping[str, str]) -> str:
    """Return a table with a row per file and a total: mutants, killed, survived, share killed."""
    every = Counter(place(name)[0] for name in states)
    killed = Counter(place(name)[0] for name, state in states.items() if state == "killed")
    rows = [*sorted((path, killed[path], count) for path, count in every.items()), ("all", killed.total(), len(states))]
    lines = [f"{path:26} {count:8} {dead:8} {count - dead:9} {dead / count:7.1%}" for path, dead, count in rows]
    return "\n".join([f"{'':26} {'mutants':>8} {'killed':>8} {'survived':>9} {'score':>7}", *lines])


def complaints(states: Mapping[str, str], alive: Collection[Mutant], allowed: Collection[Mutant]) -> list[str]:
    """Return the complaints about this run; an empty list if there are none."""
    score = sum(state == "killed" for state in states.values()) / len(states)
    new = [mutant for mutant in alive if mutant not in allowed]
    gone = [mutant for mutant in allowed if mutant not in alive]
    return [
        *([f"{score:.1%} are killed, {NEEDED:.0%} are needed."] if score < NEEDED else []),
        *(["No test notices these: write one, or list them in bench/survivors.toml with the reason:"] if new else []),
        *(f"  {json.dumps(mutant, ensure_ascii=False)}," for mutant in new),
        *(["These of bench/survivors.toml are killed, or are no more: take them out:"] if gone else []),
        *(f"  {json.dumps(mutant, ensure_ascii=False)}," for mutant in gone),
    ]


def mutmut(*words: str, shown: bool = False) -> str:
    """Return the output of mutmut; if mutmut fails, exit with its message."""
    program = Path(sys.executable).with_name("mutmut")
    done = subprocess.run([program, *words], cwd=ROOT, capture_output=not shown, text=True, check=False)
    if done.returncode:
        sys.exit(f"{(done.stdout or '')[-5000:]}{done.stderr or ''}\nmutmut {' '.join(words)} failed.")
    return done.stdout or ""


def main() -> int:
    """Run mutmut from scratch, and judge its survivors."""
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
