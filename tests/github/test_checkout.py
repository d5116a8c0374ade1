"""A run sees the commit that GitHub would give it, and the workflow as it is written but for what act cannot take."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.github import workflows
from tests.github.act import Act
from tests.github.double import Double
from tests.github.recipes import CHECKOUT, TELL, job, push


def test_checkout_takes_the_commit_of_the_event(double: Double, act: Act) -> None:
    """Without a ref a job gets the event's commit alone, on its branch, also where main went on since the event."""
    later = double.push({"later.txt": "later\n"}, "Go on", branch="later")
    go_on = f"run: git --git-dir ${{ACT_REMOTE#file://}} update-ref refs/heads/main {later}"
    commit = push(double, job(go_on, f"uses: {CHECKOUT}", TELL))

    run = act.run("push", "x.yml")

    assert 0 == run.code, run.log
    assert later == double.main
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
    """A ref given by name is what it is when the job runs, not what it was at the event; 0 is all of its history."""
    later = double.push({"later.txt": "later\n"}, "Go on", branch="later")
    go_on = f"run: git --git-dir ${{ACT_REMOTE#file://}} update-ref refs/heads/main {later}"
    step = f"uses: {CHECKOUT}\n        with: {{ref: main, fetch-depth: 0, path: below}}"
    push(double, job(go_on, step, f"{TELL}\n        working-directory: below"))

    run = act.run("push", "x.yml")

    assert 0 == run.code, run.log
    assert f"at {later} main 2" in run.log


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("    environment: { name: retraining, deployment: false }", "    environment: { name: retraining }"),
        ("    environment: { deployment: false, name: x } # why", "    environment: { name: x } # why"),
        ("concurrency: { group: x, queue: max }", "concurrency: { group: x }"),
        ("    concurrency: { group: x, queue: max }", "    concurrency: { group: x }"),
        ("    with: { name: a, deployment: false }", "    with: { name: a, deployment: false }"),
        ("    permissions: { deployments: write }", "    permissions: { deployments: write }"),
    ],
)
def test_what_act_cannot_parse_is_left_out_in_braces(text: str, expected: str) -> None:
    """Of an environment or a group in braces only that key goes; the same word elsewhere stays."""
    assert expected == workflows.rewrite(text)


def test_an_old_event_is_run_again_as_it_was(double: Double, act: Act) -> None:
    """A run that is repeated has the commit of its event, which main has left behind."""
    old = push(double, job(f"uses: {CHECKOUT}", TELL, "run: echo [$GITHUB_SHA]"))
    double.push({"later.txt": "later\n"}, "Go on")

    run = act.run("push", "x.yml", at=old)

    assert 0 == run.code, run.log
    assert f"at {old} main 1" in run.log
    assert f"[{old}]" in run.log


def test_an_unknown_action_is_named(double: Double, act: Act) -> None:
    """An action without a stand-in is an error that names it, before anything runs."""
    push(double, job("uses: acme/secret-sauce@v1"))

    with pytest.raises(LookupError, match="acme/secret-sauce@v1"):
        act.run("push", "x.yml")


def test_a_conflict_starts_nothing(double: Double, act: Act, pull: Callable[..., int]) -> None:
    """A pull request that conflicts with its base has no merge to run on, as at GitHub."""
    number = pull({"a": "1\n"})
    double.push({"a": "2\n"}, "Other")

    with pytest.raises(LookupError, match="conflicts with its base"):
        act.run("pull_request", "x.yml", payload={"number": number})


def test_nothing_else_is_rewritten() -> None:
    """A workflow without what act cannot take stays as it is."""
    text = job(f"uses: {CHECKOUT}", "uses: ./.github/actions/other", "run: echo queue of deployments")

    assert text == workflows.rewrite(text)
