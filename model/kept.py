"""Read what was kept with a version: its model, the records it is judged by later, and the digests of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.records import Record
from model import modelfile, store, tracking
from model.versions import BASELINE, DAYS, EXAMPLE, Example, ModelVersion, records_digest
from monitoring.known import KnownDays
from monitoring.tally import Baseline

if TYPE_CHECKING:
    import pandas as pd

R = TypeVar("R", bound=Record)


class Kept:
    """The files of the versions in one MLflow store.

    Every method raises OutsideError where MLflow or its files cannot be reached.

    Args:
        tracking_uri: the store; an SQLite file is created where there is none.
        artifacts: the folder for files, where no server keeps them.
    """

    def __init__(self, tracking_uri: str, artifacts: Path) -> None:
        self.artifacts = artifacts.absolute()
        self.client = store.connect(tracking_uri, self.artifacts)

    def _text(self, version: ModelVersion, file: str) -> bytes:
        """A file of the run that made a version."""
        with self._reaching(f"read {file} of {version.name} version {version.version} from"):
            place = self.client.get_run(version.run_id).info.artifact_uri
            with tracking.download(self.client, f"{place}/{file}") as path:
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
            modelfile.require_digest(folder, version.digest)

    def load(self, version: ModelVersion) -> Any:
        """The estimator of a version.

        Raises:
            RegistryError: its files are not those that were registered, or hold what must not be loaded.
        """
        with self._files(version) as folder:
            return modelfile.load(folder, version.digest)

    def says_the_same(self, version: ModelVersion, estimator: Any) -> bool:
        """Whether an estimator says of the example what the version said at its training; one that fails does not."""
        from model.answers import says

        rows, scores = self.example(version)
        try:
            return bool(np.allclose(says(estimator, rows), scores, rtol=0, atol=1e-9))
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
            with tracking.download(self.client, place) as folder:
                yield folder

    @contextmanager
    def _reaching(self, done: str) -> Iterator[None]:
        with store.reaching(self.client.tracking_uri, done):
            yield
