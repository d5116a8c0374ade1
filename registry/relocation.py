"""The registry in a folder follows it: MLflow keeps absolute paths, and the folder may be moved, renamed or copied."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

LOG = logging.getLogger("mlops")
COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("logged_models", "artifact_location"),
)


def follow_folder(database: Path, artifacts: Path) -> None:
    """Let a database name the files next to it, if it names the same ones in another folder. One transaction.

    Nothing is changed if the files are not next to it, so that a database that was copied alone still finds its own.

    Args:
        database: an SQLite file of MLflow.
        artifacts: the folder for its files.
    """
    if artifacts.parent != database.parent:
        return
    from sqlalchemy import create_engine, text

    engine = create_engine(f"sqlite:///{database}")
    try:
        with engine.begin() as connection:
            locations = [row[0] for row in connection.execute(text("SELECT artifact_location FROM experiments"))]
            for old in sorted(_former_folders(locations, artifacts)):
                for before, after in ((old.as_uri(), artifacts.as_uri()), (str(old), str(artifacts))):
                    for table, column in COLUMNS:
                        # Names of our own, values as parameters.
                        statement = (
                            f"UPDATE {table} SET {column} = :after || substr({column}, :length) "  # noqa: S608
                            f"WHERE substr({column}, 1, :length - 1) = :before || '/'"
                        )
                        values = {"before": before, "after": f"{after}/", "length": len(before) + 2}
                        connection.execute(text(statement), values)
                LOG.info("The registry was in %s before; its paths now name %s.", old.parent, artifacts.parent)
    finally:
        engine.dispose()


def _former_folders(locations: list[str], artifacts: Path) -> set[Path]:
    """Return the other folders that the locations of experiments are in, if the experiment's files are here."""
    paths = [_path(location) for location in locations if location]
    return {
        path.parent
        for path in paths
        if path is not None
        and path.parent != artifacts
        and path.parent.name == artifacts.name
        and (artifacts / path.name).is_dir()
    }


def _path(location: str) -> Path | None:
    """Return the folder of a location on this machine; None for other places."""
    if location.startswith("file:"):
        return Path(url2pathname(urlsplit(location).path))
    return Path(location) if location.startswith("/") else None
