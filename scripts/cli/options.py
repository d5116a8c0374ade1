"""Hold the options that all commands share, so that they read and behave alike; only here the clock is read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stages.context import Night

if TYPE_CHECKING:
    pass

Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", envvar="MLOPS_MODEL", help="Folder name below model/. Not needed where there is one."
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="ISO",
        envvar="MLOPS_AS_OF",
        help="Act as on this UTC date or time, e.g. 2013-06-01. Default: now.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the result as JSON to this file.")]
From = Annotated[Path | None, typer.Option("--from", help="Read the record of the stage before from this file.")]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with 4 when a gate blocks, for use in scripts.")]


class Engine(StrEnum):
    """What counts the rows."""

    LOCAL = "local"
    SPARK = "spark"


On = Annotated[
    Engine,
    typer.Option(
        "--engine",
        help="Count here, or on Spark (Parquet or a table). Spark is experimental: not run against a live service.",
    ),
]


def opened(model: str | None, as_of: str | None, engine: Engine) -> Night:
    """The night that the options mean; its rows are counted by the engine."""
    night = Night.open(model, as_of)
    return night.on_spark() if engine is Engine.SPARK else night
