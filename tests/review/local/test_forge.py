from __future__ import annotations

import datetime as dt
import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import OutsideError, UsageError
from registry.promotion.manifest import Manifest, dump
from review.local.forge import LocalForge
from review.local.pull_store import Store

NIGHT = dt.datetime(2013, 6, 1, 4, tzinfo=dt.UTC)
LATER = NIGHT + dt.timedelta(days=9)
FILE = "model/flights/production.json"


def git(folder: Path, *words: str) -> str:
    """A person's git, with their name and nothing of this machine's configuration."""
    who = {f"GIT_{role}_{what}": "ann@x.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    done = subprocess.run(["git", *words], cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout.strip()


def manifest(version: int) -> str:
    """The text of a manifest."""
    return dump(
        Manifest(
            model="flights",
            version=version,
            run_id=f"{version:032x}",
            digest=f"{version:064x}",
            data_digest=f"{version:064x}",
            commit=f"{version:040x}",
            champion=version - 1 or None,
            trained_at=NIGHT + version * (LATER - NIGHT),
            data_until=NIGHT,
            metric="balanced_accuracy",
            score=0.6 + version / 100,
            reference=0.65,
            reason="drift",
        )
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "README.md").write_text("a model\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


@pytest.fixture
def forge(tmp_path: Path, root: Path) -> LocalForge:
    """A forge made of that repository."""
    made = LocalForge(tmp_path / "local" / "forge.git")
    made.ensure(root)
    return made


def offer(forge: LocalForge, version: int, as_of: dt.datetime = NIGHT) -> int:
    """Propose a version; the number of its pull request."""
    made = forge.propose("flights", f"Promote version {version}", f"v{version}\n", {FILE: manifest(version)}, as_of)
    return made.number


def merge(forge: LocalForge, root: Path, *how: str) -> str:
    """Merge the open proposal as a person does, push, and return the commit."""
    git(root, "fetch", "--quiet", str(forge.path), "promote/flights")
    git(root, "merge", "--quiet", *(how or ("--no-ff", "-m", "Merge")), "FETCH_HEAD")
    if "--squash" in how:
        git(root, "commit", "--quiet", "--message", "squashed")
    git(root, "push", "--quiet", str(forge.path), "HEAD:main")
    return git(root, "rev-parse", "HEAD")


def states(forge: LocalForge) -> list[str]:
    """The states of all proposals, oldest first."""
    return [proposal.state for proposal in forge.proposals()]


def refs(forge: LocalForge) -> str:
    """Everything the forge holds."""
    return git(forge.path, "for-each-ref")


def test_a_proposal_is_one_commit_on_top_of_main_and_no_work_tree_is_touched(forge: LocalForge, root: Path) -> None:
    """Proposing writes a branch with one file changed, authored by the bot at the night's instant, and nothing else."""
    assert 1 == offer(forge, 1)

    assert [FILE] == git(forge.path, "diff", "--name-only", "main", "promote/flights").splitlines()
    assert manifest(1).strip() == git(forge.path, "show", f"promote/flights:{FILE}")
    written = git(forge.path, "log", "-1", "--format=%an %at %P", "promote/flights")
    assert f"retraining-bot {NIGHT.timestamp():.0f} {git(root, 'rev-parse', 'HEAD')}" == written
    assert "" == git(root, "status", "--porcelain")
    opened = forge.open_proposal("flights")
    assert opened is not None
    assert ("open", "Promote version 1", "v1\n", NIGHT) == (opened.state, opened.title, opened.body, opened.opened_at)
    assert None is forge.open_proposal("other")


def test_the_same_content_twice_changes_nothing(forge: LocalForge) -> None:
    """Repeating a proposal leaves every ref where it was."""
    offer(forge, 1)
    before = refs(forge)

    assert 1 == offer(forge, 1)
    assert before == refs(forge)


def test_a_second_candidate_updates_the_open_proposal_in_place(forge: LocalForge) -> None:
    """One open proposal a model: same number, same opening date, new content, and the old text stays in git."""
    offer(forge, 1)
    assert 1 == offer(forge, 2, LATER)

    (proposal,) = forge.proposals()
    assert ("Promote version 2", NIGHT, LATER) == (proposal.title, proposal.opened_at, proposal.as_of)
    assert 1 == int(git(forge.path, "rev-list", "--count", "main..promote/flights"))
    assert "v1" == git(forge.path, "show", "refs/pulls/1/meta^1:body.md")


def test_each_model_has_its_own_proposal(forge: LocalForge) -> None:
    """Two models are proposed side by side, with numbers of their own."""
    offer(forge, 1)
    other = forge.propose("churn", "Promote churn", "", {"model/churn/production.json": "{}\n"}, NIGHT)

    assert (2, "promote/churn") == (other.number, other.branch)
    assert ["flights", "churn"] == [proposal.model for proposal in forge.proposals()]
    assert [2] == [proposal.number for proposal in forge.proposals("churn")]


@pytest.mark.parametrize("how", [("--no-ff", "-m", "Merge"), ("--ff-only",), ("--squash",)])
def test_a_merge_by_a_person_is_seen_however_it_is_done(forge: LocalForge, root: Path, how: tuple[str, ...]) -> None:
    """Merge commit, fast forward and squash all leave the proposal merged; the next one gets a new number."""
    offer(forge, 1)
    merge(forge, root, *how)

    assert None is forge.open_proposal("flights")
    assert ["merged"] == states(forge)
    assert 2 == offer(forge, 2, LATER)
    assert ["merged", "open"] == states(forge)


@pytest.mark.parametrize("how", [("--no-ff", "-m", "Merge"), ("--squash",)])
def test_revert_and_revert_of_the_revert(forge: LocalForge, root: Path, how: tuple[str, ...]) -> None:
    """Git alone moves the manifest back and forth; the proposal stays merged all the while."""
    offer(forge, 1)
    merge(forge, root)
    offer(forge, 2, LATER)
    merged = merge(forge, root, *how)
    mainline = () if "--squash" in how else ("-m", "1")

    git(root, "revert", "--no-edit", *mainline, merged)
    git(root, "push", "--quiet", str(forge.path), "HEAD:main")
    assert manifest(1).strip() == git(forge.path, "show", f"main:{FILE}")
    assert ["merged", "merged"] == states(forge)
    git(root, "revert", "--no-edit", "HEAD")
    git(root, "push", "--quiet", str(forge.path), "HEAD:main")
    assert manifest(2).strip() == git(forge.path, "show", f"main:{FILE}")
    assert ["merged", "merged"] == states(forge)


def test_reverting_an_old_promotion_conflicts(forge: LocalForge, root: Path) -> None:
    """A promotion that is no longer the newest cannot be reverted by accident: git stops with a conflict."""
    offer(forge, 1)
    merge(forge, root)
    offer(forge, 2)
    old = merge(forge, root)
    offer(forge, 3)
    merge(forge, root)

    with pytest.raises(AssertionError, match="CONFLICT"):
        git(root, "revert", "--no-edit", "-m", "1", old)
    assert manifest(3).strip() == git(forge.path, "show", f"main:{FILE}")


def test_what_was_merged_already_is_not_proposed_again(forge: LocalForge, root: Path) -> None:
    """A repeated proposal after the merge says that there is nothing to propose."""
    offer(forge, 1)
    merge(forge, root)

    with pytest.raises(UsageError, match="already has"):
        offer(forge, 1)


def test_deleting_the_branch_closes_the_proposal(forge: LocalForge) -> None:
    """A person may close a proposal with git alone; a new one does not open the old one again."""
    offer(forge, 1)
    git(forge.path, "branch", "-D", "promote/flights")
    assert ["closed"] == states(forge)

    assert 2 == offer(forge, 2)
    assert ["closed", "open"] == states(forge)


def test_closing_keeps_text_and_reason(forge: LocalForge, root: Path) -> None:
    """A closed proposal says why; it cannot be merged by its branch any more, and closing again changes nothing."""
    offer(forge, 1)
    assert ("closed", "too old") == (forge.close(1, "too old").state, forge.proposals()[0].reason)
    assert "v1\n" == forge.close(1, "again").body
    assert "refs/heads/promote/flights" not in refs(forge)
    with pytest.raises(UsageError, match="no pull request 7"):
        forge.close(7, "")
    offer(forge, 2)
    merge(forge, root)
    with pytest.raises(UsageError, match="is already merged"):
        forge.close(2, "")


def test_a_kill_between_branch_and_text_is_healed_by_the_next_run(forge: LocalForge) -> None:
    """Refs half written by a killed process: the proposal is whole, old or not there, and the next run completes it."""
    offer(forge, 1)
    git(forge.path, "update-ref", "-d", "refs/pulls/1/meta")
    assert [] == forge.proposals()
    assert 1 == offer(forge, 1)

    before = refs(forge)
    offer(forge, 2)
    old = next(line.split()[0] for line in before.splitlines() if "pulls/1/meta" in line)
    git(forge.path, "update-ref", "refs/pulls/1/meta", old)
    assert "Promote version 1" == forge.proposals()[0].title
    assert 1 == offer(forge, 2)
    assert ("Promote version 2", "open") == (forge.proposals()[0].title, forge.proposals()[0].state)


class Interrupted(Store):
    """A store in which somebody else is faster, for as often as told."""

    times = 0

    def move(self, refs: Mapping[str, str], targets: Mapping[str, str | None]) -> None:
        """Let the other one act, then go on with what was read before."""
        if Interrupted.times:
            Interrupted.times -= 1
            tree = self.git("rev-parse", "main^{tree}")
            self.git("update-ref", "refs/heads/main", self.commit(tree, "other", [self.git("rev-parse", "main")]))
        super().move(refs, targets)


@pytest.mark.parametrize(("times", "outcome"), [(1, "open"), (2, "error")])
def test_the_slower_of_two_writers_tries_once_more(
    forge: LocalForge, monkeypatch: pytest.MonkeyPatch, times: int, outcome: str
) -> None:
    """Main moves between reading and writing: nothing is overwritten, one retry is made, then it is an error."""
    monkeypatch.setattr("review.local.forge.Store", Interrupted)
    monkeypatch.setattr(Interrupted, "times", times)
    if outcome == "open":
        offer(forge, 1)
        assert git(forge.path, "rev-parse", "main") == forge.proposals()[0].base
    else:
        with pytest.raises(OutsideError, match="another process"):
            offer(forge, 1)
        assert [] == forge.proposals()


def test_two_proposers_at_once_leave_two_whole_proposals(forge: LocalForge) -> None:
    """Two models proposed by two threads at the same moment get two numbers, and nothing is lost."""
    start = threading.Barrier(2)

    def run(model: str) -> None:
        start.wait()
        forge.propose(model, model, model, {f"model/{model}/production.json": model}, NIGHT)

    threads = [threading.Thread(target=run, args=(model,)) for model in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [(1, "open"), (2, "open")] == [(proposal.number, proposal.state) for proposal in forge.proposals()]
    assert {"a", "b"} == {proposal.model for proposal in forge.proposals()}


def test_two_proposals_of_one_model_at_once_leave_one(forge: LocalForge) -> None:
    """Two runs of one model end in one open proposal whose branch, text and file belong together."""
    start = threading.Barrier(2)

    def run(version: int) -> None:
        start.wait()
        offer(forge, version)

    threads = [threading.Thread(target=run, args=(version,)) for version in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (proposal,) = forge.proposals()
    version = int(proposal.title.rpartition(" ")[2])
    assert (1, "open", f"v{version}\n") == (proposal.number, proposal.state, proposal.body)
    assert proposal.head == git(forge.path, "rev-parse", "promote/flights")
    assert manifest(version).strip() == git(forge.path, "show", f"promote/flights:{FILE}")


def test_ensure_sends_main_forward_and_never_an_unreviewed_branch(forge: LocalForge, root: Path) -> None:
    """New commits of the default branch reach the forge; those of any other branch, and older states, do not."""
    git(root, "commit", "--quiet", "--allow-empty", "--message", "second")
    forge.ensure(root)
    second = git(root, "rev-parse", "HEAD")
    assert second == git(forge.path, "rev-parse", "main")

    git(root, "switch", "--quiet", "--create", "promote/flights")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "sneaked in")
    forge.ensure(root)
    git(root, "switch", "--quiet", "main")
    git(root, "reset", "--quiet", "--hard", "HEAD~1")
    forge.ensure(root)
    assert second == git(forge.path, "rev-parse", "main")


def test_ensure_runs_no_hook_and_takes_a_shallow_clone(root: Path, tmp_path: Path) -> None:
    """A clone of depth 1, as CI makes, can found a forge; the person's own hooks stay out of it."""
    git(root, "commit", "--quiet", "--allow-empty", "--message", "second")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", root.as_uri(), str(clone))
    hook = clone / ".git" / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    forge = LocalForge(tmp_path / "forge.git")
    forge.ensure(clone)

    assert 1 == offer(forge, 1)


def test_ensure_says_what_is_wrong_with_the_repository(forge: LocalForge, root: Path, tmp_path: Path) -> None:
    """No repository, a folder inside another one, no commit, other history, a strange folder: each has its message."""
    other = tmp_path / "other"
    other.mkdir()
    (root / "inner").mkdir()
    for folder in (other, root / "inner"):
        with pytest.raises(OutsideError, match="not a git repository"):
            forge.ensure(folder)
    git(other, "init", "--quiet", "--initial-branch=main")
    with pytest.raises(OutsideError, match="no commit yet"):
        forge.ensure(other)
    git(other, "commit", "--quiet", "--allow-empty", "--message", "unrelated")
    with pytest.raises(OutsideError, match="have diverged"):
        forge.ensure(other)
    with pytest.raises(OutsideError, match="not empty"):
        LocalForge(root).ensure(root)
    with pytest.raises(OutsideError, match="Cannot create the forge"):
        LocalForge(root / "README.md" / "forge").ensure(root)


def test_before_there_is_a_forge_nothing_is_open(tmp_path: Path) -> None:
    """Asking is legal at any time; proposing without a forge is an error that says so."""
    forge = LocalForge(tmp_path / "none")

    assert (None, []) == (forge.open_proposal("flights"), forge.proposals())
    with pytest.raises(OutsideError, match="no branch main"):
        offer(forge, 1)


def test_git_missing_and_git_in_a_hook(forge: LocalForge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment of a git hook does not send us elsewhere; a machine without git gets a clear error."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "nowhere"))
    assert 1 == offer(forge, 1)

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutsideError, match="git is not installed"):
        forge.proposals()


def test_a_path_outside_the_repository_is_refused(forge: LocalForge) -> None:
    """What is proposed stays inside the repository, and out of .git."""
    for path in ("../x", "/x", ".git/config"):
        with pytest.raises(OutsideError, match="update-index failed"):
            forge.propose("flights", "t", "b", {path: "x"}, NIGHT)
