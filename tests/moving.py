"""Let a copy of a place have its models in its own folder, though MLflow keeps their paths."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def moved(database: Path, old: str, new: str) -> None:
    """Change a folder's name in every text of a database."""
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("PRAGMA foreign_keys = OFF")
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for _, column, kind, *_ in db.execute(f"PRAGMA table_info({table})").fetchall():
                if kind.upper().startswith(("VARCHAR", "TEXT")):
                    db.execute(
                        f"UPDATE {table} SET {column} = replace({column}, ?, ?) WHERE instr({column}, ?)",  # noqa: S608
                        [old, new, old],
                    )
