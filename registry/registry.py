"""The MLflow registry: versions with their evidence, and which of them is in Production."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import RegistryError
from core.records import Record
from monitoring.counting import Baseline, KnownDays
from registry import runs, store
from registry.version import (
    ALIAS,
    BASELINE,
    BY_HAND,
    DAYS,
    EXAMPLE,
    PRODUCTION,
    Example,
    ModelVersion,
    Origin,
    StoredVerdict,
    records_digest,
)
from training.artifact import model_file

if TYPE_CHECKING:
    import pandas as pd

R = TypeVar("R", bound=Record)
UNKNOWN = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # MLflow's codes for the model, and for its alias


class Registry:
    """The models, versions and trainings in one MLflow store.

    Every method raises OutsideError if it cannot connect to MLflow or read its files.

    Args:
        tracking_uri: the store; an SQLite file is created if it does not exist.
        artifacts: the folder for files, if no server keeps them.
    """

    def __init__(self, tracking_uri: str, artifacts: Path) -> None:
        self.artifacts = artifacts.absolute()
        self.client = store.connect(tracking_uri, self.artifacts)

    def _entries(self, name: str, condition: str = "") -> list[Any]:
        """Return MLflow's entries of the versions of a model, the oldest first."""
        with self._reaching(f"asked for the versions of {name}"):
            entries = store.pages(
                lambda token: self.client.search_model_versions(
                    f"name={store.literal(name)}{condition}", max_results=store.PAGE, page_token=token
                )
            )
        return sorted(entries, key=lambda entry: int(entry.version))

    def entry(self, name: str, number: int) -> Any | None:
        """Return MLflow's entry of one version, whoever registered it; None if it does not exist. One request."""
        return next(iter(self._entries(name, f" and version_number={number}")), None)

    def version(self, name: str, number: int) -> ModelVersion:
        """Return one version that mlops train registered.

        Raises:
            RegistryError: there is no such version.
        """
        entry = self.entry(name, number)
        version = ModelVersion.from_entry(entry) if entry is not None else None
        if version is None:
            raise RegistryError(
                f"There is no version {number} of {name} that mlops train registered.",
                why="The version or its tags were deleted in MLflow by hand.",
                fix="Train again.",
            )
        return version

    def versions(self, name: str) -> dict[int, ModelVersion]:
        """Return all versions that mlops train registered, by number. Versions registered by hand are left out."""
        versions = (ModelVersion.from_entry(entry) for entry in self._entries(name))
        return {version.version: version for version in versions if version is not None}

    def champion(self, name: str) -> ModelVersion | None:
        """Return the version in Production, None before the first promotion.

        Raises:
            RegistryError: there are several, or one that mlops train did not register.
        """
        entries = [entry for entry in self._entries(name) if entry.current_stage == PRODUCTION]
        if not entries:
            return None
        version = ModelVersion.from_entry(entries[0])
        if len(entries) > 1 or version is None:
            numbers = " and ".join(str(entry.version) for entry in entries)
            raise RegistryError(
                f"In Production of {name}: version {numbers}; expected one version, registered by mlops train.",
                why="A stage was moved, a model registered or a tag changed in MLflow by hand.",
                fix="If git declares a version, run mlops promote: it puts that version into Production. If not: "
                f"{BY_HAND}",
            )
        return version

    def served(self, name: str) -> ModelVersion | None:
        """Return the version with the alias `production`, which services load; None before the first promotion.

        Raises:
            RegistryError: mlops train did not register it.
        """
        with self._reaching(f"asked which version of {name} is served"), runs.suppress_code(*UNKNOWN):
            entry = self.client.get_model_version_by_alias(name, ALIAS)
            version = ModelVersion.from_entry(entry)
            if version is None:
                raise RegistryError(
                    f"The alias {ALIAS} of {name} names version {entry.version}, which mlops train did not register.",
                    why="The alias was moved, or tags were changed, in MLflow by hand.",
                    fix="Run mlops promote: it puts the version that git declares into Production.",
                )
            return version
        return None

    def find(self, name: str, training_key: str) -> ModelVersion | None:
        """Return the version that this training registered if it ran before; the first one if two runs of it raced."""
        entries = self._entries(name, f" and tags.training_key={store.literal(training_key)}")
        return next((version for entry in entries if (version := ModelVersion.from_entry(entry))), None)

    def register(
        self,
        name: str,
        estimator: Any,
        *,
        origin: Origin,
        example: pd.DataFrame,
        baseline: Baseline,
        records: Mapping[str, Record] | None = None,
        params: Mapping[str, object] | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> ModelVersion:
        """Keep a fitted estimator as a new version with alias `candidate`; a training is registered only once.

        Args:
            name: the registered model, and the experiment of its trainings; both are created if they do not exist.
            estimator: the fitted estimator.
            origin: what the estimator was made from.
            example: synthetic rows of features. Their scores are kept, to compare when the model is loaded.
            baseline: the tallies of the rows that the estimator was trained on.
            records: further records to keep, by file name.
            params: settings for people to read in MLflow; nested ones get dotted names.
            metrics: numbers for people to read in MLflow.

        Raises:
            ConfigError: the estimator holds types that are not on the allow-list.
        """
        from training import fingerprint

        version = self.find(name, origin.training_key)
        if version is None:
            files = {
                **(records or {}),
                BASELINE: baseline,
                EXAMPLE: Example.of(example, fingerprint(estimator, example)),
            }
            numbers = params or {}, metrics or {}
            with self._reaching(f"given a new version of {name}"):
                runs.log(self.client, self.artifacts, name, estimator, example, origin, files, numbers)
            version = self.find(name, origin.training_key)
        if version is None:
            raise RegistryError(
                f"The new version of {name} is not in the registry.",
                why="It was deleted in MLflow while it was registered.",
                fix="Run mlops train again.",
            )
        return version

    def finish(self, version: ModelVersion) -> None:
        """Complete a training that was killed after it had registered this version; otherwise do nothing."""
        with self._reaching(f"asked whether the training of {version.name} version {version.version} ended"):
            runs.finish(self.client, version)

    def mark(self, name: str, version: int, verdict: StoredVerdict) -> bool:
        """Keep a verdict with its version, tag the version with whether it passed, and return True.

        A version that was in Production keeps the verdict that brought it there (False). Judged later, on other rows
        and against another champion, it could lose the tag that a rollback to it requires.

        Raises:
            RegistryError: there is no such version.
        """
        current = self.version(name, version)
        if current.stage == PRODUCTION or current.promoted_at is not None:
            return False
        with self._reaching(f"sent the verdict on {name} version {version}"):
            self.client.log_text(current.run_id, verdict.to_json(), "verdict.json")
            state = "passed" if verdict.passed else "blocked"
            self.client.set_model_version_tag(name, str(version), "validation", state)
        return True

    def trainings(self, name: str) -> list[dt.datetime]:
        """Return when the model was trained, the oldest first, whether or not the candidates passed."""
        with self._reaching(f"asked for the trainings of {name}"):
            finished = runs.moments(self.client, name)
        # A run that was killed right after it had registered its version is not finished, but counts.
        registered = {version.run_id: version.trained_at for version in self.versions(name).values()}
        return sorted({**registered, **finished}.values())

    def _text(self, version: ModelVersion, file: str) -> bytes:
        """Return a file of the run that registered a version."""
        with self._reaching(f"read {file} of {version.name} version {version.version} from"):
            folder = self.client.get_run(version.run_id).info.artifact_uri
            with runs.download(self.client, f"{folder}/{file}") as path:
                return path.read_bytes()

    def record(self, version: ModelVersion, file: str, cls: type[R]) -> R:
        """Return a record that was kept with a version."""
        return cls.from_json(self._text(version, file), origin=f"{file} of {version.name} version {version.version}")

    def baseline(self, version: ModelVersion) -> Baseline:
        """Return the tallies of the rows that a version was trained on."""
        return self.record(version, BASELINE, Baseline)

    def known_days(self, version: ModelVersion) -> KnownDays | None:
        """Return the days that earlier runs counted for a version; None if no run did."""
        with self._reaching(f"asked for the files of {version.name} version {version.version}"):
            exists = any(file.path == DAYS for file in self.client.list_artifacts(version.run_id))
        return self.record(version, DAYS, KnownDays) if exists else None

    def keep_days(self, version: ModelVersion, days: KnownDays) -> None:
        """Replace the counted days that are kept for a version."""
        with self._reaching(f"given the days that were counted for {version.name} version {version.version}"):
            self.client.log_text(version.run_id, days.to_json(), DAYS)

    def example(self, version: ModelVersion) -> tuple[pd.DataFrame, NDArray[np.float64]]:
        """Return synthetic rows of features, and the scores that the version gave them when it was trained."""
        example = self.record(version, EXAMPLE, Example)
        return example.frame(), np.array(example.scores)

    def records_digest(self, version: ModelVersion) -> str:
        """Return the digest of the records that a version is judged by, as they are in the store now."""
        return records_digest(self._text(version, BASELINE), self._text(version, EXAMPLE), version)

    def require_intact(self, version: ModelVersion) -> None:
        """Make sure that the files of a version are those that were registered.

        Raises:
            RegistryError: the files were changed.
        """
        with self._files(version) as folder:
            model_file.require_digest(folder, version.digest)

    def load(self, version: ModelVersion, rows: pd.DataFrame | None = None) -> Any:
        """Return the estimator of a version.

        Args:
            version: the one to load.
            rows: that the estimator will score; a process of its own scores them first. None for the example rows.

        Raises:
            RegistryError: its files were changed, contain types that must not be loaded, or crash what opens them.
        """
        rows = self.example(version)[0] if rows is None else rows
        with self._files(version) as folder:
            return model_file.load(folder, version.digest, rows)

    def reproduces_example(self, version: ModelVersion, estimator: Any) -> bool:
        """Return whether the estimator still gives the stored scores for the stored example rows.

        An estimator that raises does not.
        """
        from training import fingerprint

        rows, scores = self.example(version)
        try:
            return bool(np.allclose(fingerprint(estimator, rows), scores, rtol=0, atol=1e-9))
        except Exception:  # noqa: BLE001 - an estimator may raise anything
            return False

    def size_mb(self, version: ModelVersion) -> float:
        """Return the size of a version's files, in megabytes."""
        with self._files(version) as folder:
            return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6

    @contextmanager
    def _files(self, version: ModelVersion) -> Iterator[Path]:
        """Yield a copy of a version's files, which cannot change between their check and their use."""
        with self._reaching(f"read {version.name} version {version.version} from"):
            location = self.client.get_model_version_download_uri(version.name, str(version.version))
            with runs.download(self.client, location) as folder:
                yield folder

    @contextmanager
    def _reaching(self, action: str) -> Iterator[None]:
        with store.reaching(self.client.tracking_uri, action):
            yield
