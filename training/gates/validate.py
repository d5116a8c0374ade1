"""The verdict on a candidate: all gates, and what was measured for them."""

from __future__ import annotations

import datetime as dt

import numpy as np

from core.config import ModelConfig
from core.errors import GateBlockedError
from core.records import Record
from monitoring.performance import KEPT_PROMOTIONS, PromotedScore, alarm_limit, reference_score
from monitoring.tasks import PairedRows, day_bounds, paired_bounds, task_of
from training import Candidate
from training.gates import gates
from training.gates.evidence import CandidateEvidence
from training.gates.gates import Comparison, Gate, Score
from training.gates.slices import SliceScore, slice_gates, slice_scores


class Verdict(Record):
    """Everything that was measured of a candidate, and whether it passed every gate.

    `champion` is the version in Production, None before the first promotion. `scores` begins with the metric of the
    performance trigger. `promoted` are the newest holdout scores of promoted versions, this one last, and `reference`
    is their mean: a manifest that promotes this candidate declares both. `limit` is the score under which the
    performance trigger may fire then. Verdicts of earlier releases have neither `promoted` nor `limit`.
    """

    candidate: Candidate
    champion: int | None
    as_of: dt.datetime
    passed: bool
    gates: tuple[Gate, ...]
    scores: tuple[Score, ...]
    comparison: Comparison | None
    slices: tuple[SliceScore, ...]
    latency_p95_ms: float | None
    size_mb: float
    holdout_digest: str
    reference: float | None
    promoted: tuple[PromotedScore, ...] = ()
    limit: float | None = None

    @property
    def main_score(self) -> Score | None:
        """The score by the metric of the performance trigger; None if the holdout could not be judged."""
        return self.scores[0] if self.scores else None

    @property
    def model(self) -> str:
        """The model's folder name."""
        return self.candidate.model

    def require_passed(self) -> None:
        """Make sure that the candidate passed every gate.

        Raises:
            GateBlockedError: a gate blocks it.
        """
        if not self.passed:
            blocking = " ".join(gate.sentence for gate in self.gates if gate.state != "passes")
            raise GateBlockedError(
                f"Version {self.candidate.version} of {self.candidate.registry_name} is refused: {blocking}",
                fix="Read the report. A refused candidate is not proposed.",
            )


def validate(candidate: Candidate, config: ModelConfig, evidence: CandidateEvidence) -> Verdict:
    """Return the verdict of all gates. A gate that cannot judge blocks."""
    unseen = evidence.later_than(candidate.fit_until, evidence.champion_fit_until)
    holdout = gates.holdout(evidence, unseen, config)
    judged = holdout.state == "passes"
    scores = _scores(unseen, config) if judged else ()
    comparison, missing = _compare(unseen, config) if judged else (None, "")
    slices = slice_scores(unseen, scores[0].value, config) if judged else ()
    results = (
        gates.quality(candidate),
        holdout,
        *gates.floors(scores, len(unseen.labels), config),
        gates.champion(comparison, evidence.champion_version, config, missing),
        *slice_gates(slices, config),
        *gates.files(evidence, config),
    )
    promoted = _promoted(candidate.version, unseen, config, judged=judged)
    reference, trigger = reference_score(promoted), config.triggers.performance
    return Verdict(
        candidate=candidate,
        champion=evidence.champion_version,
        as_of=candidate.as_of,
        passed=all(gate.state == "passes" for gate in results),
        gates=results,
        scores=scores,
        comparison=comparison,
        slices=slices,
        latency_p95_ms=gates.defined(evidence.latency_p95_ms),
        size_mb=evidence.size_mb,
        holdout_digest=evidence.holdout_digest,
        reference=reference.value if reference else None,
        promoted=promoted,
        limit=alarm_limit(trigger.floor, reference.value if reference else None, trigger.max_drop),
    )


def _promoted(
    version: int, unseen: CandidateEvidence, config: ModelConfig, *, judged: bool
) -> tuple[PromotedScore, ...]:
    """Return the newest scores of promoted versions if this candidate is promoted too."""
    task, metric = task_of(config), config.triggers.performance.metric
    counts = unseen.counts_by_day(unseen.challenger_scores, task)
    own = PromotedScore.of_holdout(version, task, metric, counts) if judged else None
    before = [score for score in unseen.promoted if score.version != version]
    return tuple([*before, *([own] if own else [])][-KEPT_PROMOTIONS:])


def _scores(unseen: CandidateEvidence, config: ModelConfig) -> tuple[Score, ...]:
    """Return every metric of the challenger; with bounds if the trigger or a floor uses it."""
    main, task = config.triggers.performance.metric, task_of(config)
    days = unseen.counts_by_day(unseen.challenger_scores, task)
    counts, scores = days.sum(axis=0), []
    for metric in (main, *(name for name in task.metrics if name != main)):
        value = gates.defined(task.evaluate(metric, counts))
        if metric not in {main, *config.gates.floors}:
            scores.append(Score(metric=metric, value=value, low=None, high=None))
            continue
        bounds = day_bounds(task, metric, days, config.gates.confidence, config.training.seed)
        scores.append(
            Score(
                metric=metric,
                value=value,
                low=gates.defined(bounds.low),
                high=gates.defined(bounds.high),
                days=bounds.days,
                design_effect=bounds.design_effect,
                adjusted=None if bounds.missing else bounds.adjusted,
                missing=bounds.missing,
            )
        )
    return tuple(scores)


def _compare(unseen: CandidateEvidence, config: ModelConfig) -> tuple[Comparison | None, str]:
    """Return challenger minus champion; None if something is missing, with what it is."""
    version = unseen.champion_version
    if version is None or unseen.champion_scores is None or unseen.champion_fit_until is None:
        return None, ""
    if not config.gates.compare:
        return None, ""
    metric, task, least = config.triggers.performance.metric, task_of(config), config.gates.min_positives
    sides = (unseen.champion_scores, unseen.challenger_scores)
    values = [float(task.evaluate(metric, task.counted(unseen.labels, scores))) for scores in sides]
    bounds = paired_bounds(
        task,
        metric,
        PairedRows(unseen.labels, *sides, unseen.days),
        confidence=config.gates.confidence,
        seed=config.training.seed,
        min_positives=least,
    )
    if bounds.missing == "few_positives":
        rare = int(np.bincount(unseen.labels.astype(np.intp)).min())
        needed = f"a comparison with version {version} needs {least} (gates.min_positives)"
        return None, f"only {rare} of {len(unseen.labels):,} rows have the rarer label; {needed}"
    if bounds.missing:
        return None, ""
    compared = Comparison(
        metric=metric,
        champion=version,
        champion_value=values[0],
        challenger_value=values[1],
        difference=bounds.value,
        low=bounds.low,
        high=bounds.high,
        margin=config.gates.max_loss_to_champion,
        rows=len(unseen.labels),
        days=bounds.days,
        design_effect=bounds.design_effect,
        adjusted=bounds.adjusted,
    )
    return compared, ""
