"""What people and pushes do to pull requests really happens in git."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.github.double import Double

PATH = "model/flights/production.json"
Open = Callable[..., int]


@pytest.fixture
def double(tmp_path: Path) -> Double:
    """A double that nobody asks over the network, so that neither node nor Prism is needed."""
    return Double(tmp_path / "github")


def test_merge_moves_main(double: Double, pull: Open) -> None:
    """A merge is a commit of main with two parents; the branch stays, as GitHub leaves it by default."""
    number = pull({PATH: "2\n"})
    before, head = double.main, double.tip("promote/x")

    merged = double.merge(number, person="alice")

    assert merged == double.main
    assert f"{before} {head}" == double.repository.git("log", "-1", "--format=%P", merged)
    assert "2\n" == double.read(PATH)
    assert (True, "closed", "alice") == (
        double.pulls[number].merged,
        double.pulls[number].state,
        double.pulls[number].merged_by,
    )
    assert head == double.tip("promote/x")


@pytest.mark.parametrize("through_pull", [True, False])
def test_revert_brings_the_old_file_back(double: Double, pull: Open, through_pull: bool) -> None:
    """A revert undoes the merge and nothing that came after it, by a pull request of its own or by a push."""
    double.push({PATH: "1\n"}, "First")
    merged = double.merge(pull({PATH: "2\n"}))
    double.push({"later.txt": "later\n"}, "Go on")

    tip = double.revert(merged, through_pull=through_pull)

    assert tip == double.main
    assert "1\n" == double.read(PATH)
    assert "later\n" == double.read("later.txt")
    assert (2 if through_pull else 1) == len(double.pulls)


def test_a_conflict_cannot_be_merged_or_reverted(double: Double, pull: Open) -> None:
    """Where both sides changed a line there is nothing to merge, and GitHub offers no merge commit."""
    double.push({PATH: "1\n"}, "First")
    number = pull({PATH: "2\n"})
    tip = double.push({PATH: "3\n"}, "Other")

    assert not double.pulls[number].mergeable
    assert double.tip("main") == tip
    with pytest.raises(AssertionError, match="cannot be merged"):
        double.merge(number)


def test_pull_requests_follow_their_branches(double: Double, pull: Open) -> None:
    """A push moves the head; a deleted or emptied branch closes; a base that took the head in has merged it."""
    moved = pull({PATH: "2\n"})
    head = double.push({PATH: "3\n"}, "Again", branch="promote/x")
    assert (head, head) == (double.pulls[moved].sha, double.repository.resolve(f"refs/pull/{moved}/head"))

    double.move("refs/heads/promote/x", None, by="alice")
    emptied = pull({PATH: "2\n"}, branch="promote/y")
    double.move("refs/heads/promote/y", double.main, by="alice")
    taken = pull({PATH: "2\n"}, branch="promote/z")
    double.move("refs/heads/main", double.tip("promote/z"), by="alice")

    assert [("closed", False), ("closed", False), ("closed", True)] == [
        (double.pulls[number].state, double.pulls[number].merged) for number in (moved, emptied, taken)
    ]
