"""Let pull requests live in a bare git repository on this machine, so that the whole loop runs with git alone."""

from __future__ import annotations
import datetime as dt
import tempfile
from collections.abc import Mapping
from pathlib import Path
from core.errors import OutsideError, UsageError
from core.records import write_atomically
from review.forge import Proposal, branch_of
from review.local.git import Git, GitError, checked_out
from review.local.pull_store import MAIN, Pull, Store

SETTINGS = {
    "receive.shallowUpdate": "true",  # CI checks out one commit only, and may push it
    "receive.denyNonFastForwards": "true",
    "gc.autoDetach": "false",
}


class LocalForge:
    """A forge that is a bare git repository. Merge and revert in any clone of it with plain git.

    Args:
        path: the bare repository; `ensure` makes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.notes: list[str] = []

    def follow(self, root: Path) -> None:
        """Bring main up to date after a merge in the checkout at `root`; nothing where nobody has proposed."""
        if self.path.exists():
            self.ensure(root)

    def file(self, path: str, at: str | None = None) -> str | None:
        """A file's text on main, or at a commit; None where it is not."""
        git, name = Git(self.path), f"{at or MAIN}:{path}"
        known = self._store() is not None and git.answers("cat-file", "-e", name)
        return git.raw("cat-file", "blob", name).decode() if known else None

    def ensure(self, root: Path) -> None:
        """Make the bare repository with what is checked out at `root` as its main, or bring its main up to date.

        Later on only the branch that was checked out the first time is sent, and only forward: another branch has not
        been reviewed.

        Raises:
            OutsideError: `root` is no git repository, has no commit, or went another way than the forge.
        """
        git = Git(root)
        head, branch = checked_out(git)
        forge = self._create(branch) if not (self.path / "HEAD").is_file() else Git(self.path)
        if forge.answers("rev-parse", "--quiet", "--verify", MAIN) and (
            branch != forge("config", "--default", "main", "mlops.branch")
            or forge.answers("merge-base", "--is-ancestor", head, MAIN)
        ):
            return
        try:
            git("push", "--quiet", "--no-verify", str(self.path), f"HEAD:{MAIN}")
        except GitError as err:
            if "rejected" not in err.said:
                raise
            raise OutsideError(
                f"{root} and the forge {self.path} went different ways: both have commits that the other lacks.",
                why="Something was merged in the forge, and something else was committed here.",
                fix=f"Merge them here first: git pull --no-rebase {self.path} main",
            ) from err

    def _create(self, branch: str) -> Git:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            strange = any(self.path.iterdir())
        except OSError as err:
            raise OutsideError(
                f"Cannot make the forge {self.path}: {err.strerror}.",
                why="The folder cannot be written, or a file stands in the way.",
                fix="Free the path, or set MLOPS_FORGE to another.",
            ) from err
        if strange:
            raise OutsideError(
                f"{self.path} is not empty and not a bare git repository.", fix="Set MLOPS_FORGE to another folder."
            )
        # Made elsewhere and moved here: a forge that is half made would be taken for a whole one.
        with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=f".{self.path.name}.") as folder:
            unfinished = Path(folder) / self.path.name
            unfinished.mkdir()
            git = Git(unfinished)
            git("init", "--quiet", "--bare", "--template=", "--initial-branch=main")
            for name, value in {**SETTINGS, "mlops.branch": branch}.items():
                git("config", name, value)
            unfinished.replace(self.path)
        return Git(self.path)

    def open_proposal(self, model: str) -> Proposal | None:
        """The open proposal of a model, or None (also where there is no forge yet)."""
        store = self._store()
        return store.open_proposal(model, store.refs()) if store else None

    def proposals(self, model: str | None = None) -> list[Proposal]:
        """All proposals of a model (or of all), oldest first, as git says they stand."""
        store = self._store()
        if store is None:
            return []
        refs = store.refs()
        own = [item for item in store.read(refs) if model in (None, item[0].model)]
        newest = {pull.model: pull.number for pull, _ in own}
        return [store.proposal(pull, body, refs, newest=newest[pull.model] == pull.number) for pull, body in own]

    def propose(self, model: str, title: str, body: str, files: Mapping[str, str], as_of: dt.datetime) -> Proposal:
        """Open a proposal on top of the forge's main, or update the open one in place; same content, nothing changes.

        Raises:
            UsageError: main has this content already.
            OutsideError: git failed, there is no forge yet, or somebody else changed it twice at the same time.
        """
        try:
            return self._propose(model, title, body, files, as_of)
        except GitError as err:
            if not err.lost_race:
                raise
        try:
            return self._propose(model, title, body, files, as_of)
        except GitError as err:
            if not err.lost_race:
                raise
            raise OutsideError(
                f"Could not write the proposal of {model}: somebody else changed the forge twice meanwhile.",
                why="Another run proposes, or somebody merges, at the same time.",
                fix="Try again in a moment; nothing was changed.",
            ) from err

    def _propose(self, model: str, title: str, body: str, files: Mapping[str, str], as_of: dt.datetime) -> Proposal:
        store = self._store(as_of)
        refs = store.refs() if store else {}
        if store is None or MAIN not in refs:
            raise OutsideError(f"The forge {self.path} has no branch main yet.", fix="Commit, then propose again.")
        before = store.open_proposal(model, refs)
        number = before.number if before else 1 + max((pull.number for pull, _ in store.read(refs)), default=0)
        head = self._head(store, refs, model, files, title)
        opened = before.opened_at if before else as_of
        pull = Pull(number=number, model=model, title=title, base=refs[MAIN], head=head, opened_at=opened, as_of=as_of)
        branch = f"refs/heads/{branch_of(model)}"
        store.move(refs, {branch: head, pull.ref: store.meta(pull, body, refs.get(pull.ref))})
        return store.proposal(pull, body, {**refs, branch: head}, newest=True)

    def _head(self, store: Store, refs: Mapping[str, str], model: str, files: Mapping[str, str], title: str) -> str:
        """The commit to propose: the branch's own where it would be the same."""
        main = refs[MAIN]
        tree = store.tree(files, on=main)
        if tree == store.git("rev-parse", f"{main}^{{tree}}"):
            raise UsageError(
                f"The forge's main already has what would be proposed for {model}.",
                why="This candidate was merged already.",
                fix=f"Type: mlops promote --model {model}",
            )
        old = refs.get(f"refs/heads/{branch_of(model)}")
        if old and store.git("show", "--no-patch", "--format=%T %P", old) == f"{tree} {main}":
            return old
        return store.commit(tree, title, [main])

    def close(self, number: int, reason: str) -> Proposal:
        """Close a proposal without merging it: its branch is deleted, its text and commits stay.

        Raises:
            UsageError: no such number, or it is merged.
        """
        found = {proposal.number: proposal for proposal in self.proposals()}.get(number)
        store = self._store(found.as_of) if found else None
        if found is None or store is None:
            raise UsageError(f"There is no pull request {number} in {self.path}.")
        if found.state == "merged":
            raise UsageError(f"Pull request {number} is merged.", fix="Undo a merge with git revert.")
        if found.state == "closed":
            return found
        refs = store.refs()
        pull = next(pull for pull, _ in store.read(refs) if pull.number == number).model_copy(update={"closed": reason})
        store.move(
            refs, {f"refs/heads/{found.branch}": None, pull.ref: store.meta(pull, found.body, refs.get(pull.ref))}
        )
        return found.model_copy(update={"state": "closed", "reason": reason})

    def page(self, proposal: Proposal, folder: Path) -> str:
        """Write the pull request as a reviewer would see it, one HTML file that needs nothing else; return its path."""
        from review.pages import render_pull_request

        diff = Git(self.path)("diff", "--no-color", "--no-ext-diff", "--no-renames", proposal.base, proposal.head)
        path = folder / f"pull-{proposal.number}.html"
        write_atomically(path, render_pull_request(proposal, diff))
        return str(path)

    def _store(self, as_of: dt.datetime | None = None) -> Store | None:
        return Store(Git(self.path, as_of), self.path) if (self.path / "HEAD").is_file() else None
