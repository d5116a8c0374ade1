"""The ports of the stages: the registry, and the run that gives a stage its source, registry, forge and instant."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from core.days import DAY
from stages.calculations import Calculations

if TYPE_CHECKING:
    import pandas as pd

    from core.config import ModelConfig, Settings
    from monitoring.counting import Baseline, KnownDays
    from monitoring.sources import Source
    from registry import Event, ModelVersion, Origin
    from registry.promotion import Check, Manifest, Plan, RegistryState
    from review.forge import Forge
    from training.gates import Verdict


class ModelRegistry(Protocol):
    """Where versions, Production and events are kept: in MLflow, or for a replay in memory.

    Every method may raise OutsideError when the store cannot be reached.
    """

    def champion(self, name: str) -> ModelVersion | None:
        """Return the version in Production, None before the first promotion."""

    def version(self, name: str, number: int) -> ModelVersion:
        """Return one version."""

    def versions(self, name: str) -> Mapping[int, ModelVersion]:
        """Return all versions by number."""

    def find(self, name: str, training_key: str) -> ModelVersion | None:
        """Return the version that this training registered, None if it has not run."""

    def trainings(self, name: str) -> list[dt.datetime]:
        """Return when the model was trained, the oldest first."""

    def register(
        self,
        name: str,
        estimator: Any,
        *,
        origin: Origin,
        example: pd.DataFrame,
        baseline: Baseline,
        params: Mapping[str, object],
        metrics: Mapping[str, float],
    ) -> ModelVersion:
        """Keep a fitted estimator as a new version."""

    def finish(self, version: ModelVersion) -> None:
        """End a training that was interrupted after it had registered this version."""

    def mark(self, name: str, version: int, verdict: Verdict) -> bool:
        """Keep a verdict with its version; return False if the version was in Production and keeps its own."""

    def load(self, version: ModelVersion, rows: pd.DataFrame | None = None) -> Any:
        """Return the estimator of a version, which will score `rows` (None: the example rows)."""

    def reproduces_example(self, version: ModelVersion, estimator: Any) -> bool:
        """Return whether the estimator still gives the stored scores for the stored example rows."""

    def size_mb(self, version: ModelVersion) -> float:
        """Return the size of a version's files, in megabytes."""

    def baseline(self, version: ModelVersion) -> Baseline:
        """Return the tallies of the rows that a version was trained on."""

    def known_days(self, version: ModelVersion) -> KnownDays | None:
        """Return the days that earlier runs counted for a version, None if none did."""

    def keep_days(self, version: ModelVersion, days: KnownDays) -> None:
        """Replace the days that are kept for a version."""

    def state(self, name: str) -> RegistryState:
        """Return which versions exist and which is in Production."""

    def verify(self, manifest: Manifest, *, load: bool) -> None:
        """Make sure that the declared version is the one that was reviewed; with `load` also that it works."""

    def checks(self, manifest: Manifest, state: RegistryState) -> tuple[Check, ...]:
        """Return whether the manifest still matches what was validated, and Production what it was compared with."""

    def promote(self, plan: Plan, as_of: dt.datetime) -> None:
        """Carry out a plan."""

    def record_event(self, event: Event) -> None:
        """Keep an event; an equal one is not kept twice."""

    def events(self, model: str) -> list[Event]:
        """Return all events of a model, the oldest first."""

    def last_move(self, model: str) -> Event | None:
        """Return the last promotion or rollback, None before the first."""


class Run(ABC):
    """One model at one instant, with everything that a stage may use.

    Args:
        settings: where the repository and its records are.
        config: the model.
        as_of: the instant, in UTC. Only days before its date count.
        live: whether `as_of` is now. Otherwise rows after it are ignored, not reported as being in the future.
    """

    calculations: Calculations = Calculations()

    def __init__(self, settings: Settings, config: ModelConfig, as_of: dt.datetime, *, live: bool) -> None:
        self.settings = settings
        self.config = config
        self.as_of = as_of
        self.live = live
        self._baseline: tuple[str, Baseline] | None = None

    @property
    @abstractmethod
    def source(self) -> Source:
        """The monitoring rows."""

    @property
    @abstractmethod
    def registry(self) -> ModelRegistry:
        """The registry."""

    @property
    @abstractmethod
    def forge(self) -> Forge:
        """The home of pull requests."""

    @property
    @abstractmethod
    def manifest(self) -> Manifest | None:
        """What git declares in the current checkout."""

    @property
    @abstractmethod
    def commit(self) -> str:
        """The commit that is checked out, as 40 hex digits; empty if the repository is not under git."""

    @property
    @abstractmethod
    def author(self) -> str:
        """Who made that commit; empty if that is not known."""

    @property
    @abstractmethod
    def uncommitted(self) -> tuple[str, ...]:
        """The files behind the model that differ from that commit."""

    @abstractmethod
    def write(self, name: str, text: Callable[[], str], path: Path | None = None) -> None:
        """Write a file for the next stage or for people: to `path`, else under its name in the model's folder."""

    @property
    def name(self) -> str:
        """The model's folder name."""
        return self.config.name

    @property
    def today(self) -> dt.date:
        """The first day that does not count yet."""
        return self.as_of.date()

    @property
    def watermark(self) -> dt.date:
        """The first day whose labels are not mature yet."""
        return self.today - self.config.training.maturity_days * DAY

    @cached_property
    def champion(self) -> ModelVersion | None:
        """The version in Production when it was first asked for; None before the first promotion.

        Raises:
            RegistryError: there is none, although git declares one: a retraining would be taken for the first. Or it
                is not the model that git declares under its number.
        """
        version, manifest = self.registry.champion(self.config.registry_name), self.manifest
        if manifest is None:
            return version
        from registry.promotion import apply, plan

        if version is None:
            raise plan.missing(self.registry.state(self.config.registry_name), manifest)
        if version.version == manifest.version:
            apply.require_declared(version, manifest)
        return version

    def baseline(self, version: ModelVersion) -> Baseline:
        """Return the baseline of a version. It never changes, so the last one read is kept."""
        if self._baseline is None or self._baseline[0] != version.run_id:
            self._baseline = version.run_id, self.registry.baseline(version)
        return self._baseline[1]

    @property
    def champion_baseline(self) -> Baseline | None:
        """The baseline of the version in Production, None before the first promotion."""
        return self.baseline(self.champion) if self.champion else None
