"""The gates that a candidate must pass: each one passes, blocks, or cannot judge, which blocks as well."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np

from core import wording
from core.config import ModelConfig
from core.records import Record
from monitoring.tasks import task_of
from training import Candidate
from training.gates.evidence import CandidateEvidence


class Score(Record):
    """A metric of the challenger on the holdout, with two bounds, each one-sided at `gates.confidence`.

    None if the metric is undefined, or if its bounds were not needed or cannot be given (`missing` tells why).
    `adjusted`: whether the bounds account for `days`, by whose `design_effect` the variance of independent rows is
    multiplied. Scores of earlier releases have none of these four.
    """

    metric: str
    value: float | None
    low: float | None
    high: float | None
    days: int | None = None
    design_effect: float | None = None
    adjusted: bool | None = None
    missing: Literal["undefined", "few_positives"] | None = None


class Comparison(Record):
    """Challenger minus champion on the same rows: `low` and `high` are one-sided bounds of the paired difference.

    `adjusted`, `days`, `design_effect`: as in `Score`.
    """

    metric: str
    champion: int
    champion_value: float
    challenger_value: float
    difference: float
    low: float
    high: float
    margin: float
    rows: int
    days: int | None = None
    design_effect: float | None = None
    adjusted: bool | None = None


class Gate(Record):
    """The result of one gate. `value` and `limit` are in the unit of the gate; the sentence contains both."""

    name: str
    state: Literal["passes", "blocks", "cannot_judge"]
    value: float | None
    limit: float | None
    sentence: str


def quality(candidate: Candidate) -> Gate:
    """Return a gate that blocks if the suite has a critical finding in the training rows."""
    critical = candidate.quality.critical
    sentence = (
        f"{len(critical)} critical {'finding' if len(critical) == 1 else 'findings'}: "
        + "; ".join(finding.sentence for finding in critical[:3])
        if critical
        else f"no critical finding in {candidate.quality.checks} checks"
    )
    return gate_result("data_quality", len(critical), 0, passes=not critical, sentence=f"Training rows: {sentence}.")


def holdout(evidence: CandidateEvidence, unseen: CandidateEvidence, config: ModelConfig) -> Gate:
    """Return a gate that cannot judge if few of the rows, or one label only, are later than both fits."""
    rows, required, task = len(unseen.labels), config.gates.min_holdout_rows, task_of(config)
    sentence = (
        f"{rows:,} of {len(evidence.labels):,} rows are later than both fits, {task.describe_labels(unseen.labels)}"
    )
    if rows < required or len(np.unique(unseen.labels)) < 2:  # noqa: PLR2004 - by one label nothing can be judged
        sentence += f". The gate requires {required:,} rows with {task.min_distinct_text}."
        return Gate(name="holdout", state="cannot_judge", value=rows, limit=required, sentence=sentence)
    return gate_result("holdout", rows, required, passes=True, sentence=f"{sentence}.")


def floors(scores: tuple[Score, ...], rows: int, config: ModelConfig) -> Iterator[Gate]:
    """Yield one gate for each metric with a floor: it blocks if the value itself is below the floor."""
    by_metric = {score.metric: score for score in scores}
    for metric, floor in config.gates.floors.items():
        score = by_metric.get(metric)
        if score is None or score.value is None:
            yield cannot_judge(metric, floor, f"{wording.metric(metric)} is undefined on the holdout")
        else:
            limits = [wording.figure(metric, limit) for limit in (score.low, score.high) if limit is not None]
            interval = f" ({' to '.join(limits)})" if len(limits) > 1 else ""
            sentence = (
                f"{wording.sentence_case(wording.metric(metric))} is {wording.figure(metric, score.value)}{interval} "
                f"on {rows:,} rows. The gate requires at least {wording.figure(metric, floor)}."
                f"{unadjusted(adjusted=score.adjusted)}"
            )
            yield gate_result(metric, score.value, floor, passes=score.value >= floor, sentence=sentence)


def champion(comparison: Comparison | None, version: int | None, config: ModelConfig, missing: str = "") -> Gate:
    """Return a gate that blocks unless the challenger is, with confidence, at most `max_loss_to_champion` worse.

    `missing`: what a comparison needs and does not have.
    """
    limit = -config.gates.max_loss_to_champion
    if not config.gates.compare:
        sentence = "The comparison with the champion is switched off (gates.compare)."
        return Gate(name="champion", state="passes", value=None, limit=None, sentence=sentence)
    if version is None:
        sentence = "There is no champion yet to compare with."
        return Gate(name="champion", state="passes", value=None, limit=None, sentence=sentence)
    if comparison is None:
        reason = missing or f"there are no rows on which to compare with version {version}"
        return cannot_judge("champion", limit, reason)
    metric, confidence = comparison.metric, f"{100 * config.gates.confidence:g}%"
    sentence = (
        f"{wording.sentence_case(wording.metric(metric))} is {wording.figure(metric, comparison.challenger_value)}, "
        f"version {version} has {wording.figure(metric, comparison.champion_value)}. "
        f"The difference is {wording.change(metric, comparison.difference)} and, with {confidence} confidence, "
        f"at least {wording.change(metric, comparison.low)}. "
        f"The gate requires at least {wording.change(metric, limit)}.{unadjusted(adjusted=comparison.adjusted)}"
    )
    return gate_result("champion", comparison.low, limit, passes=comparison.low >= limit, sentence=sentence)


def files(evidence: CandidateEvidence, config: ModelConfig) -> Iterator[Gate]:
    """Yield the gates of the stored model: the same scores as before it was stored, its latency and its size."""
    same = evidence.example_equal
    sentence = f"The model loaded from its files {'gives' if same else 'does not give'} the same scores as before."
    yield gate_result("load_back", None, None, passes=same, sentence=sentence)
    for name, value, limit, unit in (
        (
            "latency",
            evidence.latency_p95_ms,
            config.gates.max_p95_ms,
            "ms of processor time per row (95th percentile)",
        ),
        ("size", evidence.size_mb, config.gates.max_size_mb, "MB on disk"),
    ):
        if math.isfinite(value):
            sentence = f"{_short(value)} {unit}. The gate allows at most {_short(limit)}."
            yield gate_result(name, value, limit, passes=value <= limit, sentence=sentence)
        else:
            yield cannot_judge(name, limit, f"the {name} was not measured")


def defined(value: float | np.floating | None) -> float | None:
    """Return the number, or None for NaN."""
    return None if value is None or math.isnan(value) else float(value)


def unadjusted(*, adjusted: bool | None) -> str:
    """Return the warning that bounds take rows as independent; empty if they account for days, or there are none."""
    return " Not adjusted for days: there are too few." if adjusted is False else ""


def gate_result(name: str, value: float | None, limit: float | None, *, passes: bool, sentence: str) -> Gate:
    """Return the result of a gate that can judge."""
    return Gate(name=name, state="passes" if passes else "blocks", value=value, limit=limit, sentence=sentence)


def cannot_judge(name: str, limit: float | None, reason: str) -> Gate:
    """Return the result of a gate that cannot judge, and so blocks."""
    return Gate(name=name, state="cannot_judge", value=None, limit=limit, sentence=f"Cannot judge: {reason}.")


def _short(value: float) -> str:
    """Return a measured number with three digits, whole from 1,000 on."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - .3g would write 1.25e+03
