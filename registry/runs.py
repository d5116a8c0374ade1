"""The MLflow runs of trainings: one a training, complete or marked as failed."""

from __future__ import annotations

import datetime as dt
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import OutsideError, RegistryError
from core.records import Record
from registry import store
from registry.version import BASELINE, EXAMPLE, ModelVersion, Origin, instant, records_digest
from training import scoring_method
from training.artifact import RETRAIN, TAMPERED, model_file

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy", "skops")
LONGEST = 500


def log(
    client: MlflowClient,
    artifacts: Path,
    name: str,
    estimator: Any,
    example: pd.DataFrame,
    origin: Origin,
    records: Mapping[str, Record],
    numbers: tuple[Mapping[str, object], Mapping[str, float]],
) -> None:
    """Write the run, the model's files and, as the step that makes the training count, the version with its tags.

    Args:
        client: of the store.
        artifacts: the folder for files, if no server keeps them.
        name: experiment and registered model.
        estimator: the fitted estimator.
        example: rows of features, for the signature.
        origin: kept as tags.
        records: kept as files, by name; baseline and example among them.
        numbers: params and metrics.
    """
    types = model_file.trusted_types(estimator)
    with _run(client, experiment(client, name, artifacts), name, origin) as run:
        _log_numbers(client, run, origin.trained_at, *numbers)
        for file, record in records.items():
            client.log_text(run.info.run_id, record.to_json(), file)
        model_id, source, digest = _log_model(client, run, estimator, example, types)
        with suppress_code("RESOURCE_ALREADY_EXISTS"):
            client.create_registered_model(name)
        baseline, stored_example = (records[file].to_json().encode() for file in (BASELINE, EXAMPLE))
        tags = {
            **origin.tags(),
            "digest": digest,
            "records_digest": records_digest(baseline, stored_example, origin),
            "validation": "none",
        }
        version = client.create_model_version(name, source, run.info.run_id, tags=tags, model_id=model_id)
        first = _first(client, name, origin)
        if first.version < int(version.version):
            # Another machine ran the same training, or the first response was lost and the request repeated.
            client.delete_model_version(name, version.version)
        if first.run_id == run.info.run_id:
            client.set_registered_model_alias(name, "candidate", str(first.version))
        else:
            client.set_tag(run.info.run_id, "kind", "duplicate")


def _first(client: MlflowClient, name: str, origin: Origin) -> ModelVersion:
    """Return the oldest version that this training registered. Versions with unexpected tags are left out."""
    where = f"name={store.literal(name)} and tags.training_key={store.literal(origin.training_key)}"
    entries = store.pages(lambda token: client.search_model_versions(where, max_results=store.PAGE, page_token=token))
    versions = [version for entry in entries if (version := ModelVersion.from_entry(entry))]
    return min(versions, key=lambda version: version.version)


def finish(client: MlflowClient, version: ModelVersion) -> None:
    """Set the alias and the end of a training that was interrupted after it had registered its version."""
    if client.get_run(version.run_id).info.status != "FINISHED":
        client.set_registered_model_alias(version.name, "candidate", str(version.version))
        client.set_terminated(version.run_id, "FINISHED", _milliseconds(version.trained_at))


def moments(client: MlflowClient, name: str) -> dict[str, dt.datetime]:
    """Return when the model was trained, by run: all trainings that finished, whether or not the candidates passed."""
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return {}
    runs = store.pages(
        lambda token: client.search_runs(
            [experiment.experiment_id],
            "attributes.status = 'FINISHED' and tags.kind = 'training'",
            max_results=store.PAGE,
            page_token=token,
        )
    )
    trained = {run.info.run_id: instant(run.data.tags.get("trained_at", "")) for run in runs}
    return {run_id: moment for run_id, moment in trained.items() if moment is not None}


@contextmanager
def _run(client: MlflowClient, experiment_id: str, name: str, origin: Origin) -> Iterator[Any]:
    """Yield a run that ends as finished, or as failed after an error. A run that was killed stays as running."""
    moment = _milliseconds(origin.trained_at)
    tags = {"kind": "training", "model": name, **origin.tags()}
    title = f"training {origin.trained_at:%Y-%m-%d}"
    run = client.create_run(experiment_id, start_time=moment, tags=tags, run_name=title)
    try:
        yield run
    except BaseException:
        with suppress(Exception):
            client.set_terminated(run.info.run_id, "FAILED", moment)
        raise
    client.set_terminated(run.info.run_id, "FINISHED", moment)


def _log_numbers(
    client: MlflowClient, run: Any, moment: dt.datetime, params: Mapping[str, object], metrics: Mapping[str, float]
) -> None:
    from mlflow.entities import Metric, Param

    at = _milliseconds(moment)
    client.log_batch(
        run.info.run_id,
        metrics=[Metric(key, value, at, 0) for key, value in metrics.items()],
        params=[Param(key, str(value)[:LONGEST]) for key, value in _flat(params)],
    )


def _log_model(
    client: MlflowClient, run: Any, estimator: Any, example: pd.DataFrame, types: list[str]
) -> tuple[str, str, str]:
    """Store the files; return id and location of the logged model, and the digest of the files as read back."""
    with warnings.catch_warnings():
        # MLflow warns about type hints of its own when it loads these.
        warnings.simplefilter("ignore")
        import mlflow.pyfunc
        import mlflow.sklearn
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model, infer_signature

    logged = client.create_logged_model(run.info.experiment_id, name="model", source_run_id=run.info.run_id)
    client.log_outputs(run.info.run_id, [LoggedModelOutput(logged.model_id, 0)])
    with tempfile.TemporaryDirectory() as folder:
        mlflow.sklearn.save_model(
            estimator,
            f"{folder}/model",
            mlflow_model=Model(model_uuid=logged.model_id, run_id=run.info.run_id),
            serialization_format="skops",
            skops_trusted_types=types,
            pip_requirements=[f"{package}=={metadata.version(package)}" for package in PACKAGES],
            pyfunc_predict_fn=scoring_method(estimator),
            signature=infer_signature(example, getattr(estimator, scoring_method(estimator))(example)),
        )
        client.log_model_artifacts(logged.model_id, f"{folder}/model")
    client.finalize_logged_model(logged.model_id, "READY")
    with download(client, logged.artifact_location) as stored:
        return logged.model_id, logged.artifact_location, model_file.tree_digest(stored)


def _flat(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _milliseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)


def experiment(client: MlflowClient, name: str, artifacts: Path | None) -> str:
    """Return the id of the experiment `name`, which is created if it does not exist.

    Args:
        client: of the store.
        name: of the experiment.
        artifacts: the folder for its files if no server keeps them; None if it has no files.

    Raises:
        OutsideError: the experiment was deleted.
    """
    entry = client.get_experiment_by_name(name)
    if entry is None:
        local = artifacts is not None and not client.tracking_uri.startswith("http")
        with suppress_code("RESOURCE_ALREADY_EXISTS"):
            client.create_experiment(name, (artifacts / name).as_uri() if artifacts and local else None)
        entry = client.get_experiment_by_name(name)
    if entry.lifecycle_stage != "active":
        raise OutsideError(
            f"The MLflow experiment {name!r} was deleted.",
            why="It was deleted in MLflow by hand; it contains the history of the model.",
            fix=f"mlflow experiments restore --experiment-id {entry.experiment_id}",
        )
    return str(entry.experiment_id)


@contextmanager
def suppress_code(*codes: str) -> Iterator[None]:
    """Ignore errors of MLflow with one of these codes."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as err:
        if store.code(err) not in codes:
            raise


@contextmanager
def download(client: MlflowClient, location: str) -> Iterator[Path]:
    """Yield a temporary copy of the file or folder at `location`.

    Raises:
        RegistryError: a path there leads out of the copy, or is a link that leads out of its folder.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory() as folder:
        try:
            path = Path(download_artifacts(location, dst_path=folder, tracking_uri=client.tracking_uri))
        except MlflowException as err:
            if store.code(err) != "INVALID_PARAMETER_VALUE":  # by which MLflow refuses paths
                raise
            reason = " ".join(store.scrub(str(err)).split())[:300]
            message = f"The files at {store.scrub(location)} are not read, because a path leads out of them: {reason}"
            raise RegistryError(message, why=TAMPERED, fix=RETRAIN) from None
        yield path
