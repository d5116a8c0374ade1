"""docs/reliability.md and docs/security.md cannot promise what no test shows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("reliability.md", "security.md")}
NAMED = sorted({pair for page in PAGES.values() for pair in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)})


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    """The file has a test function of that name."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))

    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", PAGES)
def test_every_promise_names_a_test(name: str) -> None:
    """Every row of the tables of promises ends with at least one."""
    tables = re.findall(r"^\| promise \| test \|\n\| --- \| --- \|\n((?:\|.*\n)+)", PAGES[name], re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]

    assert rows
    assert [] == [row for row in rows if not re.search(r"`tests/[\w/]+\.py::\w+` \|$", row)]


def test_every_test_of_the_suite_is_promised() -> None:
    """What `make chaos` tries stands on one of the pages, but for the checks of the suite itself."""
    own = {"test_promises.py"}
    checks = {"test_there_are_points_enough", "test_untouched_it_is_promoted"}
    tests = {
        node.name
        for path in Path(__file__).parent.glob("test_*.py")
        if path.name not in own
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }

    assert tests - checks == {name for file, name in NAMED if file.startswith("tests/chaos/")}
