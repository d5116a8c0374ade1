"""The version in Production for a service: verified, and replaced after a promotion or rollback."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from core.arrow import spelling
from core.config import ModelConfig
from core.errors import DataError, RegistryError
from monitoring.axes import MOST_LEVELS, CategoricalAxis

if TYPE_CHECKING:
    from monitoring.counting import Baseline
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
        self._levels: dict[str, frozenset[str]] = {}
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
            levels = _levels(self._registry.baseline(version))
            self._now, self._levels = (version, self._registry.load(version)), levels
            return True

    def score(self, rows: Sequence[Mapping[str, Any]]) -> tuple[list[Any], int]:
        """Return the prediction for each row of features, and the version that made them.

        A prediction is the probability of label 1, the name of a class, or a number: what `PredictionLog` takes.

        Raises:
            DataError: a row lacks a feature (null is allowed), or a value has another type than the feature.
        """
        from monitoring.prediction_log import schema, typed_rows
        from monitoring.tasks import task_for_data
        from training import batch_features, score, to_table_values

        version, estimator = self._loaded
        data = self._config.data
        absent = sorted({name for row in rows for name in data.features if name not in row})
        if absent:
            raise DataError(
                f"Rows lack the features {', '.join(map(repr, absent[:5]))}.",
                why="The model would score them as missing.",
                fix="Send every feature of model.toml; send null if its value is not known.",
            )
        fields = pa.schema([field for field in schema(data) if field.name in data.features])
        table = typed_rows({name: [row[name] for row in rows] for name in fields.names}, fields)
        scores = [score(estimator, batch_features(batch, data), task_for_data(data)) for batch in table.to_batches()]
        return [value for part in scores for value in to_table_values(part, data)], version.version

    def unknown(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Return how many rows have a category that the version was not trained on, by feature; others are left out."""
        counts = {
            name: sum((value := spelling.text_of(row.get(name))) is not None and value not in levels for row in rows)
            for name, levels in self._levels.items()
        }
        return {name: count for name, count in counts.items() if count}


def _levels(baseline: Baseline) -> dict[str, frozenset[str]]:
    """Return the categories that a version was trained on, by column; none for columns with more than are recorded."""
    axes = {name: axis for name, axis in baseline.axes.items() if isinstance(axis, CategoricalAxis)}
    return {name: frozenset(axis.levels) for name, axis in axes.items() if len(axis.levels) < MOST_LEVELS}
