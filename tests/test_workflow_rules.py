"""What no runner on this machine can prove of the workflows, their files must show: rights, pins, limits, inputs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from scripts.app import app

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in FILES}
# YAML 1.1 reads the key `on` as true.
FLOWS: dict[str, dict[Any, Any]] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
ACTIONS = {
    f"./.github/actions/{path.parent.name}": yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
}
JOBS = [(name, job, body) for name, flow in FLOWS.items() for job, body in flow["jobs"].items()]
STEPS = [(f"{name}/{job}", step) for name, job, body in JOBS for step in body.get("steps", [])]
OWN = [(where, step) for where, action in ACTIONS.items() for step in action["runs"]["steps"]]
RUNS = [(where, step) for where, step in (*STEPS, *OWN) if "run" in step]
USES = [(where, step) for where, step in (*STEPS, *OWN) if "uses" in step]
CLI = typer.main.get_command(app)
PINNED = re.compile(r"uses: +(?P<name>[\w.-]+/[\w./-]+)@(?P<ref>\S+)(?P<rest>.*)")
WRITES = {
    ("retrain.yml", "propose"): {"contents", "issues", "pull-requests"},
    ("alert.yml", "alert"): {"issues"},
    ("promote.yml", "promote"): {"deployments", "issues", "pull-requests"},
    ("promotion-check.yml", "comment"): {"pull-requests"},
    ("replay-check.yml", "comment"): {"pull-requests"},
    ("pages.yml", "deploy"): {"id-token", "pages"},
    # What a called workflow's jobs may do, its caller must be allowed to hand on.
    ("nightly.yml", "retrain"): {"contents", "issues", "pull-requests"},
    ("retrain.yml", "alert"): {"issues"},
}


def on(flow: dict[Any, Any]) -> dict[str, Any]:
    """The events of a workflow."""
    events = flow[True]
    return events if isinstance(events, dict) else dict.fromkeys(events)


def rights(body: dict[str, Any]) -> set[str]:
    """What a job may write."""
    return {name for name, level in body["permissions"].items() if level == "write"}


@pytest.mark.parametrize("name", FLOWS)
def test_a_workflow_gives_no_rights_by_itself(name: str) -> None:
    """At the top of each workflow stands `permissions: {}`, a name, and who waits for whom."""
    flow = FLOWS[name]

    assert {} == flow["permissions"]
    assert name.removesuffix(".yml") == flow["name"]
    assert {"group", "cancel-in-progress"} == set(flow["concurrency"]) - {"queue"}


@pytest.mark.parametrize("name", ["retrain.yml", "nightly.yml", "alert.yml"])
def test_a_run_that_waits_is_not_dropped_for_a_later_one(name: str) -> None:
    """A retraining that a person asked for, or a result to report, waits its turn: without a queue nobody is told."""
    assert ("max", False) == (FLOWS[name]["concurrency"]["queue"], FLOWS[name]["concurrency"]["cancel-in-progress"])


@pytest.mark.parametrize(("name", "job", "body"), JOBS, ids=[f"{name}-{job}" for name, job, _ in JOBS])
def test_a_job_has_its_rights_listed_and_an_end(name: str, job: str, body: dict[str, Any]) -> None:
    """Each job has a name, a time limit, a runner that a variable can change, and writes only what it must."""
    assert body["name"]
    assert WRITES.get((name, job), set()) == rights(body)
    assert body["permissions"].keys() <= {"contents", "issues", "pull-requests", "deployments", "id-token", "pages"}
    if "uses" not in body:
        assert 0 < body["timeout-minutes"] <= 300
        assert "vars.RUNNER || 'ubuntu-latest'" in body["runs-on"]


@pytest.mark.parametrize("name", FLOWS)
def test_a_right_says_what_it_is_for(name: str) -> None:
    """Each permission beyond reading the code has its reason beside it."""
    lines = re.findall(
        r"^ +(?:issues|pull-requests|deployments|id-token|pages): .*|^ +contents: write.*", TEXTS[name], re.MULTILINE
    )

    assert [] == [line for line in lines if "#" not in line]


@pytest.mark.parametrize("path", [*FILES, *(ROOT / ".github" / "actions").glob("*/action.yml")], ids=lambda p: p.name)
def test_actions_are_pinned(path: Path) -> None:
    """Whoever moves a tag moves nothing here: a commit, and its version for people and Dependabot."""
    for found in PINNED.finditer(path.read_text(encoding="utf-8")):
        assert re.fullmatch("[0-9a-f]{40}", found["ref"]), found[0]
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", found["rest"]), found[0]


@pytest.mark.parametrize(("where", "step"), RUNS, ids=[where for where, _ in RUNS])
def test_a_run_step_is_one_line_without_expressions(where: str, step: dict[str, Any]) -> None:
    """What runs is one line that anybody can type; values reach it through the environment, never as text in it."""
    assert 1 == len(step["run"].strip().splitlines()), where
    assert "${{" not in step["run"]


@pytest.mark.parametrize(("where", "step"), RUNS, ids=[where for where, _ in RUNS])
def test_every_command_exists_with_its_options(where: str, step: dict[str, Any]) -> None:
    """A workflow can only call commands that there are, with options and variables that they know."""
    for part in step["run"].split("&&"):
        program, *words = shlex.split(part)
        if program == "make":
            assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), where
        elif program == "mlops":
            command = CLI.commands[words[0]]  # type: ignore[attr-defined]
            known = {option for param in command.params for option in param.opts}
            assert {word for word in words[1:] if word.startswith("--")} <= known
        else:
            assert program in {"echo", "exit", "test"}
    known = {param.envvar for command in CLI.commands.values() for param in command.params}  # type: ignore[attr-defined]
    given = {name for name in step.get("env", {}) if name.startswith("MLOPS_")}
    assert given <= {*known, "MLOPS_APP"}


@pytest.mark.parametrize(("where", "step"), USES, ids=[f"{where}-{step['uses'][:40]}" for where, step in USES])
def test_every_input_of_our_own_actions_exists(where: str, step: dict[str, Any]) -> None:
    """An action in the repository gets what it declares, and all of what it needs."""
    if step["uses"].startswith("./"):
        action = ACTIONS[step["uses"]]
        given = set(step.get("with", {}))
        needed = {name for name, one in action.get("inputs", {}).items() if one.get("required")}
        assert needed <= given <= set(action.get("inputs", {})), where


@pytest.mark.parametrize(("where", "step"), USES, ids=[f"{where}-{step['uses'][:40]}" for where, step in USES])
def test_no_checkout_leaves_a_credential(where: str, step: dict[str, Any]) -> None:
    """The token is not left in .git, where any later step could read it."""
    if step["uses"].startswith("actions/checkout@"):
        assert step["with"]["persist-credentials"] is False, where


@pytest.mark.parametrize(("name", "job", "body"), JOBS, ids=[f"{name}-{job}" for name, job, _ in JOBS])
def test_secrets_are_read_in_an_environment_only(name: str, job: str, body: dict[str, Any]) -> None:
    """A job with secrets names its environment, so that rules on it hold; without a deployment of its own."""
    text = yaml.safe_dump(body)
    if "secrets." in text and "uses" not in body:
        wanted = "production" if (name, job) == ("promote.yml", "promote") else "retraining"
        assert {"name": wanted, "deployment": False} == body["environment"]
    assert "secrets: inherit" not in text


def test_a_called_workflow_gets_all_that_it_declares() -> None:
    """Callers pass each input that is needed and each secret by name, and none that is not declared."""
    for name, _, body in JOBS:
        if not body.get("uses", "").startswith("./"):
            continue
        declared = on(FLOWS[Path(body["uses"]).name])["workflow_call"]
        needed = {key for key, value in declared["inputs"].items() if value.get("required")}
        assert needed <= set(body["with"]) <= set(declared["inputs"]), name
        assert set(declared["secrets"]) == set(body["secrets"]), name
        called = {right for _, other, job in JOBS if other and _ == Path(body["uses"]).name for right in rights(job)}
        assert called <= rights(body)


def test_a_promotion_is_never_cancelled_and_reads_the_tip() -> None:
    """One promotion a model at a time, ended even when the next one comes, and from the tip of the default branch."""
    job = FLOWS["promote.yml"]["jobs"]["promote"]
    checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]

    assert {"group": "promote-${{ matrix.model }}", "cancel-in-progress": False} == job["concurrency"]
    assert ["${{ github.event.repository.default_branch }}"] == [step["with"]["ref"] for step in checkouts]
    assert ["model/*/production.json"] == on(FLOWS["promote.yml"])["push"]["paths"]
    assert ["main"] == on(FLOWS["promote.yml"])["push"]["branches"]


def test_the_night_is_off_the_full_hour_and_can_be_asked_for() -> None:
    """The schedule avoids the minute at which GitHub drops runs; a dispatch has the agreed inputs."""
    events = on(FLOWS["nightly.yml"])

    assert int(events["schedule"][0]["cron"].split()[0]) not in {0, 15, 30, 45}
    assert {"model", "reason", "force", "dry_run"} == set(events["workflow_dispatch"]["inputs"])
    assert {"model", "reason", "force"} == set(on(FLOWS["retrain.yml"])["workflow_dispatch"]["inputs"])


def test_a_fork_never_meets_a_secret() -> None:
    """No workflow runs a fork's code with our rights, and the check of a promotion from a fork ends red."""
    jobs = FLOWS["promotion-check.yml"]["jobs"]

    assert [] == [name for name, flow in FLOWS.items() if {"pull_request_target", "workflow_run"} & set(on(flow))]
    assert "head.repo.full_name == github.repository" in jobs["check"]["if"]
    assert "head.repo.full_name != github.repository" in jobs["fork"]["if"]
    assert jobs["fork"]["steps"][0]["run"].endswith("exit 1")
    assert "secrets." not in yaml.safe_dump(jobs["comment"]) + yaml.safe_dump(jobs["fork"])


def test_what_passes_between_jobs_is_records() -> None:
    """No artifact holds rows, a night's tallies or a model: only verdicts, decisions, failures and the report."""
    paths = ACTIONS["./.github/actions/keep"]["runs"]["steps"][0]["with"]["path"].splitlines()

    assert {"decision.json", "verdict.json", "report.html", "failure-*.json"} == {
        path.rpartition("/")[2] for path in paths
    }
    uploads = [step for _, step in STEPS if step.get("uses", "").startswith("actions/upload-artifact@")]
    assert {"local/review.json", "local/${{ matrix.model }}/replay.json"} == {step["with"]["path"] for step in uploads}


def test_pages_are_published_only_where_somebody_asked_for_them() -> None:
    """Without the variable nothing runs; the job that publishes has the pages, no code, no secret, no other right."""
    build, deploy = (FLOWS["pages.yml"]["jobs"][name] for name in ("build", "deploy"))

    assert "${{ vars.STATUS_PAGE == 'true' }}" == build["if"]
    assert set() == rights(build)
    assert {"path": "local/site"} == build["steps"][-1]["with"]
    assert "mlops site --out-dir local/site" == build["steps"][-2]["run"]
    assert "build" == deploy["needs"]
    assert "if" not in deploy  # or it would not be skipped with what it needs
    assert {"id-token", "pages"} == set(deploy["permissions"])
    assert ["actions/deploy-pages"] == [step["uses"].partition("@")[0] for step in deploy["steps"]]
    assert "secrets." not in yaml.safe_dump(deploy)


@pytest.mark.parametrize("name", FLOWS)
def test_workflows_stay_small(name: str) -> None:
    """A workflow is read by people at 3 a.m.: 130 lines at the most."""
    assert len(TEXTS[name].splitlines()) <= 130
