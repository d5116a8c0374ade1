"""The command `mlops import`: copy the rows of a table into the table that predictions and labels are logged to."""

from __future__ import annotations

from time import monotonic
from typing import Annotated

import typer

from core.days import ALWAYS
from core.errors import UsageError
from scripts.cli import options, output
from stages.context import Night

PATIENCE = 2  # seconds between two lines of progress

Source = Annotated[
    str, typer.Option("--from", metavar="FILE|URL", help="Parquet or CSV file or folder, or URL of a database.")
]
Table = Annotated[str | None, typer.Option("--table", metavar="T", help="Table of --from, if it has several.")]


def import_history(
    source: Source, model: options.Model = None, table: Table = None, json: options.Json = False
) -> None:
    """Copy rows into data.source of model.toml. A row whose id exists is kept, so the copy can be repeated.

    Example: mlops import --from churn.csv
    """
    from pathlib import Path

    from monitoring.prediction_log import open_log
    from monitoring.sources import open_source

    night = Night.open(model, None)
    data, target = night.config.data, night.settings.source(night.config)
    place = source if "://" in source else str(Path(source).resolve())
    if place in {target, str((night.settings.root / target).resolve())} and table in {None, data.table}:
        raise UsageError(
            f"{source} is the source of {night.name} already.",
            why="Rows are copied from --from into data.source of model.toml.",
            fix="Name the new table as data.source and data.table in model.toml, then type this again.",
        )
    rows = open_source(place, data.model_copy(update={"table": table}), night.settings.root)
    names = [name for name in (*data.features, *data.roles) if name in rows.columns]
    log, count, shown = open_log(target, data, night.settings.root), 0, monotonic()
    for batch in rows.batches(names, ALWAYS, None):
        log.history(batch)
        count += batch.num_rows
        if monotonic() - shown > PATIENCE:
            output.console(stderr=True).print(f"  ... {count:,} rows", style="dim")
            shown = monotonic()
    text = f"{night.name}: {count:,} rows are in {data.table or 'the folder'}; rows whose id was there are as they were"
    output.show({"model": night.name, "rows": count}, [output.clean(text)], as_json=json)
