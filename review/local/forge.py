"""Pull requests in a bare git repository on this machine, so that the whole loop runs with git alone."""

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
        path: the bare repository; `ensure` creates it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.notes: list[str] = []

    def follow(self, root: Path) -> None:
        """Update main after a merge in the checkout at `root`; does nothing without a forge."""
        if self.path.exists():
            self.ensure(root)

    def file(self, path: str, at: str | None = None) -> str | None:
        """Return the text of a file on main, or at a commit; None if it does not exist."""
        git, name = Git(self.path), f"{at or MAIN}:{path}"
        exists = self._store() is not None and git.succeeds("cat-file", "-e", name)
        return git.raw("cat-file", "blob", name).decode() if exists else None

    def ensure(self, root: Path) -> None:
        """Create the bare repository with the checkout at `root` as its main, or update its main.

        Later only the branch of the first checkout is pushed, and only forward, because another branch has not been
        reviewed.

        Raises:
            OutsideError: `root` is not a git repository, has no commit, or has diverged from the forge.
        """
        git = Git(root)
        head, branch = checked_out(git)
        forge = self._create(branch) if not (self.path / "HEAD").is_file() else Git(self.path)
        if forge.succeeds("rev-parse", "--quiet", "--verify", MAIN) and (
            branch != forge("config", "--default", "main", "mlops.branch")
            or forge.succeeds("merge-base", "--is-ancestor", head, MAIN)
        ):
            return
        try:
            git("push", "--quiet", "--no-verify", str(self.path), f"HEAD:{MAIN}")
        except GitError as err:
            if "rejected" not in err.output or err.lock or err.lost_race:
                raise
            raise OutsideError(
                f"{root} and the forge {self.path} have diverged: each has commits that the other lacks.",
                why="A pull request was merged in the forge, and other commits were made here.",
                fix=f"Merge the forge here first: git pull --no-rebase {self.path} main",
            ) from err

    def _create(self, branch: str) -> Git:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            occupied = any(self.path.iterdir())
        except OSError as err:
            raise OutsideError(
                f"Cannot create the forge {self.path}: {err.strerror}.",
                why="The folder is not writable, or the path is a file.",
                fix="Free the path, or set MLOPS_FORGE to another path.",
            ) from err
        if occupied:
            raise OutsideError(
                f"{self.path} is not empty and not a bare git repository.", fix="Set MLOPS_FORGE to another folder."
            )
        # Created elsewhere and moved here, because an incomplete forge would be taken for a complete one.
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
        """Return the open proposal of a model; None if there is none, or no forge yet."""
        store = self._store()
        return store.open_proposal(model, store.refs()) if store else None

    def proposals(self, model: str | None = None) -> list[Proposal]:
        """Return all proposals of a model (or of all models), oldest first, in their present state."""
        store = self._store()
        if store is None:
            return []
        refs = store.refs()
        own = [item for item in store.read(refs) if model in (None, item[0].model)]
        newest = {pull.model: pull.number for pull, _ in own}
        return [store.proposal(pull, body, refs, newest=newest[pull.model] == pull.number) for pull, body in own]

    def propose(self, model: str, title: str, body: str, files: Mapping[str, str], as_of: dt.datetime) -> Proposal:
        """Open a proposal on top of the forge's main, or update the open one; the same content changes nothing.

        Raises:
            UsageError: main already has this content.
            OutsideError: git failed, there is no forge yet, or another process changed it twice at the same time.
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
                f"Could not write the proposal of {model}: another process changed the forge twice in the meantime.",
                why="Another run proposes, or a person merges, at the same time.",
                fix="Try again in a moment. Nothing was changed.",
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
        """Return the commit to propose: that of the branch if it would be the same."""
        main = refs[MAIN]
        tree = store.tree(files, on=main)
        if tree == store.git("rev-parse", f"{main}^{{tree}}"):
            raise UsageError(
                f"The main branch of the forge already has what would be proposed for {model}.",
                why="This candidate is already merged.",
                fix=f"Type: mlops promote --model {model}",
            )
        old = refs.get(f"refs/heads/{branch_of(model)}")
        if old and store.git("show", "--no-patch", "--format=%T %P", old) == f"{tree} {main}":
            return old
        return store.commit(tree, title, [main])

    def close(self, number: int, reason: str) -> Proposal:
        """Close a proposal without merging it. Its branch is deleted; its text and commits stay.

        Raises:
            UsageError: there is no such proposal, or it is merged.
        """
        proposal = {item.number: item for item in self.proposals()}.get(number)
        store = self._store(proposal.as_of) if proposal else None
        if proposal is None or store is None:
            raise UsageError(f"There is no pull request {number} in {self.path}.")
        if proposal.state == "merged":
            raise UsageError(f"Pull request {number} is already merged.", fix="Undo the merge with git revert.")
        if proposal.state == "closed":
            return proposal
        refs = store.refs()
        pull = next(pull for pull, _ in store.read(refs) if pull.number == number).model_copy(update={"closed": reason})
        store.move(
            refs, {f"refs/heads/{proposal.branch}": None, pull.ref: store.meta(pull, proposal.body, refs.get(pull.ref))}
        )
        return proposal.model_copy(update={"state": "closed", "reason": reason})

    def page(self, proposal: Proposal, folder: Path) -> str:
        """Write the pull request as one HTML file, as a reviewer would see it on GitHub, and return its path."""
        from review.pages import render_pull_request

        diff = Git(self.path)("diff", "--no-color", "--no-ext-diff", "--no-renames", proposal.base, proposal.head)
        path = folder / f"pull-{proposal.number}.html"
        write_atomically(path, render_pull_request(proposal, diff))
        return str(path)

    def _store(self, as_of: dt.datetime | None = None) -> Store | None:
        return Store(Git(self.path, as_of), self.path) if (self.path / "HEAD").is_file() else None
