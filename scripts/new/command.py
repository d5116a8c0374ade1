"""Begin a model from a table: write its folder, and say what was chosen and which number led to it."""

from __future__ import annotations

import os
from pathlib import Path
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

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the model: small letters, digits and _, a letter first.")]
Source = Annotated[
    str, typer.Option("--from", metavar="FILE|URL", help="A Parquet or CSV file or folder, or a database.")
]
Time = Annotated[str, typer.Option(metavar="COL", help="Column of the time when the prediction is asked for.")]
Target = Annotated[str, typer.Option(metavar="COL", help="Column to predict. Contains 0/1, class names or numbers.")]
Asked = Annotated[
    str | None,
    typer.Option("--task", metavar="TASK", help="binary, multiclass or regression. Default: as the target looks."),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(metavar="COL", help="A column that is a feature, although it looks like a leak or an id; repeatable."),
]
Score = Annotated[str | None, typer.Option(metavar="COL", help="Column of the model's scores. Default: prediction.")]
Id = Annotated[
    str | None, typer.Option("--id", metavar="COL", help="Column that differs in every row. Default: one is found.")
]
Labelled = Annotated[str | None, typer.Option(metavar="COL", help="Column of the time when the label became known.")]
Version = Annotated[str | None, typer.Option(metavar="COL", help="Column of the model version that gave the score.")]
TableName = Annotated[str | None, typer.Option("--table", metavar="T", help="Table, where the source has several.")]
Force = Annotated[bool, typer.Option("--force", help="Write over the three files of a folder that is there.")]


def new(  # noqa: PLR0913, PLR0917 - an argument an option
    name: Name,
    source: Source,
    time: Time,
    target: Target,
    score: Score = None,
    table: TableName = None,
    id_: Id = None,
    labelled_at: Labelled = None,
    version: Version = None,
    task: Asked = None,
    keep: Keep = None,
    force: Force = False,
    json: options.Json = False,
    out: options.Out = None,
) -> None:
    """Write model/NAME/ for the rows of a table: columns, windows, limits and floors, each with its reason.

    Example: mlops new churn --from data/churn.csv --time asked_at --target left
    """
    from training.scaffold import propose_model, write_model

    # As in a replay: on a sample, threads cost more than they give.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    root = place(Path.cwd())
    free(root, name, force=force)
    asked = {"id": id_, "time": time, "score": score, "label": target, "labelled_at": labelled_at, "version": version}
    rows = TableRows(root, source, table, asked)
    found = look(rows, asked, known(task), tuple(keep or ()))
    proposal = propose_model(name, found)
    write_model(root, proposal)
    output.show(record(proposal), lines(proposal, found, source), as_json=json, out=out)


def place(folder: Path) -> Path:
    """The repository around a folder, which may have no model yet.

    Raises:
        UsageError: there is none.
    """
    from core.config import model_names

    around = (folder, *folder.parents)
    for found in (*filter(model_names, around), *around):
        if (found / "model").is_dir():
            return found.resolve()
    raise UsageError(f"No folder model/ here or above ({folder}).", fix="Run the command inside the repository.")


def free(root: Path, name: str, *, force: bool) -> None:
    """Make sure that a model may be written.

    Raises:
        UsageError: its name is none, or its folder is there.
    """
    from core.config import MODEL_NAME

    if not MODEL_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a valid model name.",
            why="It also names a folder, branches, files and groups of runs.",
            fix="Take small letters, digits and _, a letter first, at most 63.",
        )
    if (root / "model" / f"{name}.py").exists():
        raise UsageError(
            f"model/{name}.py is a part of the template.",
            why="A model of that name would be taken for it.",
            fix="Take another name.",
        )
    if (root / "model" / name).exists() and not force:
        raise UsageError(
            f"There is a model/{name} already.",
            why="Its files may have been changed by hand.",
            fix="Take another name, or write over model.toml, pipeline.py and README.md with --force.",
        )


def known(task: str | None) -> Task | None:
    """The task of that name.

    Raises:
        UsageError: there is none.
    """
    from core.config import METRICS

    if task is None:
        return None
    found = next((one for one in METRICS if one == task), None)
    if found is None:
        raise UsageError(f"--task {task!r} is unknown.", fix=f"Take one of {', '.join(METRICS)}, or leave it out.")
    return found


def record(proposal: ScaffoldProposal) -> dict[str, Any]:
    """The result for a program."""
    return {
        "model": proposal.name,
        "task": proposal.task,
        "columns": [vars(one) for one in proposal.judged],
        "choices": [one._asdict() for one in proposal.choices],
    }
