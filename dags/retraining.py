"""The nightly run of all models on Airflow: one chain per model, each task one `mlops` command on any worker.

Experimental: not run against a live service. If the defaults do not fit, set these variables on every worker:

- `MLOPS_HOME`: the checkout of the project; by default the one that contains this file.
- `MLOPS_PYTHON`: the Python of the project's own environment; by default `.venv/bin/python` in the checkout.
- `MLOPS_RECORDS`: where tasks exchange records: a folder that all workers share, or the URL of a bucket; by default
  `local/nights` in the checkout.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import BaseOperator, Context, ObjectStoragePath, dag, task, task_group
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

HOME = Path(os.environ.get("MLOPS_HOME") or Path(__file__).resolve().parents[1])
PYTHON = os.environ.get("MLOPS_PYTHON") or str(HOME / ".venv" / "bin" / "python")
RECORDS = os.environ.get("MLOPS_RECORDS") or str(HOME / "local" / "nights")
NOT_PASSED_ON = ("AIRFLOW__", "PYTHON")  # the command needs its own Python, and no access to the database of Airflow


class Mlops(BaseOperator):
    """Run one command for one model, as of the end of the data interval.

    Args:
        command: name of the `mlops` command.
        model: name of its folder; None for all models.
        takes: file name of the record that the command reads.
        gives: file names of the record that the command writes, and of files next to it.
        tells: the field of that record that the task returns.
    """

    template_fields: Sequence[str] = ("model", "as_of")

    def __init__(
        self,
        *,
        command: str,
        model: Any = None,
        takes: str = "",
        gives: Sequence[str] = (),
        tells: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(map_index_template="{{ task.model }}", **kwargs)
        self.command, self.model, self.takes, self.gives, self.tells = command, model, takes, gives, tells
        self.as_of = "{{ (dag_run.data_interval_end or dag_run.run_after).isoformat() }}"
        self.hook = SubprocessHook()

    def execute(self, context: Context) -> Any:
        """Fetch the record that the command reads, run the command, and store what it wrote."""
        run = re.sub(r"[^\w-]", "_", str(context["run_id"]))
        shared = ObjectStoragePath(RECORDS) / run / (self.model or "all")
        with TemporaryDirectory(prefix="mlops-") as folder:
            here = Path(folder)
            if self.takes:
                (here / self.takes).write_bytes((shared / self.takes).read_bytes())
            self._run(here)
            shared.mkdir(parents=True, exist_ok=True)
            for name in self.gives:
                (shared / name).write_bytes((here / name).read_bytes())
            return json.loads((here / self.gives[0]).read_bytes())[self.tells] if self.tells else None

    def _run(self, here: Path) -> None:
        """Run the command as a list of arguments, without a shell."""
        command = [PYTHON, "-m", "scripts", self.command, *(["--model", self.model] if self.model else [])]
        command += ["--as-of", self.as_of] if self.model else []
        command += ["--from", str(here / self.takes)] if self.takes else []
        command += ["--out", str(here / self.gives[0])] if self.gives else []
        env = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
        result = self.hook.run_command(command, env=env, cwd=str(HOME))
        if result.exit_code:
            raise AirflowException(
                f"mlops {self.command} ended with exit code {result.exit_code}: its message is above."
            )

    def on_kill(self) -> None:
        """Stop the command when Airflow stops the task."""
        self.hook.send_sigterm()


@task
def only_if(condition: bool, why_not: str) -> None:
    """Skip the rest of the chain of this model if the condition is false."""
    if not condition:
        raise AirflowSkipException(why_not)


@task_group
def night(model: str) -> None:
    """Run the commands for one model."""
    pull = Mlops(task_id="pull", command="pull", model=model, gives=["window.json"])
    check = Mlops(
        task_id="check", command="check", model=model, takes="window.json", gives=["decision.json"], tells="retrain"
    )
    fired = only_if.override(task_id="fired")(check.output, "no trigger fired")
    train = Mlops(task_id="train", command="train", model=model, takes="decision.json", gives=["candidate.json"])
    validate = Mlops(
        task_id="validate",
        command="validate",
        model=model,
        takes="candidate.json",
        gives=["verdict.json", "report.html"],
        tells="passed",
    )
    passed = only_if.override(task_id="passed")(validate.output, "a gate blocked")
    propose = Mlops(task_id="propose", command="propose", model=model, takes="verdict.json")
    pull >> check >> fired >> train >> validate >> passed >> propose


@dag(
    schedule="17 4 * * *",
    start_date=datetime(2000, 1, 1, tzinfo=UTC),  # for runs by hand: catchup=False skips past days
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "mlops", "retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["mlops"],
    doc_md=__doc__,
)
def retraining() -> None:
    """Every day: evaluate the triggers of every model; if one fires, train, validate and propose."""
    models = Mlops(task_id="models", command="models", gives=["models.json"], tells="models")
    night.expand(model=models.output)


DAG_RETRAINING = retraining()
