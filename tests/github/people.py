"""Do what people do with a pull request at GitHub's pages: merge it, and press Revert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.github.repository import Person
from tests.github.state import Pull, now

if TYPE_CHECKING:
    from tests.github.double import Double


def merge(double: Double, pull: Pull, person: str) -> str:
    """Merge a pull request by a merge commit and return that."""
    tree = double.repository.merged(double.tip(pull.base) or "", pull.sha)
    if pull.state != "open" or tree is None:
        raise AssertionError(f"#{pull.number} cannot be merged: it is {pull.state}, mergeable: {tree is not None}")
    message = f"Merge pull request #{pull.number} from {double.name.split('/')[0]}/{pull.head}\n\n{pull.title}"
    parents = [double.tip(pull.base) or "", pull.sha]
    commit = double.repository.commit(tree, parents, message, Person(person), Person("GitHub"))
    pull.turn("closed")
    pull.merged_by, pull.merged_at, pull.merge_commit = person, now(), commit
    double.move(f"refs/heads/{pull.base}", commit, by=person)
    return commit


def revert(double: Double, commit: str, person: str, *, through_pull: bool) -> str:
    """Undo a commit on main and return the new tip of main."""
    tip = double.main
    tree = double.repository.reverted(commit, tip)
    if tree is None:
        raise AssertionError(f"{commit} cannot be reverted: later commits changed the same lines")
    title = double.repository.git("log", "-1", "--format=%b%n%s", commit).strip().splitlines()[0]
    message = f'Revert "{title}"\n\nThis reverts commit {commit}.'
    undone = double.repository.commit(tree, [tip], message, Person(person), Person(person))
    if not through_pull:
        double.move("refs/heads/main", undone, by=person)
        return undone
    number = next((pull.number for pull in double.pulls.values() if pull.merge_commit == commit), 0)
    branch = f"revert-{number}-{double.pulls[number].head}" if number else f"revert-{commit[:7]}"
    double.move(f"refs/heads/{branch}", undone, by=person)
    pull = opened(double, f'Revert "{title}"', f"Reverts {double.name}#{number}", branch, "main", person)
    return merge(double, pull, person)


def opened(double: Double, title: str, body: str | None, head: str, base: str, author: str) -> Pull:
    """A new open pull request."""
    pull = Pull(double.next_number(), title, body, author, head=head, base=base)
    double.pulls[pull.number] = pull
    double.settle(pull, moved=head, by=author)
    return pull
