"""CI runs the engine's tests where a pull request can break the engine, and a job of a minute where it cannot."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.github import people, tools
from tests.github.act import Act, Run
from tests.github.double import Double
from tests.github.gateway import Gateway

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
JOBS: dict[str, dict[str, Any]] = yaml.safe_load(WORKFLOW)["jobs"]
WHO = ("-c", "user.name=team", "-c", "user.email=team@localhost", "-c", "init.defaultBranch=main")
FILES = {
    "model/flights/model.toml": "x = 1\n",
    "model/flights/data/rows.csv": "a\n",
    "README.md": "Hello.\n",
    "docs/replay.md": "Hello.\n",
    "docs/pictures/report.png": "picture\n",
    "docs/serving/service.py": "x = 1\n",
    "core/days.py": "DAY = 1\n",
    "tests/test_loop.py": "x = 1\n",
    "requirements.lock": "x==1\n",
    ".github/workflows/nightly.yml": "on: schedule\n",
    "pyproject.toml": "x = 1\n",
}
ASIDE = ["model/flights/model.toml", "model/flights/data/rows.csv", "README.md", "docs/replay.md"]
ASIDE += ["docs/pictures/report.png", "model/churn/pipeline.py"]
ENGINE = [*(name for name in FILES if name not in ASIDE), "model/shared.py", "training/README.md"]
MOST = ("tools", "check", "engines")


def recipe() -> str:
    """The Makefile's own recipe `scope`, with the paths that it leaves out, and beside it recipes that only say so."""
    own = re.search(r"^ASIDE := .*\nscope:\n(?:\t.*\n)+", MAKEFILE, re.MULTILINE)
    assert own
    stubs = "".join(
        f"{name}:\n\t@echo ran {name} && test ! -e broken-{name}\n" for name in ("tools", "check", "engines")
    )
    return f"{own[0]}{stubs}quick:\n\t@echo ran quick && test ! -e model/flights/broken\n"


class Repository:
    """A repository with two commits: the base, and what a pull request makes of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write({**FILES, "Makefile": recipe()})
        self.git("init", "--quiet")
        self.commit()

    def git(self, *words: str) -> None:
        """Run git."""
        subprocess.run(["git", *WHO, *words], cwd=self.folder, check=True, capture_output=True)

    def write(self, files: dict[str, str]) -> None:
        """Write files."""
        for name, text in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text)

    def commit(self) -> None:
        """Commit all."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "x")

    def scope(self, event: str = "pull_request") -> str:
        """What `make scope` prints in a run that an event started."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "GITHUB_"))}
        env = {**kept, "GITHUB_EVENT_NAME": event}
        words = ["make", "scope"]
        return subprocess.run(words, cwd=self.folder, env=env, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository of one commit."""
    return Repository(tmp_path)


def test_models_and_pages_leave_the_engine_as_it_is(repository: Repository) -> None:
    """A pull request that changes, adds and deletes only in folders of models and in pages runs the job of a minute."""
    repository.write(dict.fromkeys(ASIDE, "changed\n"))
    (repository.folder / "docs/replay.md").unlink()
    repository.commit()

    assert "engine=false\n" == repository.scope()


@pytest.mark.parametrize("name", ENGINE)
def test_anything_else_runs_the_tests_of_the_engine(name: str, repository: Repository) -> None:
    """One other file is enough, also beside changes of a model, and also a file that no rule foresaw."""
    repository.write({name: "changed\n", "model/flights/model.toml": "x = 2\n"})
    repository.commit()

    assert "engine=true\n" == repository.scope()


def test_code_that_moves_into_a_model_is_a_change_of_the_engine(repository: Repository) -> None:
    """A rename counts as the deletion that it is."""
    repository.git("mv", "core/days.py", "model/flights/days.py")
    repository.commit()

    assert "engine=true\n" == repository.scope()


def test_without_a_base_and_outside_pull_requests_all_is_run(repository: Repository) -> None:
    """A first commit has nothing to compare with; main and the merge queue are tested whole."""
    assert "engine=true\n" == repository.scope()
    repository.write({"README.md": "changed\n"})
    repository.commit()

    assert ["engine=false\n", *["engine=true\n"] * 3] == [
        repository.scope(event) for event in ("pull_request", "push", "merge_group", "")
    ]


def test_the_required_check_always_ends() -> None:
    """No path filter keeps the workflow from starting; one job needs all others, and runs whatever became of them."""
    events = yaml.safe_load(WORKFLOW)[True]
    gate = JOBS["passed"]

    assert {"push": {"branches": ["main"]}, "pull_request": None, "merge_group": None} == events
    assert "${{ always() }}" == gate["if"]
    assert set(JOBS) - {"passed"} == set(gate["needs"])
    assert {"check", "engines"} == {name for name, job in JOBS.items() if "if" in job and name != "passed"}


@pytest.fixture(scope="module")
def acts(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Act]:
    """Runs of the real workflow in a repository whose recipes only say that they ran."""
    folder = tmp_path_factory.mktemp("scope")
    try:
        tools.act()
    except tools.MissingError as missing:
        pytest.skip(str(missing))
    action = ".github/actions/setup/action.yml"
    own = {action: (ROOT / action).read_text(encoding="utf-8"), ".github/workflows/ci.yml": WORKFLOW}
    with gateway.serving(Double(folder / "github")) as double:
        double.push({**FILES, **own, "Makefile": recipe()}, "Use this template")
        yield Act(double, folder / "act")


def proposed(acts: Act, name: str, files: dict[str, str]) -> Run:
    """The run for a pull request that changes some files."""
    acts.double.push(files, name, branch=name)
    pull = people.opened(acts.double, name, "please", name, "main", "alice")
    return acts.run("pull_request", "ci.yml", payload={"number": pull.number})


def jobs(run: Run) -> dict[str, str]:
    """The results of a run, of a matrix the worst."""
    return {name: run.jobs[name] for name in JOBS}


WHOLE = dict.fromkeys(JOBS, "success")
SHORT = {**WHOLE, "check": "skipped", "engines": "skipped"}


def test_a_pull_request_of_a_model_runs_the_short_job(acts: Act) -> None:
    """Nothing of the engine is run, and the required check is green."""
    run = proposed(acts, "model", {"model/flights/model.toml": "x = 3\n", "docs/replay.md": "Bye.\n"})

    assert (0, SHORT) == (run.code, jobs(run)), run.log
    assert "ran quick" in run.log
    assert "ran check" not in run.log


def test_a_pull_request_of_both_runs_everything(acts: Act) -> None:
    """A change of the engine beside one of a model is tested whole."""
    run = proposed(acts, "both", {"model/flights/model.toml": "x = 4\n", "core/days.py": "DAY = 2\n"})

    assert (0, WHOLE) == (run.code, jobs(run)), run.log
    assert 3 == run.log.count("ran check")


@pytest.mark.parametrize(
    ("name", "broken", "wanted"),
    [
        ("model", "model/flights/broken", {**SHORT, "quick": "failure", "passed": "failure"}),
        ("engine", "broken-check", {**WHOLE, "check": "failure", "passed": "failure"}),
    ],
)
def test_a_failure_makes_the_required_check_red(name: str, broken: str, wanted: dict[str, str], acts: Act) -> None:
    """Whichever jobs a pull request runs, one that fails is seen."""
    run = proposed(acts, f"broken-{name}", {broken: "x\n"})

    assert (1, wanted) == (run.code, jobs(run)), run.log
