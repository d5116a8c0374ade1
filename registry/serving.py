"""The model in Production for a service: verified, and replaced when another version is promoted."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from core.config import ModelConfig
from core.errors import RegistryError

if TYPE_CHECKING:
    from registry.registry import Registry
    from registry.version import ModelVersion


class Served:
    """The version with the alias `production`, loaded through the allow-list after its digest was checked.

    Args:
        registry: the registry of the model.
        config: the model.

    Raises:
        RegistryError: no version was promoted yet, or its files were changed.
    """

    def __init__(self, registry: Registry, config: ModelConfig) -> None:
        self._registry, self._config = registry, config
        self._lock = threading.Lock()
        self._current: tuple[ModelVersion, Any] | None = None
        self.refresh()

    @property
    def version(self) -> int:
        """The number of the version that is loaded."""
        return self._loaded[0].version

    @property
    def _loaded(self) -> tuple[ModelVersion, Any]:
        if self._current is None:
            raise RegistryError(
                f"No version of {self._config.registry_name} is in Production.", fix="Merge its first promotion."
            )
        return self._current

    def refresh(self) -> bool:
        """Load the version in Production if it changed, and return whether it did. Call this regularly.

        While the new version loads, and if it cannot be loaded, the previous version stays in use.

        Raises:
            RegistryError: the new version cannot be trusted.
            OutsideError: the registry does not respond.
        """
        with self._lock:
            version = self._registry.served(self._config.registry_name)
            if version is None or (self._current and self._current[0].digest == version.digest):
                self._loaded  # noqa: B018 - raises if there is none
                return False
            self._current = version, self._registry.load(version)
            return True

    def score(self, rows: Sequence[Mapping[str, Any]]) -> tuple[list[Any], int]:
        """Return the score of each row of features, and the number of the version that gave it.

        A score is the probability of label 1, the name of a class, or a number: what `PredictionLog.predictions` takes.
        A feature that a row lacks is missing, like null in the monitoring table.

        Raises:
            DataError: a value has another type than the feature.
        """
        from monitoring.prediction_log import schema, typed_rows
        from monitoring.tasks import task_for_data
        from training import batch_features, score, to_table_values

        version, estimator = self._loaded
        data = self._config.data
        fields = pa.schema([field for field in schema(data) if field.name in data.features])
        table = typed_rows({name: [row.get(name) for row in rows] for name in fields.names}, fields)
        scores = [score(estimator, batch_features(batch, data), task_for_data(data)) for batch in table.to_batches()]
        return [value for part in scores for value in to_table_values(part, data)], version.version
