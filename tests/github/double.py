"""Stand in for GitHub: git in a real repository, the rest in memory, with GitHub's rules and people who merge."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.github import people, routes_git, routes_issues, routes_more, routes_pulls, routes_setup  # noqa: F401 - they register
from tests.github.faults import Fault, Kill
from tests.github.repository import Entry, Person, Repository
from tests.github.routing import Answer, answer
from tests.github.spec import Spec
from tests.github.state import Comment, Deployment, Issue, Pull, Request, now

TOKEN = "ghs_test"  # noqa: S105 - nobody's
APP_TOKEN = "app_test"  # noqa: S105 - nobody's
SCOPES = ("contents", "pull-requests", "issues", "deployments", "actions")


class Double:
    """One repository at GitHub, with one commit on main. Everything a test wants to know is an attribute.

    Args:
        folder: where the bare repository `repo.git` is made.
        spec: whose examples answers start from; needed only once it is served.
    """

    def __init__(self, folder: Path, spec: Spec | None = None) -> None:
        self.spec = spec
        self.name = "acme/demo"
        self.url = "http://127.0.0.1"
        self.lock = threading.RLock()
        self.repository = Repository(folder / "repo.git")
        self.tokens: dict[str, dict[str, str]] = {t: dict.fromkeys(SCOPES, "write") for t in (TOKEN, APP_TOKEN)}
        self.protected: set[str] = set()
        self.may_create_pulls = True
        self.secrets: dict[str, set[str]] = {}
        self.rules: list[str] = []
        self.asleep: set[str] = set()
        self.collaborators = {"alice", "bob"}
        self.teams = {"ml-owners"}
        self.issues: dict[int, Issue] = {}
        self.pulls: dict[int, Pull] = {}
        self.comments: dict[int, Comment] = {}
        self.labels: dict[str, dict[str, str]] = {}
        self.deployments: dict[int, Deployment] = {}
        self.dispatches: list[tuple[str, str, dict[str, str]]] = []
        self.verified: set[str] = set()
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.kill: Kill | None = None
        self.violations: list[str] = []
        self.push({"README.md": "# Demo\n"}, "Start")

    @property
    def writes(self) -> int:
        """How many requests came that may change something."""
        return sum(request.writes for request in self.requests)

    @property
    def main(self) -> str:
        """The tip of the default branch."""
        return self.tip("main") or ""

    def answer(self, request: Request) -> Answer:
        """What is said to a request, after its effect."""
        with self.lock:
            return answer(self, request)

    def kill_at(self, number: int, when: str = "before") -> None:
        """Kill the client that sends the write request `number` (from 1, counted from now), before or after its effect.

        The client tells its process id as `pid/1234` in its User-Agent; only a child of this process is killed.
        """
        self.kill = Kill(self.writes + number, after=when == "after")

    def meanwhile(self, act: Callable[[], object], number: int, when: str = "before") -> None:
        """Let something else happen before or after the effect of a write request, counted as in `kill_at`."""
        self.kill = Kill(self.writes + number, after=when == "after", instead=act)

    def bot(self, token: str) -> str:
        """Who acts with a token."""
        return "acme-retraining[bot]" if token.startswith("app_") else "github-actions[bot]"

    def next_number(self) -> int:
        """The number of the next issue or pull request, which share one series."""
        return 1 + len(self.issues) + len(self.pulls)

    def tip(self, branch: str) -> str | None:
        """The commit of a branch."""
        return self.repository.resolve(f"refs/heads/{branch}")

    def read(self, path: str, ref: str = "main") -> str | None:
        """A file as it is at a ref."""
        content = self.repository.read(path, ref)
        return None if content is None else content.decode()

    def push(
        self, files: Mapping[str, str | bytes | None], message: str, *, branch: str = "main", person: str = "alice"
    ) -> str:
        """A person pushes a commit that writes (None: deletes) files. A new branch starts at main. Return it."""
        with self.lock:
            base = self.tip(branch) or (None if branch == "main" else self.tip("main"))
            written = {path: text for path, text in files.items() if text is not None}
            blobs = dict(zip(written, self.repository.blobs(written.values()), strict=True))
            tree = self.repository.tree(base, {path: Entry(blobs.get(path)) for path in files})
            who = Person(person)
            commit = self.repository.commit(tree, [base] if base else [], message, who, who)
            self.move(f"refs/heads/{branch}", commit, by=person)
            return commit

    def merge(self, number: int, person: str = "alice") -> str:
        """A person merges a pull request; its branch stays. Return the merge commit."""
        with self.lock:
            return people.merge(self, self.pulls[number], person)

    def revert(self, commit: str, person: str = "bob", *, through_pull: bool = True) -> str:
        """A person reverts a commit of main, by pull request and merge or by a push. Return the new tip of main."""
        with self.lock:
            return people.revert(self, commit, person, through_pull=through_pull)

    def move(self, ref: str, commit: str | None, *, by: str) -> None:
        """Make a ref stand for a commit (None: delete it), and let open pull requests follow."""
        self.repository.point(ref, commit)
        branch = ref.removeprefix("refs/heads/")
        for pull in self.pulls.values():
            if pull.state == "open" and branch in (pull.head, pull.base):
                self.settle(pull, moved=branch, by=by)

    def settle(self, pull: Pull, *, moved: str, by: str) -> None:
        """Bring an open pull request up to where its branches are now, as GitHub does after each push.

        Without its branch, or with nothing in it that is not in its base, it is closed; merged, if the base took it in.
        """
        head, base = self.tip(pull.head), self.tip(pull.base)
        if head is None or base is None:
            pull.turn("closed")
            return
        pull.sha, pull.updated_at = head, now()
        self.repository.point(f"refs/pull/{pull.number}/head", head)
        if self.repository.contains(base, head):
            pull.turn("closed")
            if moved == pull.base:
                pull.merged_by, pull.merged_at, pull.merge_commit = by, now(), base
            return
        tree = self.repository.merged(base, head)
        pull.mergeable = tree is not None
        who = Person("GitHub", "noreply@github.example")
        message = f"Merge {head} into {base}"
        pull.merge_commit = self.repository.commit(tree, [base, head], message, who, who) if tree else None
        self.repository.point(f"refs/pull/{pull.number}/merge", pull.merge_commit)
