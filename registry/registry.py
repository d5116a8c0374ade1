"""Keep in MLflow what must outlive a run: versions with their evidence, and which of them is in Production."""

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
UNKNOWN = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # of the model, and of its alias


class Registry:
    """The models, versions and trainings in one MLflow store.

    Every method raises OutsideError where MLflow or its files cannot be reached.

    Args:
        tracking_uri: the store; an SQLite file is created where there is none.
        artifacts: the folder for files, where no server keeps them.
    """

    def __init__(self, tracking_uri: str, artifacts: Path) -> None:
        self.artifacts = artifacts.absolute()
        self.client = store.connect(tracking_uri, self.artifacts)

    def _entries(self, name: str, also: str = "") -> list[Any]:
        """What MLflow has of the versions of a model, the oldest first."""
        with self._reaching(f"asked for the versions of {name}"):
            found = store.pages(
                lambda token: self.client.search_model_versions(
                    f"name={store.literal(name)}{also}", max_results=store.PAGE, page_token=token
                )
            )
        return sorted(found, key=lambda entry: int(entry.version))

    def entry(self, name: str, number: int) -> Any | None:
        """What MLflow has of one version, whoever registered it; None where there is none. One request."""
        return next(iter(self._entries(name, f" and version_number={number}")), None)

    def version(self, name: str, number: int) -> ModelVersion:
        """One version that a training of ours registered.

        Raises:
            RegistryError: there is none of this number.
        """
        entry = self.entry(name, number)
        version = ModelVersion.from_entry(entry) if entry is not None else None
        if version is None:
            raise RegistryError(f"There is no version {number} of {name}.", why="Somebody deleted it, or its tags.")
        return version

    def versions(self, name: str) -> dict[int, ModelVersion]:
        """All versions that our trainings registered, by number. Others, registered by hand, are left out."""
        known = (ModelVersion.from_entry(entry) for entry in self._entries(name))
        return {version.version: version for version in known if version is not None}

    def champion(self, name: str) -> ModelVersion | None:
        """The version in Production, None before the first promotion.

        Raises:
            RegistryError: several are, or one that no training of ours registered.
        """
        entries = [entry for entry in self._entries(name) if entry.current_stage == PRODUCTION]
        if not entries:
            return None
        version = ModelVersion.from_entry(entries[0])
        if len(entries) > 1 or version is None:
            numbers = " and ".join(str(entry.version) for entry in entries)
            raise RegistryError(
                f"In Production of {name}: version {numbers}, expected one that was registered by mlops train.",
                why="Somebody moved a stage, registered a model or changed tags in MLflow by hand.",
                fix="Run mlops promote: it makes Production what git declares.",
            )
        return version

    def served(self, name: str) -> ModelVersion | None:
        """The version that the alias `production` names: what a service serves. None before the first promotion.

        Raises:
            RegistryError: it is one that no training of ours registered.
        """
        with self._reaching(f"asked which version of {name} is served"), runs.suppress_code(*UNKNOWN):
            entry = self.client.get_model_version_by_alias(name, ALIAS)
            version = ModelVersion.from_entry(entry)
            if version is None:
                raise RegistryError(
                    f"The alias {ALIAS} of {name} names version {entry.version}, which mlops train did not register.",
                    why="Somebody moved the alias, or changed tags in MLflow, by hand.",
                    fix="Run mlops promote: it makes Production what git declares.",
                )
            return version
        return None

    def find(self, name: str, training_key: str) -> ModelVersion | None:
        """The version that this very training registered, if it ran before; the first, if two runs of it raced."""
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
        """Keep a fitted estimator as a new version with alias `candidate`; of one training only once.

        Args:
            name: the registered model, and the experiment of its trainings; made where there is none.
            estimator: gives probabilities with `predict_proba`.
            origin: what it was made from.
            example: made-up rows of features; what the model says of them is kept, to compare when it is loaded.
            baseline: the tallies of the rows it was trained on.
            records: further records to keep, by file name.
            params: settings for people to read in MLflow; nested ones get dotted names.
            metrics: numbers likewise.

        Raises:
            ConfigError: the estimator holds types that are not on the allow-list.
        """
        from training import fingerprint

        version = self.find(name, origin.training_key)
        if version is None:
            kept = {
                **(records or {}),
                BASELINE: baseline,
                EXAMPLE: Example.of(example, fingerprint(estimator, example)),
            }
            numbers = params or {}, metrics or {}
            with self._reaching(f"given a new version of {name}"):
                runs.log(self.client, self.artifacts, name, estimator, example, origin, kept, numbers)
            version = self.find(name, origin.training_key)
        if version is None:
            raise RegistryError(f"The new version of {name} is not in the registry.", why="Somebody deleted it.")
        return version

    def finish(self, version: ModelVersion) -> None:
        """End what a training left undone that was killed after it had registered this version; else nothing."""
        with self._reaching(f"asked whether the training of {version.name} version {version.version} ended"):
            runs.finish(self.client, version)

    def mark(self, name: str, version: int, verdict: StoredVerdict) -> bool:
        """Keep a verdict with the version it is about, and say on that whether it passed.

        One that was in Production keeps the verdict that brought it there (False): judged later, on other rows and
        beside another champion or none, it could lose the mark without which no rollback to it is possible.

        Raises:
            RegistryError: there is no such version.
        """
        known = self.version(name, version)
        if known.stage == PRODUCTION or known.promoted_at is not None:
            return False
        with self._reaching(f"told the verdict on {name} version {version}"):
            self.client.log_text(known.run_id, verdict.to_json(), "verdict.json")
            state = "passed" if verdict.passed else "blocked"
            self.client.set_model_version_tag(name, str(version), "validation", state)
        return True

    def trainings(self, name: str) -> list[dt.datetime]:
        """When the model was trained, the oldest first, whatever became of the candidates."""
        with self._reaching(f"asked for the trainings of {name}"):
            finished = runs.moments(self.client, name)
        # A run that was killed right after it had registered its version counts by that version.
        registered = {version.run_id: version.trained_at for version in self.versions(name).values()}
        return sorted({**registered, **finished}.values())

    def _text(self, version: ModelVersion, file: str) -> bytes:
        """A file of the run that made a version."""
        with self._reaching(f"read {file} of {version.name} version {version.version} from"):
            place = self.client.get_run(version.run_id).info.artifact_uri
            with runs.download(self.client, f"{place}/{file}") as path:
                return path.read_bytes()

    def record(self, version: ModelVersion, file: str, cls: type[R]) -> R:
        """A record that was kept with a version."""
        return cls.from_json(self._text(version, file), origin=f"{file} of {version.name} version {version.version}")

    def baseline(self, version: ModelVersion) -> Baseline:
        """The tallies of the rows that a version was trained on."""
        return self.record(version, BASELINE, Baseline)

    def known_days(self, version: ModelVersion) -> KnownDays | None:
        """The days that earlier nights counted for a version; None before the first."""
        with self._reaching(f"asked for the files of {version.name} version {version.version}"):
            there = any(file.path == DAYS for file in self.client.list_artifacts(version.run_id))
        return self.record(version, DAYS, KnownDays) if there else None

    def keep_days(self, version: ModelVersion, days: KnownDays) -> None:
        """Keep what was counted for a version, in place of what was kept before."""
        with self._reaching(f"given the days that were counted for {version.name} version {version.version}"):
            self.client.log_text(version.run_id, days.to_json(), DAYS)

    def example(self, version: ModelVersion) -> tuple[pd.DataFrame, NDArray[np.float64]]:
        """Made-up rows of features, and what the version said of them when it was trained."""
        example = self.record(version, EXAMPLE, Example)
        return example.frame(), np.array(example.scores)

    def records_digest(self, version: ModelVersion) -> str:
        """The digest of what the version is judged by, from what is in the store now."""
        return records_digest(self._text(version, BASELINE), self._text(version, EXAMPLE), version)

    def require_intact(self, version: ModelVersion) -> None:
        """Make sure that the files of a version are those that were registered.

        Raises:
            RegistryError: they are not.
        """
        with self._files(version) as folder:
            model_file.require_digest(folder, version.digest)

    def load(self, version: ModelVersion) -> Any:
        """The estimator of a version.

        Raises:
            RegistryError: its files are not those that were registered, or hold what must not be loaded.
        """
        with self._files(version) as folder:
            return model_file.load(folder, version.digest)

    def reproduces_example(self, version: ModelVersion, estimator: Any) -> bool:
        """Whether an estimator says of the example what the version said at its training; one that fails does not."""
        from training import fingerprint

        rows, scores = self.example(version)
        try:
            return bool(np.allclose(fingerprint(estimator, rows), scores, rtol=0, atol=1e-9))
        except Exception:  # noqa: BLE001 - whatever an estimator raises, it is not what was trained
            return False

    def size_mb(self, version: ModelVersion) -> float:
        """The size of a version's files, in megabytes."""
        with self._files(version) as folder:
            return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6

    @contextmanager
    def _files(self, version: ModelVersion) -> Iterator[Path]:
        """A copy of a version's files: nobody changes them between the look at them and their use."""
        with self._reaching(f"read {version.name} version {version.version} from"):
            place = self.client.get_model_version_download_uri(version.name, str(version.version))
            with runs.download(self.client, place) as folder:
                yield folder

    @contextmanager
    def _reaching(self, done: str) -> Iterator[None]:
        with store.reaching(self.client.tracking_uri, done):
            yield
