"""The nightly commands with PostgreSQL as monitoring table decide what they decide with SQLite."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests import postgres
from tests.place import FIRST, Place

NIGHT = dt.date(2013, 4, 4)


def moved(place: Place) -> str:
    """The URL of a copy of the monitoring table in PostgreSQL, with the types that one would choose there."""
    with contextlib.closing(sqlite3.connect(place.database)) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("SELECT * FROM predictions")]
    times = ("timestamp", "labelled_at")
    for row in rows:
        row.update({name: row[name] and dt.datetime.fromisoformat(row[name]) for name in times})
    data = place.night(NIGHT).config.data
    kinds: dict[str, tuple[str, Any]] = {
        **{name: ("numeric" if name == "precip" else "float8", pa.float64()) for name in data.numeric},
        **dict.fromkeys(data.categorical, ("text", pa.string())),
        **dict.fromkeys(times, ("timestamptz", pa.timestamp("us", "UTC"))),
        "flight_id": ("text PRIMARY KEY", pa.string()),
        "prediction": ("float8", pa.float64()),
        "actual": ("smallint", pa.int16()),
        "model_version": ("text", pa.string()),
    }
    kinds = {name: kinds[name] for name in rows[0]}
    url = postgres.fresh()
    # By way of text: PostgreSQL casts a float to numeric with 15 digits.
    later = [
        f"ALTER TABLE predictions ALTER {name} TYPE numeric USING {name}::text::numeric"
        for name, (kind, _) in kinds.items()
        if kind == "numeric"
    ]
    listed = ", ".join(f"{name} {kind.replace('numeric', 'float8')}" for name, (kind, _) in kinds.items())
    postgres.execute(url, f"CREATE TABLE predictions ({listed})", "CREATE INDEX ON predictions (timestamp)")
    postgres.append(url, "predictions", pa.Table.from_pylist(rows, pa.schema([(n, t) for n, (_, t) in kinds.items()])))
    postgres.execute(url, *later)
    return url


def without_types(value: Any) -> Any:
    """A record without the names of the columns' types, which are the source's own."""
    if isinstance(value, dict):
        return {key: without_types(part) for key, part in value.items() if key != "types"}
    return [without_types(part) for part in value] if isinstance(value, list) else value


def test_a_night_on_postgresql_decides_as_on_sqlite(tmp_path: Path, mlflow_store: Path) -> None:
    """Same tallies, readings, decision and training rows to the last bit; only types have other names."""
    place = Place.make(tmp_path / "repo", store=mlflow_store)
    place.retrain(FIRST)
    place.person.merge()
    assert 0 == place.mlops("promote").code
    place.serve(FIRST, NIGHT)
    other = place.copy(tmp_path / "other")
    url = moved(place)
    other.database.unlink()

    records: list[dict[str, Any]] = []
    for where, env in ((place, {}), (other, {"MONITORING_URL": url})):
        for words in (["pull"], ["check", "--force", "--reason", "to see"], ["train"]):
            ran = where.mlops(*words, day=NIGHT, env=env)
            assert 0 == ran.code, ran.err
        work = where.folder / "local" / "flights"
        names = ("window", "decision", "candidate")
        records.append({name: json.loads((work / f"{name}.json").read_text()) for name in names})
    here, there = records

    assert sum(day["rows"] for day in here["window"]["days"]) > 500
    assert without_types(here["window"]) == without_types(there["window"])
    assert here["decision"] == there["decision"]
    for name in ("training_key", "data_digest", "rows", "version"):
        assert find(here["candidate"], name) == find(there["candidate"], name)


def find(record: Any, name: str) -> list[Any]:
    """All values under a name, anywhere in a record."""
    parts = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    return [value for key, part in parts for value in ([part] if key == name else []) + find(part, name)]
