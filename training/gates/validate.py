"""The verdict on a candidate: all gates, and what was measured for them."""

from __future__ import annotations

import datetime as dt
import math

from core.config import ModelConfig
from core.errors import GateBlockedError
from core.records import Record
from monitoring.tasks import task_of
from training import Candidate
from training.gates import gates
from training.gates.evidence import CandidateEvidence
from training.gates.gates import Comparison, Gate, Score, SliceScore


class Verdict(Record):
    """Everything that was measured of a candidate, and whether it passed every gate.

    `champion` is the version in Production, None before the first promotion. `scores` begins with the metric of the
    performance trigger. `reference` is the best holdout score of that metric so far, including this one; a manifest
    that promotes this candidate declares it.
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
    comparison = _compare(unseen, config) if judged else None
    slices = tuple(gates.slice_scores(unseen, config)) if judged else ()
    overall = scores[0].value if scores else None
    results = (
        gates.quality(candidate),
        holdout,
        *gates.floors(scores, len(unseen.labels), config),
        gates.champion(comparison, evidence.champion_version, config),
        *gates.slices(slices, overall, config),
        *gates.files(evidence, config),
    )
    references = [value for value in (evidence.previous_reference, overall) if value is not None]
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
        reference=max(references, default=None),
    )


def _scores(unseen: CandidateEvidence, config: ModelConfig) -> tuple[Score, ...]:
    """Return every metric of the challenger, with limits if the trigger or a floor uses it."""
    main, task = config.triggers.performance.metric, task_of(config)
    counts = task.counted(unseen.labels, unseen.challenger_scores)
    scores = []
    for metric in (main, *(name for name in task.metrics if name != main)):
        value, low, high = gates.defined(task.evaluate(metric, counts)), math.nan, math.nan
        if metric in {main, *config.gates.floors}:
            low, high = task.interval(metric, counts, config.gates.confidence, config.training.seed)
        scores.append(Score(metric=metric, value=value, low=gates.defined(low), high=gates.defined(high)))
    return tuple(scores)


def _compare(unseen: CandidateEvidence, config: ModelConfig) -> Comparison | None:
    """Return challenger minus champion; None if something is missing that a fair comparison needs."""
    version = unseen.champion_version
    if version is None or unseen.champion_scores is None or unseen.champion_fit_until is None:
        return None
    if not config.gates.compare:
        return None
    metric, task = config.triggers.performance.metric, task_of(config)
    both = (unseen.champion_scores, unseen.challenger_scores)
    values = [float(task.evaluate(metric, task.counted(unseen.labels, scores))) for scores in both]
    difference, low, high = task.paired_difference(
        metric, unseen.labels, *both, confidence=config.gates.confidence, seed=config.training.seed
    )
    if math.isnan(difference):
        return None
    return Comparison(
        metric=metric,
        champion=version,
        champion_value=values[0],
        challenger_value=values[1],
        difference=difference,
        low=low,
        high=high,
        margin=config.gates.max_loss_to_champion,
        rows=len(unseen.labels),
    )
