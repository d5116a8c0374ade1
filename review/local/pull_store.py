"""Pull requests in a bare git repository, as commits below refs/pulls; a kill leaves complete ones."""

from __future__ import annotations
import datetime as dt
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from core.records import Record
from review.forge import Proposal, State, branch_of

if TYPE_CHECKING:
    from review.local.git import Git

MAIN = "refs/heads/main"
NEVER = "0" * 40


class Pull(Record):
    """The stored fields of a pull request, without its body. Git knows whether it is merged."""

    number: int
    model: str
    title: str
    base: str
    head: str
    opened_at: dt.datetime
    as_of: dt.datetime
    closed: str | None = None

    @property
    def ref(self) -> str:
        """Return the ref of the pull request."""
        return f"refs/pulls/{self.number}/meta"


class Store:
    """The pull requests of one bare repository.

    A pull request is a commit with `pull.json` and `body.md`; its parents are the version before it (so its history
    is kept) and the head of the proposed branch (so git never deletes that).
    """

    def __init__(self, git: Git, path: Path) -> None:
        self.git = git
        self.path = path

    def refs(self) -> dict[str, str]:
        """Return all refs with their commits."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def read(self, refs: Mapping[str, str]) -> list[tuple[Pull, str]]:
        """Return all pull requests with their bodies, oldest first."""
        metas = [commit for name, commit in refs.items() if name.startswith("refs/pulls/") and name.endswith("/meta")]
        files = [f"{commit}:{name}" for commit in metas for name in ("pull.json", "body.md")]
        texts = self._contents(files)
        pulls = [
            (Pull.from_json(pull, origin="a pull request of the forge"), body)
            for pull, body in zip(texts[::2], texts[1::2], strict=True)
        ]
        return sorted(pulls, key=lambda item: item[0].number)

    def _contents(self, names: list[str]) -> list[str]:
        """Return the texts of several files, read in one call."""
        if not names:
            return []
        rest = self.git.raw("cat-file", "--batch", given="\n".join(names) + "\n")
        texts = []
        for _ in names:
            head, _, rest = rest.partition(b"\n")
            size = int(head.split(b" ")[2])
            texts.append(rest[:size].decode())
            rest = rest[size + 1 :]
        return texts

    def open_proposal(self, model: str, refs: Mapping[str, str]) -> Proposal | None:
        """Return the open pull request of a model."""
        own = [item for item in self.read(refs) if item[0].model == model]
        newest = self.proposal(*own[-1], refs, newest=True) if own else None
        return newest if newest and newest.state == "open" else None

    def proposal(self, pull: Pull, body: str, refs: Mapping[str, str], *, newest: bool) -> Proposal:
        """Return the pull request in its present state. Only the newest of a model can be open: they share a branch."""
        branch = branch_of(pull.model)
        state: State = "closed"
        if pull.closed is None and self._landed(pull):
            state = "merged"
        elif pull.closed is None and newest and f"refs/heads/{branch}" in refs:
            state = "open"
        given = pull.model_dump(exclude={"closed"})
        url = f"{self.path.as_uri()}#{pull.number}"
        return Proposal(**given, state=state, body=body, branch=branch, url=url, reason=pull.closed or "")

    def _landed(self, pull: Pull) -> bool:
        """Return whether its commit is on main, or, after squashing or picking, its content was since."""
        if self.git.succeeds("merge-base", "--is-ancestor", pull.head, MAIN):
            return True
        wanted = blobs(self.git("diff-tree", "-r", "--raw", "--no-abbrev", "--no-renames", pull.base, pull.head))
        paths = sorted(path for _, path in wanted)
        history = ("log", "--first-parent", "-m", "--raw", "--no-abbrev", "--no-renames", "--format=")
        return wanted <= blobs(self.git(*history, f"{pull.base}..{MAIN}", "--", *paths))

    def tree(self, files: Mapping[str, str], on: str | None = None) -> str:
        """Write `files` (path to text) over the tree of a commit, or over nothing, and return the new tree."""
        with tempfile.TemporaryDirectory() as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self.git("read-tree", *((on,) if on else ("--empty",)), env=env)
            for path, text in files.items():
                blob = self.git("hash-object", "-w", "--stdin", given=text)
                self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=env)
            return self.git("write-tree", env=env)

    def commit(self, tree: str, message: str, parents: Iterable[str]) -> str:
        """Write a commit and return it; no ref points at it yet."""
        return self.git("commit-tree", tree, *(word for p in parents for word in ("-p", p)), given=message)

    def meta(self, pull: Pull, body: str, before: str | None) -> str:
        """Write a version of a pull request and return its commit: the one before if nothing changed."""
        tree = self.tree({"pull.json": pull.to_json(), "body.md": body})
        if before and tree == self.git("rev-parse", f"{before}^{{tree}}"):
            return before
        return self.commit(tree, pull.title, [*([before] if before else []), pull.head])

    def move(self, refs: Mapping[str, str], targets: Mapping[str, str | None]) -> None:
        """Point refs at commits (None: delete), all or none, and only if they and main still are where `refs` saw them.

        Raises:
            GitError: another process was faster.
        """
        lines = [f"verify {MAIN} {refs[MAIN]}"]
        for name, commit in targets.items():
            old = refs.get(name, NEVER)
            if commit != old:
                lines.append(f"update {name} {commit} {old}" if commit else f"delete {name} {old}")
        self.git("update-ref", "--stdin", given="\n".join(lines) + "\n")


def blobs(raw: str) -> set[tuple[str, str]]:
    """Return (content, path) after each change that `git --raw` lists."""
    rows = [line.split("\t", 1) for line in raw.splitlines() if line.startswith(":")]
    return {(fields.split(" ")[3], path) for fields, path in rows}
