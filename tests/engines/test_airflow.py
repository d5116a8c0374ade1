"""The DAG runs for real in an Airflow of its own: a night end to end, a quiet night, a task that fails."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.place import FIRST, ROOT, Place

AIRFLOW = Path(os.environ.get("MLOPS_AIRFLOW", "nowhere")).resolve() / "bin"
CHAIN = ["pull", "check", "fired", "train", "validate", "passed", "propose"]
# The same DAG but for the pause before a task is tried again, which is five minutes.
IMPATIENT = """# airflow loads only files that hold its name
import sys
from datetime import timedelta
sys.path.insert(0, {folder!r})
from retraining import DAG_RETRAINING as dag
for task in dag.tasks:
    task.retry_delay = timedelta(0)
"""
# Fails as often as it is told to, then does what it is asked: python -m scripts COMMAND ...
FAILING = """#!/bin/sh
echo "$3" >> {log}
if [ "$3" = pull ] && [ "$(grep -c pull {log})" -le "$FAIL" ]; then echo "the network is away"; exit 6; fi
PYTHONPATH='{root}' exec '{python}' "$@"
"""
LOOK = """
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({folder!r})
dag = bag.dags["retraining"]
tasks = {{t.task_id: [t.retries, t.retry_delay.total_seconds(), sorted(t.downstream_task_ids)] for t in dag.tasks}}
print("\\n" + json.dumps([bag.import_errors, list(bag.captured_warnings), dag.catchup, dag.max_active_runs, tasks]))
"""


class Airflow:
    """An Airflow with a database of its own, that works for one place."""

    def __init__(self, folder: Path, place: Place) -> None:
        self.place, self.records, self.calls = place, folder / "records", folder / "calls"
        dags = folder / "dags"
        dags.mkdir(parents=True)
        (dags / "impatient.py").write_text(IMPATIENT.format(folder=str(ROOT / "dags")))
        python = folder / "python"
        python.write_text(FAILING.format(log=self.calls, root=ROOT, python=sys.executable))
        python.chmod(0o755)
        kept = ("PATH", "HOME", "LANG", "TMPDIR", "OMP_NUM_THREADS")
        self.env = {name: os.environ[name] for name in kept if name in os.environ} | {
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
            "MLOPS_HOME": str(place.folder),
            "MLOPS_PYTHON": str(python),
            "MLOPS_RECORDS": f"file://{self.records}",
        }
        self.database = folder / "airflow.db"
        self("airflow", "db", "migrate")

    def __call__(self, program: str, *words: str, **env: str) -> str:
        """What a program of Airflow's environment prints."""
        ran = subprocess.run(
            [AIRFLOW / program, *words], env={**self.env, **env}, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
        return ran.stdout

    def night(self, day: dt.date, fail: int = 0) -> dict[str, tuple[str, int]]:
        """Run the DAG for a day: the state of each task, and how often it was tried. `pull` fails so many times."""
        self.calls.write_text("")
        with contextlib.suppress(AssertionError) if fail > 2 else contextlib.nullcontext():
            self("airflow", "dags", "test", "retraining", f"{day}", FAIL=f"{fail}")
        query = (
            "SELECT task_id, task_instance.state, try_number FROM task_instance JOIN dag_run USING (run_id) "
            "WHERE date(logical_date) = ? AND (map_index >= 0 OR task_id = 'models')"
        )
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            found = database.execute(query, (f"{day}",)).fetchall()
        return {name.removeprefix("night."): (state, tries) for name, state, tries in found}


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Airflow:
    """Airflow, and a repository whose first night is to come."""
    if not (AIRFLOW / "airflow").exists():
        pytest.skip("MLOPS_AIRFLOW names no environment with Airflow (make engines)")
    folder = tmp_path_factory.mktemp("airflow")
    return Airflow(folder / "airflow", Place.make(folder / "repo", store=mlflow_store))


def test_the_dag_is_what_it_promises(airflow: Airflow) -> None:
    """It imports without errors and warnings; tasks are tried three times, five minutes apart; nothing is caught up."""
    said = airflow("python", "-c", LOOK.format(folder=str(ROOT / "dags")))
    errors, warnings, catchup, at_once, tasks = json.loads(said.splitlines()[-1])

    assert ({}, [], False, 1) == (errors, warnings, catchup, at_once)
    assert {"models", *(f"night.{name}" for name in CHAIN)} == set(tasks)
    assert {(2, 300.0)} == {(retries, delay) for retries, delay, _ in tasks.values()}
    for name, after in pairwise(CHAIN):
        assert [f"night.{after}"] == tasks[f"night.{name}"][2]


def test_nights_end_to_end(airflow: Airflow) -> None:
    """The first night trains and proposes; after the merge a quiet night skips the rest, though a task failed twice."""
    first = airflow.night(FIRST)

    assert dict.fromkeys(["models", *CHAIN], ("success", 1)) == first
    records = {path.name for path in airflow.records.glob("*/flights/*")}
    assert {"window.json", "decision.json", "candidate.json", "verdict.json", "report.html"} == records
    assert airflow.place.night(FIRST).forge.open_proposal("flights") is not None

    airflow.place.person.merge()
    assert 0 == airflow.place.mlops("promote").code
    night = FIRST + dt.timedelta(days=3)
    airflow.place.serve(FIRST, night)
    quiet = airflow.night(night, fail=2)

    assert ("success", 3) == quiet.pop("pull")
    assert {"models": "success", "check": "success"} | dict.fromkeys(CHAIN[2:], "skipped") == {
        name: state for name, (state, _) in quiet.items()
    }
    assert ["models", "pull", "pull", "pull", "check"] == airflow.calls.read_text().split()


def test_a_task_that_goes_on_failing_ends_the_chain(airflow: Airflow) -> None:
    """After three tries the task has failed, and no command after it is run."""
    states: dict[str, Any] = airflow.night(FIRST + dt.timedelta(days=4), fail=9)

    assert ("failed", 3) == states["pull"]
    assert {"upstream_failed"} == {states[name][0] for name in CHAIN[1:]}
    assert ["models", "pull", "pull", "pull"] == airflow.calls.read_text().split()
