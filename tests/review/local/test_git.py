"""Git's own locks: waited for, and named if they stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import OutsideError
from review.local import git as module
from review.local.forge import LocalForge
from tests.review.local.test_forge import forge, git, offer, root  # noqa: F401 - fixtures


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git itself waits for a lock; here it does not."""
    monkeypatch.setattr(module, "LOCK_SECONDS", 0)


@pytest.mark.parametrize("ref", ["heads/promote/flights", "pulls/1/meta"])
def test_a_lock_that_a_killed_git_left_is_named_and_not_taken_for_a_race(forge: LocalForge, ref: str) -> None:  # noqa: F811
    """The error names the file and the command that removes it; afterwards the proposal is made."""
    lock = forge.path / "refs" / f"{ref}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    with pytest.raises(OutsideError, match=rf"{lock.name} exists") as caught:
        offer(forge, 2)
    assert f"rm '{lock}'" in caught.value.fix.replace("/./", "/")
    lock.unlink()

    assert 1 == offer(forge, 2)


def test_a_locked_main_is_not_taken_for_two_histories(forge: LocalForge, root: Path) -> None:  # noqa: F811
    """A push that meets the lock names it, instead of a merge that is not needed."""
    git(root, "commit", "--quiet", "--allow-empty", "--message", "More")
    (forge.path / "refs" / "heads" / "main.lock").touch()

    with pytest.raises(OutsideError, match=r"main\.lock exists"):
        forge.ensure(root)
