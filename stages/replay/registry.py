"""The registry of one policy, in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from monitoring.counting import Baseline, KnownDays
from registry import PRODUCTION, Event, ModelVersion, Origin
from registry.promotion import Check, Manifest, Plan, RegistryState
from stages.replay.shared import SharedCalculations, StoredModel

if TYPE_CHECKING:
    import pandas as pd

    from training.gates import Verdict


class ReplayRegistry:
    """A `ModelRegistry` that forgets everything when the replay ends.

    Args:
        shared: stores the models, which policies share.
    """

    def __init__(self, shared: SharedCalculations) -> None:
        self._shared = shared
        self._versions: dict[int, ModelVersion] = {}
        self._models: dict[int, StoredModel] = {}
        self._baselines: dict[int, Baseline] = {}
        self._production: int | None = None
        self._events: list[Event] = []

    def champion(self, name: str) -> ModelVersion | None:  # noqa: ARG002 - one model
        """Return the version in Production, None before the first promotion."""
        return self._versions[self._production] if self._production else None

    def version(self, name: str, number: int) -> ModelVersion:  # noqa: ARG002 - one model
        """Return one version."""
        return self._versions[number]

    def versions(self, name: str) -> Mapping[int, ModelVersion]:  # noqa: ARG002 - one model
        """Return all versions by number."""
        return self._versions

    def model(self, number: int) -> StoredModel:
        """Return the model of a version."""
        return self._models[number]

    def find(self, name: str, training_key: str) -> ModelVersion | None:
        """Return the version that this training registered, None if it has not run."""
        return next((v for v in self.versions(name).values() if v.training_key == training_key), None)

    def trainings(self, name: str) -> list[dt.datetime]:
        """Return when the model was trained, the oldest first."""
        return [version.trained_at for version in self.versions(name).values()]

    def register(
        self,
        name: str,
        estimator: Any,
        *,
        origin: Origin,
        example: pd.DataFrame,
        baseline: Baseline,
        params: Mapping[str, object],  # noqa: ARG002 - for people
        metrics: Mapping[str, float],  # noqa: ARG002 - for people
    ) -> ModelVersion:
        """Keep a fitted estimator as a new version."""
        number, key = len(self._versions) + 1, origin.training_key
        self._models[number] = self._shared.store(key, estimator, example)
        self._baselines[number] = self._shared.same_baseline(baseline)
        self._versions[number] = ModelVersion(
            name=name,
            version=number,
            run_id=key[:32],
            digest=key,
            records_digest=key,
            validation="none",
            stage="None",
            **origin.model_dump(exclude={"commit"}),
        )
        return self._versions[number]

    def finish(self, version: ModelVersion) -> None:
        """Do nothing: no training is interrupted in memory."""

    def mark(self, name: str, version: int, verdict: Verdict) -> bool:
        """Note whether a version passed."""
        state = "passed" if verdict.passed else "blocked"
        self._versions[version] = self.version(name, version).model_copy(update={"validation": state})
        return True

    def load(self, version: ModelVersion, rows: pd.DataFrame | None = None) -> Any:  # noqa: ARG002 - it was never a file
        """Return the estimator of a version."""
        return self.model(version.version).estimator

    def reproduces_example(self, version: ModelVersion, estimator: Any) -> bool:  # noqa: ARG002 - compared at storing
        """Return whether the loaded estimator gives the scores that it gave before it was stored."""
        return self.model(version.version).reproduces_example

    def size_mb(self, version: ModelVersion) -> float:
        """Return the size of a version's file, in megabytes."""
        return self.model(version.version).size_mb

    def baseline(self, version: ModelVersion) -> Baseline:
        """Return the tallies of the rows that a version was trained on."""
        return self._baselines[version.version]

    def known_days(self, version: ModelVersion) -> KnownDays | None:  # noqa: ARG002 - the source remembers days
        """Return None: the source remembers the days that it counted."""
        return None

    def keep_days(self, version: ModelVersion, days: KnownDays) -> None:
        """Do nothing: the source remembers the days that it counted."""

    def state(self, name: str) -> RegistryState:
        """Return which versions exist and which is in Production."""
        versions = self.versions(name).values()
        return RegistryState(
            name=name,
            versions={version.version: "READY" for version in versions},
            production=(self._production,) if self._production else (),
            alias=self._production,
            promoted={version.version: version.promoted_at for version in versions if version.promoted_at},
        )

    def verify(self, manifest: Manifest, *, load: bool) -> None:
        """Do nothing: no one changes a version in memory."""

    def checks(self, manifest: Manifest, state: RegistryState) -> tuple[Check, ...]:  # noqa: ARG002 - no one edits
        """Return nothing: no one edits a manifest in memory."""
        return ()

    def promote(self, plan: Plan, as_of: dt.datetime) -> None:
        """Put the version of a plan into Production."""
        if plan.version is not None:
            moved = {"stage": PRODUCTION, "promoted_at": as_of}
            self._versions[plan.version] = self._versions[plan.version].model_copy(update=moved)
            self._production = plan.version

    def record_event(self, event: Event) -> None:
        """Keep an event."""
        self._events.append(event)

    def events(self, model: str) -> list[Event]:  # noqa: ARG002 - one model
        """Return all events, the oldest first."""
        return self._events

    def last_move(self, model: str) -> Event | None:
        """Return the last promotion or rollback, None before the first."""
        moves = [event for event in self.events(model) if event.kind in {"promotion", "rollback"}]
        return moves[-1] if moves else None
