"""A repository made from the template, with a model of its own, takes over what is new and keeps what is its own."""

from __future__ import annotations

import datetime as dt
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from core.config import Settings, load_config
from core.days import midnight
from core.errors import ConfigError, UsageError
from scripts import upgrade
from stages.context import Night
from tests.instance import archive, commit, edit, git, make, present
from tests.moving import moved
from tests.place import Place

BEFORE = "332f1e4"  # the last commit whose model/ holds files of the engine
STORE = Path(__file__).parent / "data" / "old_store.tar.xz"
LAST = dt.date(2013, 2, 16)


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


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A team's repository made of the template before its move: with a small model in service, without the example.

    The template beside it has gone on to the files that are here now.
    """
    template, own = tmp_path / "template", tmp_path / "store"
    if not (files := archive(BEFORE)):
        pytest.skip(f"commit {BEFORE} is not in the history of this clone")
    with tarfile.open(fileobj=io.BytesIO(files)) as tar:
        tar.extractall(template, filter="data")
    shutil.copytree(template, own)
    for folder in (template, own):
        git(folder, "init", "--quiet")
        commit(folder, "One")
    git(own, "rm", "-r", "--quiet", "model/flights")
    with tarfile.open(STORE) as tar:
        names = ("store/local/artifacts", "store/local/mlflow.db", "store/local/monitoring.db", "store/model")
        wanted = [member for member in tar if member.name.startswith(names)]
        tar.extractall(tmp_path, wanted, filter="data")
    moved(own / "local" / "mlflow.db", "/store", str(own))
    commit(own, "Our model")
    git(template, "rm", "-r", "--quiet", ".")
    present(template)
    commit(template, "Two")
    git(own, "remote", "add", "upstream", str(template))
    return own


def test_an_instance_of_the_tree_before_the_move_is_upgraded_and_its_night_runs(old: Path) -> None:
    """Its own command merges the present tree without a conflict, keeps its model, and its next night proposes."""
    models = tree(old, "model/small")
    words = [sys.executable, "-m", "scripts", "upgrade", "--json"]
    env = {**os.environ, "PYTHONPATH": str(old)}
    ran = subprocess.run(words, cwd=old, env=env, check=False, capture_output=True, text=True)
    assert 0 == ran.returncode, ran.stdout + ran.stderr
    assert '"conflicts": []' in ran.stdout
    assert "" == git(old, "diff", "--cached", "--name-only", "upstream/main", "--", ".", ":!model")
    commit(old, "Upgrade")
    assert models == tree(old, "model")

    place = Place(old)
    for command in (
        ["pull"],
        ["check", "--force", "--reason", "after an upgrade"],
        ["train"],
        ["validate"],
        ["propose"],
    ):
        ended = place.mlops(*command, day=LAST)
        assert 0 == ended.code, ended.err
    night = Night(Settings.load(old, {}), load_config(old, "small"), midnight(LAST), live=False)
    assert (1,) == night.registry.state("small").production
    assert 2 == len(night.registry.versions("small"))  # the one that the old release had trained of the same rows
    assert night.forge.proposals("small")
