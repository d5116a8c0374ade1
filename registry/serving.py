"""Keep the model in Production at hand for whoever serves it: verified, and replaced when another is promoted."""

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
    """The version that `models:/NAME@production` names, loaded through our allow-list after a look at its digest.

    Args:
        registry: where versions are.
        config: of the model.

    Raises:
        RegistryError: nothing is promoted yet, or its files are not those that were registered.
    """

    def __init__(self, registry: Registry, config: ModelConfig) -> None:
        self._registry, self._config = registry, config
        self._lock = threading.Lock()
        self._now: tuple[ModelVersion, Any] | None = None
        self.refresh()

    @property
    def version(self) -> int:
        """The number of the version that answers."""
        return self._loaded[0].version

    @property
    def _loaded(self) -> tuple[ModelVersion, Any]:
        if self._now is None:
            raise RegistryError(
                f"No version of {self._config.registry_name} is in Production.", fix="Merge its first promotion."
            )
        return self._now

    def refresh(self) -> bool:
        """Load the version in Production if it is another than before; whether it is. To be called now and then.

        While it loads, and where it cannot be loaded, the one before goes on answering.

        Raises:
            RegistryError: the new one cannot be trusted.
            OutsideError: the registry does not answer.
        """
        with self._lock:
            version = self._registry.served(self._config.registry_name)
            if version is None or (self._now and self._now[0].digest == version.digest):
                self._loaded  # noqa: B018 - says so where there is none
                return False
            self._now = version, self._registry.load(version)
            return True

    def score(self, rows: Sequence[Mapping[str, Any]]) -> tuple[list[Any], int]:
        """What the model says of each row of features, and the version that says it.

        The probability of label 1, the name of a class, or a number: what `Log.predictions` takes.

        A feature that a row lacks is missing, as null is in the monitoring table.

        Raises:
            DataError: a value is of another type than the feature.
        """
        from monitoring.prediction_log import schema, typed_rows
        from monitoring.tasks import task_for_data
        from training import batch_features, score, to_table_values

        version, estimator = self._loaded
        data = self._config.data
        fields = pa.schema([field for field in schema(data) if field.name in data.features])
        table = typed_rows({name: [row.get(name) for row in rows] for name in fields.names}, fields)
        said = [score(estimator, batch_features(batch, data), task_for_data(data)) for batch in table.to_batches()]
        return [one for part in said for one in to_table_values(part, data)], version.version
