"""Let each gate say one thing about a candidate: passes, blocks, or cannot judge, which blocks too."""

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

    None where the metric is undefined, or its bounds were not needed or cannot be given (`missing` tells why).
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
    """What one gate says. `value` and `limit` are in the unit of the gate; the sentence holds both."""

    name: str
    state: Literal["passes", "blocks", "cannot_judge"]
    value: float | None
    limit: float | None
    sentence: str


def quality(candidate: Candidate) -> Gate:
    """Blocks when the suite found something critical in the training rows."""
    found = candidate.quality.critical
    said = "; ".join(finding.sentence for finding in found[:3])
    sentence = (
        f"{len(found)} critical {'finding' if len(found) == 1 else 'findings'}: {said}"
        if found
        else f"no critical finding in {candidate.quality.checks} checks"
    )
    return gate("data_quality", len(found), 0, good=not found, sentence=f"Training rows: {sentence}.")


def holdout(evidence: CandidateEvidence, unseen: CandidateEvidence, config: ModelConfig) -> Gate:
    """Cannot judge with few rows, or one label, among those that neither model was fit on."""
    rows, least, task = len(unseen.labels), config.gates.min_holdout_rows, task_of(config)
    sentence = f"{rows} of {len(evidence.labels)} rows are later than both fits, {task.describe_labels(unseen.labels)}"
    if rows < least or len(np.unique(unseen.labels)) < 2:  # noqa: PLR2004 - by one label nothing can be judged
        sentence += f"; {least} rows with {task.min_distinct_text} are needed."
        return Gate(name="holdout", state="cannot_judge", value=rows, limit=least, sentence=sentence)
    return gate("holdout", rows, least, good=True, sentence=f"{sentence}.")


def floors(scores: tuple[Score, ...], rows: int, config: ModelConfig) -> Iterator[Gate]:
    """One gate a metric with a floor: blocks when the value itself is under it."""
    known = {score.metric: score for score in scores}
    for metric, floor in config.gates.floors.items():
        score = known.get(metric)
        if score is None or score.value is None:
            yield cannot_judge(metric, floor, f"{wording.metric(metric)} is undefined on the holdout")
        else:
            ends = [wording.figure(metric, end) for end in (score.low, score.high) if end is not None]
            interval = f" ({' to '.join(ends)})" if len(ends) > 1 else ""
            value, least = wording.figure(metric, score.value), wording.figure(metric, floor)
            name = wording.sentence_case(wording.metric(metric))
            sentence = f"{name} is {value}{interval} on {rows} rows, at least {least} is needed."
            sentence += unadjusted(adjusted=score.adjusted)
            yield gate(metric, score.value, floor, good=score.value >= floor, sentence=sentence)


def champion(compared: Comparison | None, version: int | None, config: ModelConfig, missing: str = "") -> Gate:
    """Blocks unless the challenger is, with `gates.confidence`, at most `max_loss_to_champion` worse.

    `missing`: what a comparison needs and does not have.
    """
    limit = -config.gates.max_loss_to_champion
    if not config.gates.compare:
        sentence = "The comparison with the champion is switched off (gates.compare)."
        return Gate(name="champion", state="passes", value=None, limit=None, sentence=sentence)
    if version is None:
        sentence = "There is no champion yet to compare with."
        return Gate(name="champion", state="passes", value=None, limit=None, sentence=sentence)
    if compared is None:
        return cannot_judge("champion", limit, missing or f"there is nothing to compare with version {version} on")
    sides = (compared.challenger_value, compared.champion_value)
    ours, theirs = (wording.figure(compared.metric, side) for side in sides)
    judged = (compared.difference, compared.low, limit)
    difference, low, allowed = (wording.change(compared.metric, one) for one in judged)
    sentence = (
        f"{wording.sentence_case(wording.metric(compared.metric))} is {ours}, version {version} has {theirs}: "
        f"a difference of {difference}, with {100 * config.gates.confidence:.3g}% confidence at least {low}; "
        f"{allowed} is allowed.{unadjusted(adjusted=compared.adjusted)}"
    )
    return gate("champion", compared.low, limit, good=compared.low >= limit, sentence=sentence)


def files(evidence: CandidateEvidence, config: ModelConfig) -> Iterator[Gate]:
    """What the stored model does: the same as before it was stored, fast and small enough."""
    same, gates = evidence.example_equal, config.gates
    said = "says the same as" if same else "does not say the same as"
    yield gate("load_back", None, None, good=same, sentence=f"The model loaded back from its files {said} before.")
    for name, value, limit, unit in (
        ("latency", evidence.latency_p95_ms, gates.max_p95_ms, "ms for a single row (95th percentile)"),
        ("size", evidence.size_mb, gates.max_size_mb, "MB on disk"),
    ):
        if math.isfinite(value):
            sentence = f"{value:.3g} {unit}, at most {limit:.3g} is allowed."
            yield gate(name, value, limit, good=value <= limit, sentence=sentence)
        else:
            yield cannot_judge(name, limit, f"the {name} was not measured")


def unadjusted(*, adjusted: bool | None) -> str:
    """Return the warning that bounds take rows as independent; empty if they account for days, or there are none."""
    return " Not adjusted for days: there are too few." if adjusted is False else ""


def cannot_judge(name: str, limit: float | None, why: str) -> Gate:
    """A gate that does not know, and so blocks."""
    return Gate(name=name, state="cannot_judge", value=None, limit=limit, sentence=f"Cannot judge: {why}.")


def defined(value: float | np.floating | None) -> float | None:
    """The number, or None for NaN."""
    return None if value is None or math.isnan(value) else float(value)


def gate(name: str, value: float | None, limit: float | None, *, good: bool, sentence: str) -> Gate:
    """What a gate says that can judge."""
    return Gate(name=name, state="passes" if good else "blocks", value=value, limit=limit, sentence=sentence)
