"""Git, run the same way on every machine: without configuration, hooks, language or prompts, with a time limit."""

from __future__ import annotations
import datetime as dt
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from core.errors import OutsideError
from review.forge import BOT

SECONDS = 60
LOCK_SECONDS = 3  # git itself waits so long for the lock of another process
LOCKED = re.compile(r"Unable to create '([^']+\.lock)': File exists")
QUIET = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_AUTHOR_NAME": BOT,
    "GIT_COMMITTER_NAME": BOT,
    "GIT_AUTHOR_EMAIL": f"{BOT}@localhost",
    "GIT_COMMITTER_EMAIL": f"{BOT}@localhost",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}


class GitError(OutsideError):
    """Git failed; `output` is all of its standard error."""

    def __init__(self, args: tuple[str, ...], output: str) -> None:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote: error"))]
        what = f"git {args[0]} failed: {next(iter([*errors, *lines]), 'no reason given')[:300]}"
        locked = LOCKED.search(output)
        self.lock = locked[1] if locked else None
        if self.lock:
            super().__init__(
                f"git {args[0]} failed: the file {self.lock} exists.",
                why="A git process that was killed left it, or another one is working there.",
                fix=f"If no other run or git command is working there, type: rm '{self.lock}' and run this again.",
            )
        else:
            super().__init__(what, why="The repository is damaged or not writable.", fix="Run `git fsck` in it.")
        self.output = output

    @property
    def lost_race(self) -> bool:
        """Return whether another process moved a ref in the meantime. A lock that stays is another matter."""
        return "cannot lock ref" in self.output and self.lock is None


class Git:
    """Git in one folder.

    Args:
        folder: where git runs: a work tree or a bare repository.
        as_of: the date that new commits carry.
    """

    def __init__(self, folder: Path, as_of: dt.datetime | None = None) -> None:
        self.folder = folder
        self.as_of = as_of

    def __call__(self, *words: str, given: str | bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Return what `raw` returns as text, without the last line end."""
        return self.raw(*words, given=given, env=env).decode(errors="replace").rstrip("\n")

    def raw(self, *words: str, given: str | bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """Run `git WORDS` with `given` on standard input and return its output.

        Raises:
            GitError: git failed.
            OutsideError: git is not installed, the folder does not exist, or git took longer than a minute.
        """
        # The user chose this folder and runs code from it anyway. Its owner may differ (containers, mounts).
        settings = {
            "safe.directory": self.folder,
            "core.hooksPath": os.devnull,
            "core.filesRefLockTimeout": LOCK_SECONDS * 1000,
            "core.packedRefsTimeout": LOCK_SECONDS * 1000,
        }
        call = ("git", *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")), *words)
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and the arguments are constants or commits
                call,
                cwd=self.folder,
                env={**self._environment(), **(env or {})},
                input=given.encode(errors="replace") if isinstance(given, str) else given,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as err:
            raise OutsideError(
                f"git {words[0]} did not end within {SECONDS} seconds in {self.folder}.",
                why="The disk is very slow, or another process has locked the repository.",
                fix="Try again.",
            ) from err
        except OSError as err:
            raise self._cannot_start(err) from err
        if done.returncode:
            raise GitError(words, done.stderr.decode(errors="replace"))
        return done.stdout

    def succeeds(self, *words: str) -> bool:
        """Return whether git exits with 0, for a question such as `merge-base --is-ancestor`."""
        try:
            self(*words)
        except GitError:
            return False
        return True

    def _environment(self) -> dict[str, str]:
        """Return the environment without variables of git: in a hook, GIT_DIR would point to another repository."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        moment = self.as_of or dt.datetime.fromtimestamp(0, dt.UTC)
        date = f"@{int(moment.timestamp())} +0000"
        return {**kept, **QUIET, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}

    def _cannot_start(self, err: OSError) -> OutsideError:
        if self.folder.is_dir() and isinstance(err, FileNotFoundError):
            return OutsideError("git is not installed, or not on PATH.", fix="Install git, then run this again.")
        return OutsideError(f"Cannot run git in {self.folder}: {err.strerror}.", fix="Check that the folder exists.")


def checked_out(git: Git) -> tuple[str, str]:
    """Return the commit that is checked out, and its branch (main if HEAD is detached)."""
    if not git.succeeds("rev-parse", "--git-dir") or git("rev-parse", "--show-prefix"):
        raise OutsideError(
            f"{git.folder} is not a git repository.",
            why="Proposals are commits, so this folder must be the root of a git repository.",
            fix="Type: git init -b main && git add --all && git commit -m 'Use this template'",
        )
    if not git.succeeds("rev-parse", "--quiet", "--verify", "HEAD"):
        raise OutsideError(
            f"{git.folder} has no commit yet.", fix="Type: git add --all && git commit -m 'Use this template'"
        )
    branch = git("branch", "--show-current") or "main"
    return git("rev-parse", "HEAD"), branch
