"""Fill a registry with what years of trainings leave, by SQL: through MLflow it would take as long as a coffee."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

Row = dict[str, Any]
DAY = dt.timedelta(days=1)
MOMENTS = ("trained_at", "fit_until", "data_until")


def pass_by(repo: Path, many: int) -> None:
    """Make the one version of a place the newest of `many`, and declare it so.

    Each of the older ones is a day older than the next, has its training and its events, was validated and promoted;
    the last of them is in Production.
    """
    with closing(sqlite3.connect(repo / "local" / "mlflow.db")) as db, db:
        db.execute("PRAGMA foreign_keys = OFF")  # a version is numbered anew before its tags are
        db.row_factory = sqlite3.Row
        for table in ("model_versions", "model_version_tags", "registered_model_aliases"):
            db.execute(f"UPDATE {table} SET version = ?", [many])  # noqa: S608 - our names
        version, *_ = _rows(db, "model_versions")
        tags = {row["key"]: row["value"] for row in _rows(db, "model_version_tags")}
        runs = [(run, _rows(db, "tags", run["run_uuid"])) for run in _rows(db, "runs")]
        for number in range(1, many):
            for table, row in _older(number, many, version, tags, runs):
                marks = ", ".join("?" * len(row))
                db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))  # noqa: S608
        db.execute("INSERT INTO registered_model_aliases VALUES ('production', ?, 'flights', 'default')", [many - 1])
    declared = repo / "model" / "flights" / "production.json"
    declared.write_text(json.dumps({**json.loads(declared.read_text()), "version": many}))


def _rows(db: sqlite3.Connection, table: str, run: str | None = None) -> list[Row]:
    where, values = (" WHERE run_uuid = ?", [run]) if run else ("", [])
    return [dict(row) for row in db.execute(f"SELECT * FROM {table}{where}", values)]  # noqa: S608 - our names


def _older(
    number: int, many: int, version: Row, tags: dict[str, str], runs: list[tuple[Row, list[Row]]]
) -> Iterator[tuple[str, Row]]:
    """The rows of a version, by table."""
    days = (many - number) * DAY
    names = {run["run_uuid"]: f"{number:016x}{run['run_uuid'][:16]}" for run, _ in runs}
    stage = "Production" if number == many - 1 else "Archived"
    yield "model_versions", {**version, "version": number, "run_id": names[version["run_id"]], "current_stage": stage}
    told = {key: _earlier(value, days) if key in MOMENTS else value for key, value in tags.items()}
    promoted = {"promoted_at": told["trained_at"], "promoted_commit": told["commit"], "training_key": f"{number:064x}"}
    for key, value in {**told, **promoted}.items():
        kept = {"name": version["name"], "workspace": version["workspace"]}
        yield "model_version_tags", {**kept, "key": key, "value": value, "version": number}
    for run, kept in runs:
        began = run["start_time"] - int(days.total_seconds()) * 1000
        yield "runs", {**run, "run_uuid": names[run["run_uuid"]], "start_time": began, "end_time": began}
        for tag in kept:
            text = _event(tag["value"], number, days) if tag["key"] == "event" else tag["value"]
            text = _earlier(text, days) if tag["key"] in MOMENTS else text
            yield "tags", {**tag, "run_uuid": names[run["run_uuid"]], "value": text}


def _earlier(moment: str, days: dt.timedelta) -> str:
    return (dt.datetime.fromisoformat(moment) - days).isoformat()


def _event(text: str, number: int, days: dt.timedelta) -> str:
    event = json.loads(text)
    return json.dumps({**event, "timestamp": _earlier(event["timestamp"], days), "version": number})
