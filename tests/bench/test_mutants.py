"""What `make mutants` says follows from what mutmut found, and the list of those that may live is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.mutants import Mutant, complaints, listed, mutant, place, table

ROOT = Path(__file__).parent.parent.parent
DIFF = """# training.gates.gates.x__gate__mutmut_2: survived
--- training/gates/gates.py
+++ training/gates/gates.py
@@ -1,3 +1,2 @@
 def _gate(
-    why="It was edited.",
     limit=1,
-)
+    )
"""
STATES = {f"training.gates.gates.x__gate__mutmut_{number}": "killed" for number in range(1, 10)}
LIVES = Mutant("training.gates.gates._gate", "a < b", "a <= b")


def test_a_mutant_is_known_by_its_function_and_its_line() -> None:
    """Not by numbers, which change with the code around it; a bracket that only moved is no change."""
    assert ("training/gates/gates.py", "training.gates.gates._gate") == place("training.gates.gates.x__gate__mutmut_12")
    assert ("registry/promotion/manifest.py", "registry.promotion.manifest.Manifest.promoted_in") == place(
        "registry.promotion.manifest.xǁManifestǁpromoted_in__mutmut_1"
    )
    assert Mutant("training.gates.gates._gate", 'why="It was edited.",', "") == mutant(
        "training.gates.gates.x__gate__mutmut_2", DIFF
    )


@pytest.mark.parametrize("state", ["survived", "no tests", "timeout", "suspicious", "segfault", "not checked"])
def test_only_a_failing_test_kills(state: str) -> None:
    """Whatever else becomes of a mutant, it counts as one that lives: 8 of 10 are too few, 9 are enough."""
    nine = {**STATES, "training.gates.gates.x__gate__mutmut_10": state}
    eight = {**nine, "training.gates.gates.x__gate__mutmut_1": state}

    assert [] == complaints(nine, [LIVES], [LIVES])
    assert ["80.0% are killed, 90% are needed."] == complaints(eight, [LIVES], [LIVES])
    assert ["training/gates/gates.py", "10", "9", "1", "90.0%"] == table(nine).splitlines()[1].split()
    assert ["all", "10", "9", "1", "90.0%"] == table(nine).splitlines()[-1].split()


def test_the_list_of_survivors_has_all_of_them_and_no_other() -> None:
    """One that is not listed is a complaint, which can be pasted into the list; so is a listed one that was killed."""
    new, gone = complaints(STATES, [LIVES], []), complaints(STATES, [], [LIVES])

    assert '  ["training.gates.gates._gate", "a < b", "a <= b"],' == new[1] == gone[1]
    assert new[0] != gone[0]


def test_every_listed_mutant_changes_a_line_that_there_is() -> None:
    """Whoever changes that line sees at once that the list speaks of it, and why the mutant may live."""
    for one, why in listed().items():
        parts = one.function.split(".")
        files = (ROOT / f"{'/'.join(parts[:depth])}.py" for depth in range(2, len(parts)))
        source = next(path for path in files if path.exists()).read_text(encoding="utf-8")
        lines = [line.strip() for line in source.splitlines()]
        assert one.line in " ".join(lines), one
        assert one.line != one.became
        assert why.endswith("."), why
