"""A repository made from the template, with a model of its own, takes over what is new and keeps what is its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.errors import ConfigError, UsageError
from scripts import upgrade
from tests.instance import commit, edit, git, make


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, and a repository made of it that knows where it comes from."""
    folder = tmp_path_factory.mktemp("upgrade")
    make(folder / "template", folder / "own")
    git(folder / "own", "remote", "add", "upstream", str(folder / "template"))
    return folder


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """A team's repository: a model of its own instead of the example, another cron line, owners, a promotion."""
    own = tmp_path / "own"
    shutil.copytree(made / "own", own)
    git(own, "mv", "model/flights", "model/churn")
    (own / "model" / "churn" / "production.json").write_text("{}\n")
    (own / ".github" / "CODEOWNERS").write_text("* @alice\n")
    nightly = own / ".github" / "workflows" / "nightly.yml"
    (line,) = (line for line in nightly.read_text().splitlines() if "cron:" in line)
    edit(nightly, line, line.replace(line.split('"')[1], "7 3 * * *"))
    commit(own, "Our model")
    return own


def tree(folder: Path, *paths: str) -> str:
    """Names and contents of committed files."""
    return git(folder, "ls-tree", "-r", "HEAD", *paths)


def test_the_first_upgrade_joins_and_merges(own: Path) -> None:
    """Without common history, what is new comes, what is the team's stays, and the deleted example stays deleted."""
    before = tree(own, "model", ".github")
    result = upgrade.run(own, "upstream/main", check=False)
    commit(own, "Upgrade")

    assert ([], True) == (result["conflicts"], result["merged"])
    assert "Carefully" in (own / "scripts" / "pull.py").read_text()
    assert (own / "monitoring" / "new.py").exists()
    assert not (own / "model" / "flights").exists()
    assert before == tree(own, "model", ".github")


def test_later_upgrades_are_plain_merges(own: Path, made: Path, tmp_path: Path) -> None:
    """After the first, plain git is enough, and an upgrade with nothing new does nothing."""
    template = tmp_path / "template"
    shutil.copytree(made / "template", template)
    git(own, "remote", "set-url", "upstream", str(template))
    upgrade.run(own, "upstream/main", check=False)
    commit(own, "Upgrade")
    assert [] == upgrade.run(own, "upstream/main", check=False)["commits"]

    edit(template / "scripts" / "check.py", '"""The command', '"""Calmly, the command')
    commit(template, "Three")
    git(own, "fetch", "--quiet", "upstream")
    git(own, "merge", "--quiet", "--no-edit", "-s", "recursive", "-X", "no-renames", "upstream/main")
    assert "Calmly" in (own / "scripts" / "check.py").read_text()


def test_a_check_changes_nothing(own: Path) -> None:
    """`--check` tells the new commits and files; commit, files and worktrees are as before."""
    before = git(own, "rev-parse", "HEAD"), git(own, "worktree", "list")
    result = upgrade.run(own, "upstream/main", check=True)

    assert (1, False, []) == (len(result["commits"]), result["merged"], result["conflicts"])
    assert "monitoring/new.py" in result["files"]
    assert before == (git(own, "rev-parse", "HEAD"), git(own, "worktree", "list"))
    assert "" == git(own, "status", "--porcelain")


def test_what_is_in_the_way_is_named_and_nothing_is_merged(own: Path) -> None:
    """A file of the template that was changed here in the same line is named; the repository stays as it was."""
    edit(own / "scripts" / "pull.py", '"""The command', '"""Our command')
    commit(own, "Change the engine")
    before = git(own, "rev-parse", "HEAD")
    result = upgrade.run(own, "upstream/main", check=False)

    assert (["scripts/pull.py"], False) == (result["conflicts"], result["merged"])
    assert (before, "") == (git(own, "rev-parse", "HEAD"), git(own, "status", "--porcelain"))


def test_what_cannot_be_upgraded_says_why(own: Path, tmp_path: Path) -> None:
    """Uncommitted changes, no remote, and a repository of something else are refused with what to type."""
    (own / "new").write_text("x")
    with pytest.raises(UsageError, match="not committed"):
        upgrade.run(own, "upstream/main", check=False)
    (own / "new").unlink()
    with pytest.raises(ConfigError) as caught:
        upgrade.run(own, "origin/main", check=False)
    assert "git remote add origin" in caught.value.fix
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    (other / "x").write_text("x")
    commit(other, "Something else")
    git(own, "remote", "set-url", "upstream", str(other))
    with pytest.raises(ConfigError, match="shares no commit"):
        upgrade.run(own, "upstream/main", check=False)
