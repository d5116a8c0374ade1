"""The harness runs workflows as GitHub would, in what these tests stand on: checkouts, artifacts, outputs, results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.github import tools, workflows
from tests.github.act import Act
from tests.github.double import APP_TOKEN, Double

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
UPLOAD = "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1"
DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1"
APP = "actions/create-github-app-token@bcd2ba49218906704ab6c1aa796996da409d3eb1 # v3.2.0"
ON = "on:\n  push:\n  pull_request:\n  schedule:\n  workflow_dispatch:\n    inputs: {reason: {type: string}}\n"


@pytest.fixture
def act(double: Double, tmp_path: Path) -> Act:
    """Runs on the double."""
    try:
        return Act(double, tmp_path / "act")
    except tools.MissingError as missing:
        pytest.skip(str(missing))


def push(double: Double, text: str, **more: str) -> str:
    """Make `text` the workflow x.yml of main."""
    return double.push({".github/workflows/x.yml": text, **more}, "Add a workflow")


def job(*steps: str, head: str = "") -> str:
    """A workflow of one job with steps, for any event."""
    top = f"{ON}jobs:\n  one:\n    runs-on: ubuntu-latest\n{head}"
    return top + "    steps:\n" + "".join(f"      - {step}\n" for step in steps)


TELL = 'run: echo "at $(git rev-parse HEAD) $(git branch --show-current) $(git rev-list --count HEAD)"'


def test_checkout_takes_the_commit_of_the_event(double: Double, act: Act) -> None:
    """Without a ref the stand-in clones the event's commit alone, and leaves its branch checked out."""
    commit = push(double, job("run: ls -A", f"uses: {CHECKOUT}", TELL))

    run = act.run("push", "x.yml")

    assert 0 == run.code, run.log
    assert f"at {commit} main 1" in run.log


def test_checkout_of_a_pull_request_is_its_merge(double: Double, act: Act, pull: Callable[..., int]) -> None:
    """A pull request is checked out as it would be after the merge, even where main went on meanwhile."""
    number = pull({"model/a.json": "{}\n", ".github/workflows/x.yml": job(f"uses: {CHECKOUT}", "run: ls . model")})
    double.push({"later.txt": "later\n"}, "Go on")

    run = act.run("pull_request", "x.yml", payload={"number": number})

    assert 0 == run.code, run.log
    assert "later.txt" in run.log
    assert "a.json" in run.log


def test_checkout_of_a_branch_is_its_tip(double: Double, act: Act) -> None:
    """A ref given by name is cloned as it is when the job runs, not as it was at the event; 0 is all of its history."""
    step = f"uses: {CHECKOUT}\n        with: {{ref: main, fetch-depth: 0, path: below}}"
    old = push(double, job(step, f"{TELL}\n        working-directory: below"))
    double.push({".github/workflows/x.yml": job(step, TELL)}, "Side", branch="side")
    tip = double.push({"later.txt": "later\n"}, "Go on")
    double.move("refs/heads/side", old, by="alice")

    run = act.run("push", "x.yml", ref="side")

    assert 0 == run.code, run.log
    assert f"at {tip} main 3" in run.log


def test_jobs_share_artifacts_and_outputs_and_nothing_else(double: Double, act: Act) -> None:
    """A second job finds the first one's artifact and output, but not its files."""
    two = (
        "  two:\n    needs: one\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - run: test ! -e out\n      - uses: {DOWNLOAD}\n        with: {{name: records, path: got}}\n"
        '      - run: echo "$(cat got/a.json) $(cat got/deep/b.json) $VALUE"\n'
        "        env: {VALUE: '${{ needs.one.outputs.value }}'}\n"
    )
    make = "run: mkdir -p out/deep && echo A > out/a.json && echo B > out/deep/b.json && echo value=V >> $GITHUB_OUTPUT"
    keep = f"uses: {UPLOAD}\n        with: {{name: records, path: out}}"
    head = "    outputs: {value: '${{ steps.make.outputs.value }}'}\n"
    push(double, job(f"id: make\n        {make}", keep, head=head) + two)

    run = act.run("schedule", "x.yml")

    assert 0 == run.code, run.log
    assert "A B V" in run.log
    assert {"one": "success", "two": "success"} == run.jobs
    assert "B\n" == (run.artifacts / "records" / "deep" / "b.json").read_text()


def test_a_failing_job_fails_the_run(double: Double, act: Act) -> None:
    """The run's code is 1, the job's result says why, what needs it does not start, and what always runs does."""
    more = "".join(
        f"  {name}:\n    needs: one\n    if: {when}\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo {name}\n"
        for name, when in (("after", "success()"), ("alert", "failure()"))
    )
    push(double, job("run: echo '### Broken' >> $GITHUB_STEP_SUMMARY", "run: exit 3") + more)

    run = act.run("push", "x.yml")

    assert 1 == run.code
    assert {"one": "failure", "after": "skipped", "alert": "success"} == run.jobs
    assert ["### Broken\n"] == run.summaries


def test_inputs_arrive_as_text(double: Double, act: Act) -> None:
    """Quotes, commands, backticks and line ends in a dispatch's input reach the step's environment unchanged."""
    reason = 'it\'s "bad"; $(touch /tmp/never) `id`\nsecond line'
    show = "run: python3 -c 'import os; print(ascii(os.environ[\"REASON\"]))'\n        env:\n"
    show += "          REASON: ${{ inputs.reason }}"
    push(double, job(show))

    run = act.run("workflow_dispatch", "x.yml", inputs={"reason": reason})

    assert 0 == run.code, run.log
    assert ascii(reason) in run.log


def test_secrets_variables_and_tokens_arrive(double: Double, act: Act) -> None:
    """Secrets, variables, environment, the run's token and an App's token come where they are asked for."""
    app = f"id: app\n        uses: {APP}\n        with: {{client-id: '1', private-key: '${{{{ secrets.KEY }}}}'}}"
    names = {"KEY": "secrets.KEY", "SIZE": "vars.SIZE", "TOKEN": "github.token", "APP": "steps.app.outputs.token"}
    env = "".join(f"          {name}: ${{{{ {value} }}}}\n" for name, value in names.items())
    show = f'run: echo "[$KEY]" $SIZE $MLOPS_AS_OF $GITHUB_API_URL ${{#TOKEN}} ${{#APP}}\n        env:\n{env}'
    push(double, job(app, show.rstrip()))
    given = {"secrets": {"KEY": "hidden"}, "variables": {"SIZE": "large"}, "env": {"MLOPS_AS_OF": "2014-01-01"}}

    run = act.run("push", "x.yml", token="ghs_12345", **given)  # noqa: S106 - nobody's

    assert 0 == run.code, run.log
    assert f"[***] large 2014-01-01 {double.url} 9 {len(APP_TOKEN)}" in run.log


def test_what_act_cannot_parse_is_left_out(double: Double, act: Act) -> None:
    """The lines that only GitHub understands do not stop a run, and setup puts the checkout's own mlops on PATH."""
    head = (
        "    environment:\n      name: production\n      deployment: false\n"
        "    concurrency:\n      group: x\n      queue: max\n      cancel-in-progress: false\n"
    )
    text = job(f"uses: {CHECKOUT}", "uses: $/.github/actions/setup", "run: mlops", head=head)
    text = text.replace("on: [push,", "on: [push,").replace(
        "runs-on: ubuntu-latest", "runs-on: ${{ vars.RUNNER || 'ubuntu-latest' }}"
    )
    setup = {
        ".github/actions/setup/action.yml": "name: setup\n",
        "scripts/__init__.py": "",
        "scripts/__main__.py": "print('mlops of the checkout')\n",
    }
    push(double, text, **setup)

    run = act.run("push", "x.yml")

    assert 0 == run.code, run.log
    assert "mlops of the checkout" in run.log


def test_an_unknown_action_is_named(double: Double, act: Act) -> None:
    """An action without a stand-in is an error that names it, before anything runs."""
    push(double, job("uses: acme/secret-sauce@v1"))

    with pytest.raises(LookupError, match="acme/secret-sauce@v1"):
        act.run("push", "x.yml")


def test_nothing_else_is_rewritten() -> None:
    """A workflow without what act cannot take stays as it is."""
    text = job(f"uses: {CHECKOUT}", "uses: ./.github/actions/other", "run: echo queue of deployments")

    assert text == workflows.rewrite(text)
