"""The reviewer in the demo, who merges and reverts with git."""

from __future__ import annotations

from stages.context import Night

NAME = "reviewer"
WHO = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", NAME), ("EMAIL", f"{NAME}@localhost"))
}


class Reviewer:
    """A person with a clone of the repository and the right to push to its default branch.

    Args:
        night: has the clone, the forge, and the date of the commits.
    """

    def __init__(self, night: Night) -> None:
        self.night = night

    def git(self, *arguments: str) -> str:
        """Run git in the clone and return what it printed.

        Raises:
            OutsideError: git failed.
        """
        from review.local import Git

        return Git(self.night.settings.root, self.night.as_of)(*arguments, env=WHO)

    def start(self) -> None:
        """Create the repository from the files in the folder."""
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Use this template")

    def merge(self) -> str:
        """Merge the open proposal, push, and return the merge commit."""
        branch = f"promote/{self.night.name}"
        self.git("fetch", "--quiet", str(self.night.settings.forge), branch)
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge {branch}", "FETCH_HEAD")
        return self._push()

    def revert(self, commit: str) -> str:
        """Revert a commit as the button on GitHub does, push, and return the new commit."""
        parents = self.git("rev-list", "--parents", "--max-count=1", commit).split()[1:]
        mainline = ["--mainline", "1"] if len(parents) > 1 else []
        self.git("revert", "--no-edit", *mainline, commit)
        return self._push()

    def _push(self) -> str:
        self.git("push", "--quiet", str(self.night.settings.forge), "HEAD:main")
        return self.git("rev-parse", "HEAD")
