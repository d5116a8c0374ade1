"""Play every night of a span under several policies: the nightly commands' functions with another clock and memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.config import ModelConfig
from core.days import DAY, midnight
from core.errors import DataError
from monitoring.counting import DayTally, days_needed
from monitoring.performance import PromotedScore
from monitoring.triggers import Decision, History, decide
from stages.replay.counts import ReplayCounts
from stages.replay.fits import Champion, Fits, Version
from stages.replay.policies import Policy
from stages.replay.rows import ServedRows
from training import Candidate, candidate_record
from training.gates import CandidateEvidence, Verdict, validate


@dataclass
class NightOutcome:
    """One night under one policy, and the day after it.

    `stopped`: the critical findings that ended the night. `failed`: why a training that was due could not be made.
    `verdict`: on the candidate, where there was one. `promoted`: the version that went into service after the night's
    commands. `outcome`: the rows of the date itself, scored by what was in service then, with all their labels.
    """

    date: dt.date
    decision: Decision | None = None
    stopped: tuple[str, ...] = ()
    failed: str = ""
    verdict: Verdict | None = None
    promoted: int | None = None
    outcome: DayTally | None = None


@dataclass
class PolicyRun:
    """What one policy made of the model so far: the memory that MLflow, git and the forge have in reality."""

    policy: Policy
    served: ServedRows
    champion: Champion | None = None
    promoted: tuple[PromotedScore, ...] = ()
    trainings: list[dt.datetime] = field(default_factory=list)
    versions: dict[str, Version] = field(default_factory=dict)
    proposal: tuple[dt.date, Version, Verdict] | None = None


class Replay:
    """A replay, night by night.

    Args:
        config: the model's own.
        policies: to play side by side.
        fits: of the replay.
        counts: of the replay.
        review_days: how long a proposal waits for its merge. With 0 it is merged before the day's rows are scored.
    """

    def __init__(
        self, config: ModelConfig, policies: Sequence[Policy], fits: Fits, counts: ReplayCounts, *, review_days: int
    ) -> None:
        self.config = config
        self.fits = fits
        self.counts = counts
        self.review = review_days * DAY
        self.lives = [PolicyRun(policy, ServedRows(fits.rows)) for policy in policies]

    def nights(self, first: dt.date, last: dt.date) -> Iterator[tuple[NightOutcome, ...]]:
        """Each night of first <= date <= last, as it was under each policy."""
        needed = max(days_needed(life.policy.config) for life in self.lives)
        for number in range((last - first).days + 1):
            date = first + number * DAY
            self.fits.dawn()
            self.counts.dawn(date - needed * DAY)
            yield tuple(self._night(life, date) for life in self.lives)

    def _night(self, life: PolicyRun, date: dt.date) -> NightOutcome:
        """The nightly commands, then the merge that is due, then the rows of the day."""
        as_of, played = midnight(date), NightOutcome(date)
        window = self.counts.window(life.policy.config, life.champion, as_of, life.served)
        if window.quality and window.quality.critical:
            played.stopped = tuple(finding.sentence for finding in window.quality.critical)
        else:
            champion = life.champion
            past = History.of(
                as_of,
                (champion.version.version, champion.version.trained_at) if champion else None,
                promoted=life.promoted,
                trainings=life.trainings,
                candidates=((one.trained_at, one.fit_until) for one in life.versions.values()),
                open_proposal=_address(life),
            )
            baseline = champion.baseline if champion else None
            config, compare = life.policy.config, self.counts.compare
            played.decision = decide(config, window, baseline, past, None, compare=compare)
            if played.decision.retrain:
                self._retrain(life, played.decision, played)
        self._merge(life, played)
        self._serve(life, played)
        return played

    def _retrain(self, life: PolicyRun, decision: Decision, played: NightOutcome) -> None:
        """Train, validate and propose."""
        as_of = decision.as_of
        try:
            material = self.fits.prepare(as_of, life.champion)
        except DataError as err:
            played.failed = err.what
            return
        version = life.versions.get(material.training_key)
        if version is None:
            version = Version(
                fit=self.fits.fit(material),
                version=len(life.versions) + 1,
                name=self.config.registry_name,
                trained_at=as_of,
                fit_until=material.parts.fit_until,
            )
            life.versions[material.training_key] = version
            life.trainings.append(as_of)
        candidate = candidate_record(material, version, decision, "")
        played.verdict = validate(candidate, self._judged_by(life), self._evidence(life, candidate, version))
        served = life.champion is not None and life.champion.version == version
        if played.verdict.passed and not served:
            life.proposal = played.date, version, played.verdict

    def _judged_by(self, life: PolicyRun) -> ModelConfig:
        """The policy's gates; for the first model the model's own, so that all policies start from the same one."""
        config = life.policy.config
        return config if life.champion else config.model_copy(update={"gates": self.config.gates})

    def _evidence(self, life: PolicyRun, candidate: Candidate, version: Version) -> CandidateEvidence:
        """What the gates look at; as in `mlops validate`."""
        holdout, _ = self.fits.holdout(candidate)
        fit, champion = version.fit, life.champion.version if life.champion else None
        if champion == version:
            champion = None
        return CandidateEvidence.of(
            holdout,
            self._judged_by(life),
            challenger_scores=self.fits.judged(fit, candidate),
            champion_version=champion.version if champion else None,
            champion_fit_until=champion.fit_until if champion else None,
            champion_scores=self.fits.judged(champion.fit, candidate) if champion else None,
            example_equal=fit.same_example,
            latency_p95_ms=fit.latency_ms,
            size_mb=fit.size_mb,
            promoted=life.promoted,
        )

    def _merge(self, life: PolicyRun, played: NightOutcome) -> None:
        """The person merges what has waited long enough, and the merge promotes."""
        if life.proposal is None or played.date < life.proposal[0] + self.review:
            return
        _, version, verdict = life.proposal
        life.champion = self.fits.champion(version, life.served)
        life.promoted, life.proposal = verdict.promoted, None
        played.promoted = version.version

    def _serve(self, life: PolicyRun, played: NightOutcome) -> None:
        """The rows of the date are scored by what is in service now."""
        if life.champion is None:
            return
        fit = life.champion.version.fit
        life.served.serve(played.date, fit.number, self.fits.score(fit, played.date))
        played.outcome = self.counts.outcome(played.date, life.served)


def _address(life: PolicyRun) -> str | None:
    """What is said of an open proposal."""
    if life.proposal is None:
        return None
    opened, version, _ = life.proposal
    return f"version {version.version} of {opened}"
