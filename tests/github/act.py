"""Run workflows of the double's repository with act: on this machine, offline, without containers."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.github import events, tools, workflows
from tests.github.double import APP_TOKEN, TOKEN, Double

SECONDS = 600
WORST = ("failure", "cancelled", "success", "skipped")


@dataclass(frozen=True)
class Run:
    """What a run left behind.

    `jobs` has the result of each job by its id, skipped where it did not start; of several by a matrix the worst. A job
    that calls a workflow is there only as the jobs that started in that: its name, a slash, their id.
    `artifacts` has a folder for each artifact; `summaries` are the steps' in the order in which they ended.
    """

    code: int
    log: str
    jobs: dict[str, str]
    summaries: list[str]
    artifacts: Path


class Act:
    """Runs on one double, each in a folder of its own.

    Args:
        double: whose repository is cloned, and who answers for the API.
        folder: where it works.
        warm: the socket of a process that has loaded the libraries (warm.py); without it each command loads them.

    Raises:
        MissingError: act is not installed.
    """

    def __init__(self, double: Double, folder: Path, warm: Path | None = None) -> None:
        self.double = double
        self.folder = folder
        self.warm = warm
        self.program = tools.act()
        self.numbers = itertools.count(1001)

    def run(  # noqa: PLR0913 - what a run can be given
        self,
        event: str,
        workflow: str,
        *,
        inputs: Mapping[str, str] | None = None,
        payload: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        token: str = TOKEN,
        ref: str = "main",
        at: str | None = None,
    ) -> Run:
        """Let an event start a workflow (a file's name) on a branch, or for a pull request on its merge with its base.

        `payload` is added to what GitHub says about the event: for a pull request give its `number`. With `at`, which
        is a commit of the branch, the event is an old one that is run again.

        Raises:
            LookupError: there is nothing to run on, or the workflow uses an action that has no stand-in.
        """
        number = next(self.numbers)
        folder = self.folder / f"run-{number}"
        content = events.payload(self.double, event, ref, inputs or {}, payload or {}, at)
        if event.startswith("pull_request") and event != "pull_request_target":
            ref = f"refs/pull/{content['number']}/merge"
        if self.double.repository.commit_of(ref) is None:
            raise LookupError(f"{ref} does not exist (a pull request that conflicts with its base starts no workflow)")
        copy = self._clone(folder / "copy", ref, at or ref)
        (folder / "event.json").write_text(json.dumps(content), encoding="utf-8")
        options = {
            "--env": {**self._env(number), **(env or {})},
            "--secret": {"GITHUB_TOKEN": token, **(secrets or {})},
            "--var": variables or {},
        }
        words = [f"{flag}={name}={value}" for flag, pairs in options.items() for name, value in pairs.items()]
        maps = [f"--local-repository={pair}" for pair in workflows.standins(copy)]
        file = f".github/workflows/{workflow}"
        code, said = self._call(folder, event, f"--workflows={file}", *maps, *words)
        return _read(code, said, copy / file, self.folder / "artifacts" / str(number))

    def _clone(self, copy: Path, ref: str, commit: str) -> Path:
        """A checkout of a ref, as it is or was at a commit, made runnable; its HEAD stays the event's commit."""
        copy.mkdir(parents=True)
        for words in (
            ("init", "--quiet", "--initial-branch=main"),
            ("fetch", "--quiet", str(self.double.repository.path), f"+{commit}:refs/remotes/origin/event"),
            ("checkout", "--quiet", *(["--detach"] if ref.startswith("refs/") else ["-B", ref]), "origin/event"),
            ("remote", "add", "origin", f"https://github.com/{self.double.name}.git"),
        ):
            subprocess.run(("git", *words), cwd=copy, env=self._own_env(copy), check=True, capture_output=True)
        workflows.rewrite_all(copy)
        return copy

    def _env(self, number: int) -> dict[str, str]:
        return {
            "GITHUB_RUN_ID": str(number),
            "GITHUB_API_URL": self.double.url,
            "ACT_REMOTE": self.double.repository.path.as_uri(),
            "ACT_ARTIFACTS": str(self.folder / "artifacts"),
            "ACT_PYTHON": sys.executable,
            "ACT_APP_TOKEN": APP_TOKEN,
            "ACT_WARM": str(self.warm or ""),
        }

    def _own_env(self, home: Path) -> dict[str, str]:
        """Nothing of this process but PATH, and there not its environment: the step that sets it up must be run."""
        own = str(Path(sys.executable).parent)
        path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != own)
        quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LANG": "C.UTF-8"}
        return {"PATH": path, "HOME": str(home), "XDG_CACHE_HOME": str(home), "XDG_CONFIG_HOME": str(home), **quiet}

    def _call(self, folder: Path, event: str, *words: str) -> tuple[int, str]:
        home = folder / "home"
        home.mkdir()
        fixed = [
            "--platform=ubuntu-latest=-self-hosted",
            "--pull=false",
            "--no-cache-server",
            "--no-skip-checkout",
            "--action-offline-mode",
            f"--action-cache-path={folder / 'cache'}",
            "--defaultbranch=main",
            "--actor=alice",
            f"--eventpath={folder / 'event.json'}",
            "--json",
        ]
        process = subprocess.Popen(
            [self.program, event, *fixed, *words],
            cwd=folder / "copy",
            env=self._own_env(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            raise AssertionError(f"{event} did not end within {SECONDS} seconds:\n{said[-5000:]}") from None
        return process.returncode, said


def _read(code: int, said: str, file: Path, artifacts: Path) -> Run:
    """What act's lines, one JSON object each, say about a run."""
    declared = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
    jobs = {name: "skipped" for name, job in declared.items() if "uses" not in job}
    log, summaries = [], []
    for line in said.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            entry = {"msg": line}
        log.append(f"{entry.get('job', '').strip()} | {entry['msg'].rstrip()}")
        if "jobResult" in entry:
            job = _name(entry, jobs)
            jobs[job] = min(jobs.get(job, "skipped"), entry["jobResult"], key=WORST.index)
        if entry.get("command") == "summary":
            summaries.append(entry["content"])
    return Run(code, "\n".join(log), jobs, summaries, artifacts)


def _name(entry: Mapping[str, str], jobs: Mapping[str, str]) -> str:
    """The name of a job; act shows one of a called workflow as `CALLER-2/WORKFLOW/JOB`, the 2 if by a matrix."""
    if entry["jobID"] in jobs and entry["job"].count("/") == 1:
        return entry["jobID"]
    return f"{re.sub('-[0-9]+$', '', entry['job'].split('/')[0])}/{entry['jobID']}"
