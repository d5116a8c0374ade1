"""The command `mlops new`: write a model's folder from a table, and print each choice with its reason."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import UsageError
from scripts.cli import options, output
from scripts.new.output import lines
from scripts.new.rows import TableRows
from scripts.new.table import look

if TYPE_CHECKING:
    from core.config import Task
    from training.scaffold import ScaffoldProposal

PATIENCE = 2  # seconds without a word

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="Name of the model. Lowercase letters, digits and underscores; starts with a letter."
    ),
]
Source = Annotated[
    str, typer.Option("--from", metavar="FILE|URL", help="Parquet or CSV file or folder, or URL of a database.")
]
Time = Annotated[str, typer.Option(metavar="COL", help="Column with the time when the prediction is requested.")]
Target = Annotated[str, typer.Option(metavar="COL", help="Column to predict. Contains 0/1, class names or numbers.")]
TaskName = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar="TASK",
        help="binary, multiclass or regression. Default: chosen from the values of the target.",
    ),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(metavar="COL", help="Column to use as a feature even if it looks like a leak or an id. Repeatable."),
]
Score = Annotated[
    str | None, typer.Option(metavar="COL", help="Column with the scores of the model in service. Default: prediction.")
]
Id = Annotated[
    str | None,
    typer.Option(
        "--id", metavar="COL", help="Column that is different in every row. Default: found in the table, if it has one."
    ),
]
Labelled = Annotated[str | None, typer.Option(metavar="COL", help="Column with the time when the label became known.")]
Version = Annotated[
    str | None,
    typer.Option(metavar="COL", help="Column with the model version that gave the score. Default: model_version."),
]
TableName = Annotated[
    str | None, typer.Option("--table", metavar="T", help="Name of the table, if the source has several.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite model.toml, pipeline.py and README.md if the folder exists.")
]


def new(  # noqa: PLR0913, PLR0917 - one argument for each option
    name: Name,
    source: Source,
    time: Time,
    target: Target,
    score: Score = None,
    table: TableName = None,
    id_: Id = None,
    labelled_at: Labelled = None,
    version: Version = None,
    task: TaskName = None,
    keep: Keep = None,
    force: Force = False,
    json: options.Json = False,
    out: options.Out = None,
) -> None:
    """Create model/NAME/ from the rows of a table: columns, windows, limits and floors, each with its reason.

    Example: mlops new churn --from data/churn.csv --time asked_at --target left
    """
    from training.scaffold import propose_model, write_model

    # As in a replay: on a sample, threads cost more time than they save.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    root = repository(Path.cwd())
    require_free(root, name, force=force)
    given = {"id": id_, "time": time, "score": score, "label": target, "labelled_at": labelled_at, "version": version}
    progress = Progress()
    rows = TableRows(root, source, table, given)
    sample = look(rows, task_named(task), tuple(keep or ()), report=progress)
    proposal = propose_model(name, sample, progress)
    write_model(root, proposal)
    output.show(record(proposal), lines(proposal, sample, source), as_json=json, out=out)


class Progress:
    """Steps of the command on standard error, once it has taken so long that a person starts to wonder."""

    def __init__(self) -> None:
        self._start = monotonic()

    def __call__(self, step: str) -> None:
        """Print a step that is about to start."""
        if monotonic() - self._start > PATIENCE:
            output.console(stderr=True).print(output.clean(f"  ... {step}"), style="dim")


def repository(folder: Path) -> Path:
    """Return the repository around a folder; it may have no model yet.

    Raises:
        UsageError: there is none.
    """
    from core.config import model_names

    parents = (folder, *folder.parents)
    for candidate in (*filter(model_names, parents), *parents):
        if (candidate / "model").is_dir():
            return candidate.resolve()
    raise UsageError(f"No folder model/ here or above ({folder}).", fix="Run the command inside the repository.")


def require_free(root: Path, name: str, *, force: bool) -> None:
    """Make sure that a model of this name may be written.

    Raises:
        UsageError: the name is not valid, or the folder exists.
    """
    from core.config import MODEL_NAME

    if not MODEL_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a valid model name.",
            why="The name is also used for a folder, branches, files and groups of runs.",
            fix="Use lowercase letters, digits and underscores, starting with a letter, at most 63 characters.",
        )
    if (root / "model" / name).exists() and not force:
        raise UsageError(
            f"model/{name} exists already.",
            why="Its files may have been changed by hand.",
            fix="Use another name, or overwrite model.toml, pipeline.py and README.md with --force.",
        )


def task_named(name: str | None) -> Task | None:
    """Return the task of a name; None if no name was given.

    Raises:
        UsageError: there is no such task.
    """
    from core.config import METRICS

    if name is None:
        return None
    task = next((task for task in METRICS if task == name), None)
    if task is None:
        raise UsageError(f"--task {name!r} is unknown.", fix=f"Use one of {', '.join(METRICS)}, or leave it out.")
    return task


def record(proposal: ScaffoldProposal) -> dict[str, Any]:
    """Return the result for a program."""
    return {
        "model": proposal.name,
        "task": proposal.task,
        "warnings": list(proposal.warnings),
        "columns": [vars(column) for column in proposal.columns],
        "choices": [choice._asdict() for choice in proposal.choices],
    }
