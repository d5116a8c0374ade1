"""Find or make what MLflow keeps things in: the experiment of a model, and a copy of the files that a run left."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import OutsideError, RegistryError
from model import store
from model.archive import RETRAIN, TAMPERED

if TYPE_CHECKING:
    from mlflow import MlflowClient


def experiment(client: MlflowClient, name: str, artifacts: Path | None) -> str:
    """The id of the experiment `name`, made where there is none.

    Args:
        client: of the store.
        name: of the experiment.
        artifacts: the folder for its files where no server decides that; None if it has no files.

    Raises:
        OutsideError: somebody deleted it.
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        local = artifacts is not None and not client.tracking_uri.startswith("http")
        with suppress_code("RESOURCE_ALREADY_EXISTS"):
            client.create_experiment(name, (artifacts / name).as_uri() if artifacts and local else None)
        found = client.get_experiment_by_name(name)
    if found.lifecycle_stage != "active":
        raise OutsideError(
            f"The MLflow experiment {name!r} was deleted.",
            why="Somebody deleted it in MLflow; what happened so far is in it.",
            fix=f"mlflow experiments restore --experiment-id {found.experiment_id}",
        )
    return str(found.experiment_id)


@contextmanager
def suppress_code(*codes: str) -> Iterator[None]:
    """Go on when MLflow answers with one of these codes."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as err:
        if store.code(err) not in codes:
            raise


@contextmanager
def download(client: MlflowClient, location: str) -> Iterator[Path]:
    """A copy of the file or folder at `location`, for as long as it is needed.

    Raises:
        RegistryError: something there would be written outside of the copy, or is a link that leads out of its folder.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory() as folder:
        try:
            path = Path(download_artifacts(location, dst_path=folder, tracking_uri=client.tracking_uri))
        except MlflowException as err:
            if store.code(err) != "INVALID_PARAMETER_VALUE":  # by which MLflow refuses paths
                raise
            said = " ".join(store.scrub(str(err)).split())[:300]
            what = f"The files at {store.scrub(location)} are not read, because a path leads out of them: {said}"
            raise RegistryError(what, why=TAMPERED, fix=RETRAIN) from None
        yield path
