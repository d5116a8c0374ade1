"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stages.context import Night

Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", envvar="MLOPS_MODEL", help="Name of a folder in model/. Optional if there is only one."
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="ISO",
        envvar="MLOPS_AS_OF",
        help="Run as of this UTC date or time, e.g. 2013-06-01. Default: now.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the result as JSON to this file.")]
From = Annotated[Path | None, typer.Option("--from", help="Read the record of the previous stage from this file.")]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with 4 if a gate blocks, for use in scripts.")]


class Engine(StrEnum):
    """Where the rows are counted."""

    LOCAL = "local"
    SPARK = "spark"


On = Annotated[
    Engine,
    typer.Option(
        "--engine",
        help="Count here or on Spark (Parquet or a table). Spark is experimental: not run against a live service.",
    ),
]


def opened(model: str | None, as_of: str | None, engine: Engine) -> Night:
    """Return the context for these options; the engine counts its rows."""
    night = Night.open(model, as_of)
    return night.on_spark() if engine is Engine.SPARK else night
