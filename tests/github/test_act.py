"""A run passes on what GitHub passes on: artifacts, outputs, inputs, secrets and results, and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.github.act import Act
from tests.github.double import APP_TOKEN, Double
from tests.github.recipes import APP, CHECKOUT, DOWNLOAD, UPLOAD, job, push


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


def test_artifacts_lie_below_what_their_paths_have_in_common(double: Double, act: Act) -> None:
    """Lines that match nothing count for that folder, patterns are followed, and a second upload replaces the first."""
    lines = "".join(f"\n            local/x/{name}" for name in ("decision.json", "none.json", "failure-*.json"))
    keep = f"uses: {UPLOAD}\n        with:\n          name: x\n          overwrite: true\n          path: |{lines}"
    first = "run: mkdir -p local/x/deep && touch local/x/decision.json local/x/failure-old.json local/x/rows.csv"
    second = "run: rm local/x/failure-old.json && touch local/x/failure-pull.json"
    none = f"uses: {UPLOAD}\n        with: {{name: y, path: none, if-no-files-found: ignore}}"
    push(double, job(first, keep, second, keep, none))

    run = act.run("push", "x.yml")

    assert 0 == run.code, run.log
    found = {path.relative_to(run.artifacts).as_posix() for path in run.artifacts.rglob("*") if path.is_file()}
    assert {"x/decision.json", "x/failure-pull.json"} == found
    assert "::warning::no files" not in run.log


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


def test_called_workflows_are_told_apart(double: Double, act: Act) -> None:
    """The jobs of a workflow that is called once for each of a matrix stand under the name of their caller."""
    call = (
        "on: push\njobs:\n  call:\n    name: Retrain ${{ matrix.model }}\n    strategy: {matrix: {model: [a, b]}}\n"
        "    uses: $/.github/workflows/y.yml\n    with: {model: '${{ matrix.model }}'}\n"
    )
    called = (
        "on:\n  workflow_call:\n    inputs: {model: {type: string}}\njobs:\n  train:\n    runs-on: ubuntu-latest\n"
        "    steps: [{run: '[ ${{ inputs.model }} = a ]'}]\n"
    )
    push(double, call, **{".github/workflows/y.yml": called})

    run = act.run("push", "x.yml")

    assert {"Retrain a/train": "success", "Retrain b/train": "failure"} == run.jobs
    assert 1 == run.code


def test_inputs_arrive_as_text(double: Double, act: Act) -> None:
    """Quotes, commands, backticks and line ends in a dispatch's input reach the step's environment unchanged."""
    reason = 'it\'s "bad"; $(touch /tmp/never) `id`\nsecond line'
    show = "run: $ACT_PYTHON -c 'import os; print(ascii(os.environ[\"REASON\"]))'\n        env:\n"
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

    run = act.run(
        "push",
        "x.yml",
        token="ghs_12345",  # noqa: S106 - nobody's
        secrets={"KEY": "hidden"},
        variables={"SIZE": "large"},
        env={"MLOPS_AS_OF": "2014-01-01"},
    )

    assert 0 == run.code, run.log
    assert f"[***] large 2014-01-01 {double.url} 9 {len(APP_TOKEN)}" in run.log


def test_runs_side_by_side_share_nothing(double: Double, act: Act, tmp_path: Path) -> None:
    """Two runs at a time, of one harness or of two, have their own folders, artifacts and results."""
    keep = f"uses: {UPLOAD}\n        with: {{name: a, path: a, if-no-files-found: error}}"
    push(double, job("run: test ! -e a && echo ${{ inputs.reason }} > a", keep))
    other = Act(double, tmp_path / "other")
    reasons = ["one", "two", "three", "four"]

    with ThreadPoolExecutor() as pool:
        pairs = zip([act, act, other, other], reasons, strict=True)
        tasks = [pool.submit(a.run, "workflow_dispatch", "x.yml", inputs={"reason": text}) for a, text in pairs]
    runs = [task.result() for task in tasks]

    assert [0] * 4 == [run.code for run in runs]
    assert reasons == [(run.artifacts / "a" / "a").read_text().strip() for run in runs]


def test_a_client_dies_within_a_run(double: Double, act: Act) -> None:
    """The double kills at an exact write what a step of a job runs, and the run fails there."""
    client = (
        "import os, urllib.request\n"
        "head = {'authorization': 'Bearer ' + os.environ['TOKEN'], 'user-agent': f'pid/{os.getpid()}'}\n"
        "head['content-type'] = 'application/json'\n"
        "url = os.environ['GITHUB_API_URL'] + '/repos/acme/demo/labels'\n"
        "for name in 'ab':\n"
        "    body = ('{\"name\": \"' + name + '\"}').encode()\n"
        "    urllib.request.urlopen(urllib.request.Request(url, body, head)).close()\n"
    )
    step = "run: $ACT_PYTHON client.py\n        env: {TOKEN: '${{ github.token }}'}"
    push(double, job(f"uses: {CHECKOUT}", step), **{"client.py": client})
    double.kill_at(2)

    run = act.run("push", "x.yml")

    assert {"one": "failure"} == run.jobs
    assert ["a"] == list(double.labels)
    assert [("POST", "ghs_test")] * 2 == [(request.method, request.token) for request in double.requests]
