"""The registry port over MLflow: `registry.Registry` with promotion and the event log."""

from __future__ import annotations

import datetime as dt

from registry import Event, Registry, last_move, read_events, record_event
from registry.promotion import Check, Manifest, Plan, RegistryState, apply, checks


class MlflowRegistry(Registry):
    """A `ModelRegistry` in MLflow."""

    def state(self, name: str) -> RegistryState:
        """Return which versions exist and which is in Production."""
        return apply.observe(self.client, name)

    def verify(self, manifest: Manifest, *, load: bool) -> None:
        """Make sure that the declared version is the one that was reviewed; see `apply.verify`."""
        apply.verify(self, manifest, load=load)

    def checks(self, manifest: Manifest, state: RegistryState) -> tuple[Check, ...]:
        """Return the results of the checks of `promotion.checks`, with the verdict that is kept with the version."""
        from training.gates import Verdict

        versions = self.versions(manifest.model)
        version = versions.get(manifest.version)
        kept = version is not None and version.validation != "none"
        verdict = self.record(version, "verdict.json", Verdict) if version and kept else None
        return checks.checks(manifest, versions, verdict, state)

    def promote(self, plan: Plan, as_of: dt.datetime) -> None:
        """Carry out a plan; see `apply.apply`."""
        apply.apply(self.client, plan, as_of)

    def record_event(self, event: Event) -> None:
        """Keep an event."""
        record_event(self.client, event, self.artifacts)

    def events(self, model: str) -> list[Event]:
        """Return all events of a model, the oldest first."""
        return read_events(self.client, model)

    def last_move(self, model: str) -> Event | None:
        """Return the last promotion or rollback, None before the first."""
        return last_move(self.client, model)
