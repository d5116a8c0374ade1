"""Somebody with a table and an empty repository, who types `mlops new`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from tests.place import Place, Ran

COLUMNS = ("--time", "asked_at", "--target", "target")


def empty(folder: Path, store: Path) -> Place:
    """A repository without a model, and an empty registry, which is copied from `store`."""
    for name in ("model", "local", "data"):
        (folder / name).mkdir(parents=True)
    (folder / "local" / "mlflow.db").write_bytes(store.read_bytes())
    return Place(folder)


def put(place: Place, rows: pd.DataFrame, name: str = "rows.parquet") -> str:
    """Write the rows into the repository."""
    path = place.folder / "data" / name
    rows.to_csv(path, index=False) if path.suffix == ".csv" else rows.to_parquet(path)
    return f"data/{name}"


def new(place: Place, rows: pd.DataFrame | str, *more: str, name: str = "own") -> Ran:
    """Run the command."""
    return place.mlops("new", name, "--from", rows if isinstance(rows, str) else put(place, rows), *more, day=None)


def kinds(ran: Ran) -> dict[str, tuple[str, str]]:
    """What each column is taken as, and why."""
    return {one["name"]: (one["kind"], one["why"]) for one in ran.data["columns"]}


def choices(ran: Ran) -> dict[str, Any]:
    """The value of each key."""
    return {one["key"]: one["value"] for one in ran.data["choices"]}
