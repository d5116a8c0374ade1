"""Keep the double's git data in a real bare repository, so that what a client wrote is what a checkout finds."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from review.local.git import Git, GitError


@dataclass(frozen=True)
class Person:
    """Who a commit is by, as git writes it."""

    name: str
    email: str = ""

    def env(self, role: str) -> dict[str, str]:
        """The variables that tell git, for the role AUTHOR or COMMITTER."""
        return {f"GIT_{role}_NAME": self.name, f"GIT_{role}_EMAIL": self.email or f"{self.name}@users.example"}


@dataclass(frozen=True)
class Entry:
    """A file of a tree: its blob, or None where the tree loses it."""

    blob: str | None
    mode: str = "100644"


class Repository:
    """A bare repository, read and written by plumbing alone.

    Args:
        path: where it is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        for folder in ("objects", "refs"):
            (path / folder).mkdir(parents=True)
        (path / "HEAD").write_text("ref: refs/heads/main\n")
        # Commits may be asked for by name, as at GitHub; checkout does.
        (path / "config").write_text("[core]\nbare = true\n[uploadpack]\nallowAnySHA1InWant = true\n")

    def git(self, *words: str, given: str | bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Run git in it, now."""
        return Git(self.path, dt.datetime.now(dt.UTC))(*words, given=given, env=env)

    def resolve(self, name: str) -> str | None:
        """The object that a name (a ref, a commit, `REF:path`) stands for."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        except GitError:
            return None

    def commit_of(self, name: str) -> str | None:
        """The commit of a branch, a ref or a commit's name."""
        found = (self.resolve(f"{ref}^{{commit}}") for ref in (f"refs/heads/{name}", name))
        return next((commit for commit in found if commit), None)

    def has(self, sha: str, kind: str) -> bool:
        """Whether there is an object of that kind (commit, tree, blob)."""
        return self.resolve(f"{sha}^{{{kind}}}") is not None

    def blob(self, content: str | bytes) -> str:
        """Store a file's content."""
        return self.git("hash-object", "-w", "--stdin", given=content)

    def blobs(self, contents: Iterable[str | bytes]) -> list[str]:
        """Store the contents of many files at once."""
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, content in enumerate(contents):
                paths.append(Path(folder) / str(number))
                paths[-1].write_bytes(content.encode() if isinstance(content, str) else content)
            return self.git(
                "hash-object", "-w", "--no-filters", "--stdin-paths", given="".join(f"{path}\n" for path in paths)
            ).splitlines()

    def read(self, path: str, ref: str) -> bytes | None:
        """A file as it is at a ref, or None."""
        commit = self.commit_of(ref)
        blob = self.resolve(f"{commit}:{path}") if commit else None
        if blob is None or self.git("cat-file", "-t", blob) != "blob":
            return None
        return Git(self.path).raw("cat-file", "blob", blob)

    def tree(self, base: str | None, entries: Mapping[str, Entry]) -> str:
        """The tree of `base` (a tree or a commit; None: nothing) with some files changed."""
        lines = [f"{e.mode if e.blob else '0'} {e.blob or '0' * 40}\t{path}\n" for path, e in entries.items()]
        with tempfile.TemporaryDirectory() as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            if base:
                self.git("read-tree", base, env=env)
            self.git("update-index", "--add", "--index-info", given="".join(lines), env=env)
            return self.git("write-tree", env=env)

    def commit(self, tree: str, parents: Iterable[str], message: str, author: Person, committer: Person) -> str:
        """Store a commit; nothing points at it yet."""
        words = [word for parent in parents for word in ("-p", parent)]
        env = {**author.env("AUTHOR"), **committer.env("COMMITTER")}
        return self.git("commit-tree", tree, *words, given=message, env=env)

    def merged(self, ours: str, theirs: str) -> str | None:
        """The tree of a merge of two commits, or None where they conflict."""
        try:
            return self.git("merge-tree", "--write-tree", ours, theirs).splitlines()[0]
        except GitError:
            return None

    def reverted(self, commit: str, tip: str) -> str | None:
        """The tree of `tip` without what `commit` brought to its first parent, or None where later ones conflict."""
        who = Person("git")
        undo = self.commit(f"{commit}^1^{{tree}}", [commit], "undo", who, who)
        return self.merged(tip, undo)

    def contains(self, tip: str, commit: str) -> bool:
        """Whether a commit is in the history of another."""
        return Git(self.path).succeeds("merge-base", "--is-ancestor", commit, tip)

    def point(self, ref: str, commit: str | None) -> None:
        """Make a ref stand for a commit, or for nothing."""
        if commit:
            self.git("update-ref", ref, commit)
        elif self.resolve(ref):
            self.git("update-ref", "-d", ref)

    def changes(self, base: str, head: str) -> list[tuple[str, str, str, int, int]]:
        """(path, A/M/D, patch, lines added, lines removed) of each file that a branch changes since it left `base`."""
        found = []
        for line in self.git("diff", "--name-status", "--no-renames", f"{base}...{head}").splitlines():
            letter, path = line.split("\t", 1)
            patch = self.git("diff", "--no-renames", f"{base}...{head}", "--", path)
            lines = patch.partition("\n@@")[2].splitlines()[1:]
            added, removed = (sum(text.startswith(sign) for text in lines) for sign in "+-")
            found.append((path, letter, patch[patch.find("@@") :], added, removed))
        return found
