"""The template as a git repository, and a repository that a team made of it by GitHub's button."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.place import EXAMPLE, ROOT

WHO = ("-c", "user.name=team", "-c", "user.email=team@localhost", "-c", "init.defaultBranch=main")


def git(folder: Path, *words: str) -> str:
    """Run git as a person."""
    return subprocess.run(["git", *WHO, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder: Path, message: str) -> None:
    """Commit all."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def edit(path: Path, old: str, new: str) -> None:
    """Change a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def archive(ref: str) -> bytes:
    """The files of a commit of the project's history as a tar, or nothing if this clone does not have the commit."""
    words = ("git", "archive", ref, "--", ".", ":!model/flights/data", ":!docs/pictures")
    return subprocess.run(words, cwd=ROOT, check=False, capture_output=True).stdout


def present(folder: Path) -> None:
    """Write the files that are here now, with the example; the year of flights is left out."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("data"), dirs_exist_ok=True)
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if (ROOT / name).is_file() and not name.endswith(".parquet"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def make(template: Path, own: Path) -> None:
    """The template with two commits, and a repository made of the first; the year of flights is left out."""
    present(template)
    git(template, "init", "--quiet")
    commit(template, "One")
    shutil.copytree(template, own, ignore=shutil.ignore_patterns(".git"))
    git(own, "init", "--quiet")
    commit(own, "Initial commit")
    edit(template / "scripts" / "pull.py", '"""The command', '"""Carefully, the command')
    (template / "model" / "flights" / "README.md").write_text("Another story.\n")
    (template / "monitoring" / "new.py").write_text('"""New."""\n')
    commit(template, "Two")
