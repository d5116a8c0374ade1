"""Put the template to use: its files at the double, and beside it a real MLflow and a real monitoring table."""

from __future__ import annotations

import copy
import datetime as dt
import json
import shutil
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.github.act import Act, Run
from tests.github.double import TOKEN, Double
from tests.github.state import Comment, Deployment, Issue, Pull, Request
from tests.place import EXAMPLE, FIRST, ROOT, Place

MANIFEST = "model/flights/production.json"
# Each of these is a secret of the environments that docs/setup-github.md tells to make; "marked" is looked for.
SECRETS = {
    "MLFLOW_TRACKING_TOKEN": "marked-token",
    "RETRAINING_APP_KEY": "marked-app-key",
    "APPRISE_URLS": "json://marked-user:marked-password@127.0.0.1:9/",
}


@dataclass(frozen=True)
class Scene:
    """What a run left: at GitHub, in MLflow and on its own page. Later runs do not change it."""

    run: Run
    pulls: dict[int, Pull]
    issues: dict[int, Issue]
    comments: list[Comment]
    deployments: list[Deployment]
    requests: list[Request]
    production: tuple[int, ...]
    versions: int
    events: list[dict[str, Any]]

    def flights(self) -> tuple[Pull, str]:
        """The pull request of flights that was opened last, with its body."""
        pull = max((pull for pull in self.pulls.values() if pull.head == "promote/flights"), key=lambda one: one.number)
        return pull, pull.body or ""

    def record(self, artifact: str, name: str) -> dict[str, Any]:
        """A record that the run kept."""
        found: dict[str, Any] = json.loads((self.run.artifacts / artifact / name).read_text(encoding="utf-8"))
        return found

    def kept(self) -> set[str]:
        """The files of all artifacts, as ARTIFACT/FILE."""
        files = (path for path in self.run.artifacts.rglob("*") if path.is_file())
        return {path.relative_to(self.run.artifacts).as_posix() for path in files}

    def kinds(self) -> list[str]:
        """What is in the event log."""
        return [event["event"] for event in self.events]

    @property
    def open(self) -> dict[str, Issue]:
        """The open issues by their cause, as MODEL/CAUSE."""
        found = (issue for issue in self.issues.values() if issue.state == "open")
        return {(issue.body or "").split(" -->")[0].removeprefix("<!-- retraining "): issue for issue in found}


class Template:
    """A repository made from the template, whose first model is in Production and has served for some weeks.

    Args:
        double: the GitHub; it gets the files.
        act: runs its workflows.
        place: has the MLflow and the monitoring table, and what is not at the double: a laptop of the team.
    """

    def __init__(self, double: Double, act: Act, place: Place) -> None:
        self.double, self.act, self.place = double, act, place
        self.runs: list[Run] = []
        double.push({**template(), MANIFEST: place.manifest.read_text()}, "Use this template")

    @property
    def tracking(self) -> str:
        """The address of MLflow."""
        return f"sqlite:///{self.place.folder}/local/mlflow.db"

    def after(self, scene: Scene) -> Template:
        """The template as it is after a scene, which must be the last one."""
        assert scene.run is self.runs[-1], "each run stands on the one before"
        return self

    def run(self, event: str, workflow: str, *, day: str, rows: Path | None = None, **more: Any) -> Scene:
        """A run on a night, on the rows of the monitoring table or of a copy of it."""
        secrets = {**SECRETS, "MLFLOW_TRACKING_URI": self.tracking, "MONITORING_URL": str(rows or self.place.database)}
        begin = len(self.double.requests)
        run = self.act.run(event, workflow, secrets=secrets, env={"MLOPS_AS_OF": day}, **more)
        self.runs.append(run)
        return self.scene(run, begin)

    def dispatch(self, day: str, *, rows: Path | None = None, **more: Any) -> Scene:
        """A person starts a night of flights, and says why."""
        inputs = {"model": "flights", "force": "true", "reason": "by hand", **more.pop("inputs", {})}
        return self.run("workflow_dispatch", "retrain.yml", day=day, rows=rows, inputs=inputs, **more)

    def scene(self, run: Run, begin: int) -> Scene:
        """How things are after a run."""
        double, history = self.double, self.place.mlops("history", "--jsonl", "--model", "flights", day=None)
        return Scene(
            run=run,
            pulls=copy.deepcopy(double.pulls),
            issues=copy.deepcopy(double.issues),
            comments=copy.deepcopy(list(double.comments.values())),
            deployments=copy.deepcopy(list(double.deployments.values())),
            requests=double.requests[begin:],
            production=self.place.production(),
            versions=self.place.versions(),
            events=[json.loads(line) for line in history.out.splitlines()],
        )

    def rows(self, name: str, *statements: str) -> Path:
        """A copy of the monitoring table in which something is changed."""
        path = self.place.folder / "local" / f"{name}.db"
        shutil.copy(self.place.database, path)
        self.place.sql(*statements, database=path)
        return path

    def mlops(self, *words: str, day: str) -> None:
        """Somebody of the team runs a command on a laptop, for the repository at the double."""
        env = {"MLOPS_FORGE": "https://github.com/acme/demo", "GITHUB_API_URL": self.double.url, "GITHUB_TOKEN": TOKEN}
        ran = self.place.mlops(*words, day=dt.date.fromisoformat(day), env=env)
        assert ran.code == 0, ran.err

    def by_hand(self, version: int) -> None:
        """Somebody moves a version to Production in MLflow's pages."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # MLflow's, about stages
            client = self.place.night(FIRST).registry.client
            client.transition_model_version_stage("flights", str(version), "Production", archive_existing_versions=True)

    def told(self) -> str:
        """All that runs said or left where somebody can read it: logs, pages, artifacts, requests and answers."""
        texts = [text for run in self.runs for text in (run.log, *run.summaries)]
        kept = [path for run in self.runs for path in run.artifacts.rglob("*") if path.is_file()]
        texts += [path.read_text(encoding="utf-8") for path in kept]
        texts += [json.dumps(request.body) for request in self.double.requests]
        return "\n".join(texts)


def example() -> dict[str, bytes]:
    """The example as the tests have it, for a repository that has deleted its own."""
    files = (path for path in (EXAMPLE / "model" / "flights").iterdir() if path.is_file())
    return {path.relative_to(EXAMPLE).as_posix(): path.read_bytes() for path in files}


def template() -> dict[str, str | bytes | None]:
    """What a team gets: all files that git has here, but for tests and the flights."""
    words = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    wanted = (name for name in listed if name and not name.startswith(("tests/", "model/flights/data/")))
    files: dict[str, str | bytes | None] = {
        name: (ROOT / name).read_bytes() for name in wanted if (ROOT / name).is_file()
    }
    return {**example(), **files}
