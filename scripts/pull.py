"""Count the monitoring rows of the last days, and stop the night when they are broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core import process
from core.days import DAY
from scripts.cli import Engine, On, opened, options, output
from stages.pull import stage

if TYPE_CHECKING:
    from monitoring.counting import Window

Fresh = Annotated[
    bool, typer.Option("--fresh", help="Count every day again, as after rows of older days were changed in place.")
]


def pull(
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
    fresh: Fresh = False,
    engine: On = Engine.LOCAL,
) -> None:
    """Count the monitoring rows of the last days into window.json, and judge their quality.

    Example: mlops pull --model flights --as-of 2013-06-01
    """
    process.one_thread()
    night = opened(model, as_of, engine)
    with stage(night, out, fresh=fresh) as window:
        output.show(window, lines(window), as_json=json)


def lines(window: Window) -> list[str]:
    """The result for a person."""
    if window.version is None:
        return [f"{window.model}: no version in Production yet, nothing to compare with"]
    rows = sum(day.rows for day in window.days)
    found = window.quality
    said = "" if found is None else f", {found.checks} checks, {len(found.findings)} findings"
    head = f"{window.model}: {rows:,} rows in {len(window.days)} days up to {window.end - DAY}{said}"
    warnings = [f"  [yellow]{f.severity}[/] {output.clean(f.sentence)}" for f in found.findings] if found else []
    return [head, *warnings]
