"""What README and docs tell their reader to type is typed here, page by page, each as one story."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from itertools import groupby
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, Shown, hidden, shown
from tests.docs.stages import APART, Stages

LISTED = tomllib.loads((Path(__file__).parent / "listed.toml").read_text(encoding="utf-8"))
SMALLER, ELSEWHERE, BY_HAND = LISTED["smaller"], LISTED["elsewhere"], LISTED["by_hand"]
ALL = [one for page in PAGES for one in shown(page)]


def typed() -> list[Shown]:
    """What is typed: all that a page shows in blocks, and in sentences what no longer command of a page begins with."""
    own = [one for one in ALL if one.command not in ELSEWHERE | BY_HAND]
    whole = [one for one in own if one.block]
    for one in sorted((one for one in own if not one.block), key=lambda one: -len(one.command.split())):
        if not any(f"{other.command} ".startswith(f"{one.command} ") for other in whole):
            whole.append(one)
    return [one for one in ALL if any(one is other for other in whole)]


STORIES = {page: list(story) for page, story in groupby(typed(), key=lambda one: one.page)}


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Stages:
    """The places in which pages are read."""
    return Stages(tmp_path_factory.mktemp("stages"), mlflow_store)


@pytest.mark.parametrize("page", STORIES)
def test_what_a_page_shows_can_be_typed(page: str, stages: Stages, tmp_path: Path) -> None:
    """Typed in the page's order, every command ends well, and prints what the page shows of its output."""
    for number, block in groupby(STORIES[page], key=lambda one: one.block if page in APART else 0):
        (tmp_path / f"{number}").mkdir()
        reader = stages.reader(page, tmp_path / f"{number}")
        for one in block:
            said = reader.types(f"{one.command} {SMALLER.get(one.command, '')}".strip())
            lines = {line.rstrip() for line in said.splitlines()}
            assert set() == {reader.means(line) for line in one.output} - lines, one.command


def test_each_command_has_one_fate() -> None:
    """No command is both typed and listed, or listed twice."""
    entries = [command for table in (SMALLER, ELSEWHERE, BY_HAND) for command in table]

    assert len(entries) == len(set(entries))


def test_what_is_listed_is_shown() -> None:
    """An entry whose command has left the pages leaves the list."""
    assert set() == {command for table in LISTED.values() for command in table} - {one.command for one in ALL}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.relative_to(ROOT)}")
def test_what_can_be_typed_stands_behind_a_prompt(page: Path) -> None:
    """A command in a block without `$ ` would be overlooked."""
    assert [] == hidden(page)


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_is_run_elsewhere_is_run_there(command: str) -> None:
    """The test exists, and its file holds the command or its words."""
    place, holds = ELSEWHERE[command]
    file, _, name = place.partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")

    assert holds in text
    assert f"def {name}(" in text or not name


@pytest.mark.parametrize("module", sorted({m for c in BY_HAND for m in re.findall(r"-m (bench\.\w+)", c)}))
def test_what_takes_minutes_starts_at_least(module: str) -> None:
    """A bench that only people run still knows its options."""
    ran = subprocess.run([sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "usage" in ran.stdout
