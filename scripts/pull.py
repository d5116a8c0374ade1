"""The command `mlops pull`: count the monitoring rows of the last days, and stop if they are broken."""

from __future__ import annotations

from typing import Annotated

import typer

from core import process
from scripts.cli import Engine, On, opened, options, output, window_lines
from stages.pull import pulled

Fresh = Annotated[bool, typer.Option("--fresh", help="Recount all days. Use this after you changed existing rows.")]


def pull(
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
    fresh: Fresh = False,
    engine: On = Engine.LOCAL,
) -> None:
    """Count the monitoring rows of the last days into window.json, and check their quality.

    Example: mlops pull --model flights --as-of 2013-06-01
    """
    process.limit_blas_threads()
    night = opened(model, as_of, engine)
    with pulled(night, out, fresh=fresh) as window:
        output.show(window, window_lines(window), as_json=json)
