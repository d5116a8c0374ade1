"""The stages of every night of a span under several policies, with source, registry and forge in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.config import ModelConfig, Settings
from core.days import DAY, midnight
from core.errors import DataError, UsageError
from monitoring.counting import DayTally, days_needed
from monitoring.triggers import Decision
from registry.promotion import Manifest, manifest
from stages.check import decide_retraining
from stages.ports import Run
from stages.promote import promote_declared
from stages.propose import propose_candidate
from stages.pull import count_window
from stages.replay.counts import ReplayCounts, ReplaySource
from stages.replay.forge import ReplayForge
from stages.replay.policies import Policy
from stages.replay.registry import ReplayRegistry
from stages.replay.rows import ReplayRows, ServedRows
from stages.replay.shared import SharedCalculations
from stages.train import train_candidate
from stages.validate import validate_candidate

if TYPE_CHECKING:
    from training.gates import Verdict


@dataclass
class NightOutcome:
    """One night under one policy, and the day after it.

    `stopped`: the critical findings that ended the night. `failed`: why a training that was due could not be made.
    `verdict`: on the candidate, if there was one. `promoted`: the version that went into service after the night's
    stages. `outcome`: the rows of the date itself, scored by what was in service then, with all their labels.
    """

    date: dt.date
    decision: Decision | None = None
    stopped: tuple[str, ...] = ()
    failed: str = ""
    verdict: Verdict | None = None
    promoted: int | None = None
    outcome: DayTally | None = None


class PolicyRun:
    """The memory of one policy: its scores, versions and proposals.

    Args:
        policy: the triggers and gates.
        shared: what the policies of the replay share.
        counts: likewise.
        columns: all columns of the table, and the type of each.
    """

    def __init__(
        self, policy: Policy, shared: SharedCalculations, counts: ReplayCounts, columns: Mapping[str, str]
    ) -> None:
        self.policy = policy
        self.shared = shared
        self.served = ServedRows(shared.rows)
        self.registry = ReplayRegistry(shared)
        self.forge = ReplayForge()
        self.source = ReplaySource(counts, self.served, self.registry, columns)


class ReplayNight(Run):
    """A run of one policy, which writes no file.

    Args:
        policy_run: gives source, registry and forge.
        settings: where pipeline.py is.
        config: the model under this policy.
        as_of: the night.
    """

    def __init__(self, policy_run: PolicyRun, settings: Settings, config: ModelConfig, as_of: dt.datetime) -> None:
        super().__init__(settings, config, as_of, live=False)
        self.calculations = policy_run.shared
        self._policy_run = policy_run

    @property
    def source(self) -> ReplaySource:
        """The rows, scored by the models of this policy."""
        return self._policy_run.source

    @property
    def registry(self) -> ReplayRegistry:
        """The versions of this policy."""
        return self._policy_run.registry

    @property
    def forge(self) -> ReplayForge:
        """The proposals of this policy."""
        return self._policy_run.forge

    @property
    def manifest(self) -> Manifest | None:
        """What the last merge declared."""
        text = self.forge.file(manifest.path(self.name))
        return manifest.parse(text, self.name) if text else None

    @property
    def commit(self) -> str:
        """Empty: nothing is committed."""
        return ""

    @property
    def author(self) -> str:
        """Empty: nothing is committed."""
        return ""

    @property
    def uncommitted(self) -> tuple[str, ...]:
        """Nothing: nothing is committed."""
        return ()

    def write(self, name: str, text: Callable[[], str], path: Path | None = None) -> None:
        """Do nothing."""


class Replay:
    """A replay, night by night.

    Args:
        settings: where pipeline.py is.
        config: the model's own.
        policies: to play side by side.
        rows: all rows of the span.
        columns: all columns of their table, and the type of each.
        review_days: how long a proposal waits for its merge. With 0 it is merged before the day's rows are scored.
    """

    def __init__(
        self,
        settings: Settings,
        config: ModelConfig,
        policies: Sequence[Policy],
        rows: ReplayRows,
        columns: Mapping[str, str],
        *,
        review_days: int,
    ) -> None:
        self.settings = settings.model_copy(update={"hub": None})
        self.config = config
        self.shared = SharedCalculations(rows)
        self.review = review_days * DAY
        self._counts = ReplayCounts(rows)
        self.runs = [PolicyRun(policy, self.shared, self._counts, columns) for policy in policies]

    def nights(self, first: dt.date, last: dt.date) -> Iterator[tuple[NightOutcome, ...]]:
        """Yield each night of first <= date <= last, as it was under each policy."""
        needed = max(days_needed(run.policy.config) for run in self.runs)
        for number in range((last - first).days + 1):
            date = first + number * DAY
            self.shared.start_night()
            self._counts.forget_before(date - needed * DAY)
            yield tuple(self._night(run, date) for run in self.runs)

    def _night(self, policy_run: PolicyRun, date: dt.date) -> NightOutcome:
        """Return what the stages did, after the merge that is due and the rows of the day."""
        night = ReplayNight(policy_run, self.settings, self._config(policy_run), midnight(date))
        outcome = NightOutcome(date)
        window = count_window(night)
        if window.quality and window.quality.critical:
            outcome.stopped = tuple(finding.sentence for finding in window.quality.critical)
        else:
            outcome.decision = decide_retraining(night, window)
            if outcome.decision.retrain:
                self._retrain(night, outcome.decision, outcome)
        proposal = night.forge.open_proposal(night.name)
        if proposal and date >= proposal.opened_at.date() + self.review:
            night.forge.merge(proposal.number)
            outcome.promoted = promote_declared(night)["version"]
        self._serve(policy_run, outcome)
        return outcome

    def _config(self, policy_run: PolicyRun) -> ModelConfig:
        """Return the policy's config; for the first model with the model's own gates, so that all start with it."""
        config, first = policy_run.policy.config, policy_run.registry.champion(self.config.registry_name) is None
        return config.model_copy(update={"gates": self.config.gates}) if first else config

    def _retrain(self, night: ReplayNight, decision: Decision, outcome: NightOutcome) -> None:
        try:
            candidate = train_candidate(night, decision)
            outcome.verdict = validate_candidate(night, candidate)
            propose_candidate(night, outcome.verdict)
        except (DataError, UsageError) as err:
            outcome.failed = err.what

    def _serve(self, policy_run: PolicyRun, outcome: NightOutcome) -> None:
        """Score the rows of the date with the model that is in service now."""
        champion = policy_run.registry.champion(self.config.registry_name)
        if champion is not None:
            model = policy_run.registry.model(champion.version)
            policy_run.served.serve(outcome.date, model.number, self.shared.score(model, outcome.date))
            outcome.outcome = self._counts.outcome(outcome.date, policy_run.served)
