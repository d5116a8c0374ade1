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
    """A metric of the challenger on the holdout, with two one-sided limits at `gates.confidence`.

    None where the metric is undefined, or its limits were not needed.
    """

    metric: str
    value: float | None
    low: float | None
    high: float | None


class Comparison(Record):
    """Challenger minus champion on the same rows: `low` and `high` are one-sided limits from a paired bootstrap."""

    metric: str
    champion: int
    champion_value: float
    challenger_value: float
    difference: float
    low: float
    high: float
    margin: float
    rows: int


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
            yield gate(metric, score.value, floor, good=score.value >= floor, sentence=sentence)


def champion(compared: Comparison | None, version: int | None, config: ModelConfig) -> Gate:
    """Blocks unless the challenger is surely at most `max_loss_to_champion` worse than the champion."""
    limit = -config.gates.max_loss_to_champion
    if not config.gates.compare:
        sentence = "The comparison with the champion is switched off (gates.compare)."
        return Gate(name="champion", state="passes", value=None, limit=None, sentence=sentence)
    if version is None:
        sentence = "There is no champion yet to compare with."
        return Gate(name="champion", state="passes", value=None, limit=None, sentence=sentence)
    if compared is None:
        return cannot_judge("champion", limit, f"there is nothing to compare with version {version} on")
    sides = (compared.challenger_value, compared.champion_value)
    ours, theirs = (wording.figure(compared.metric, side) for side in sides)
    judged = (compared.difference, compared.low, limit)
    difference, low, allowed = (wording.change(compared.metric, one) for one in judged)
    sentence = (
        f"{wording.sentence_case(wording.metric(compared.metric))} is {ours}, version {version} has {theirs}: "
        f"the difference {difference} is surely not under {low}, {allowed} is allowed."
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


def cannot_judge(name: str, limit: float | None, why: str) -> Gate:
    """A gate that does not know, and so blocks."""
    return Gate(name=name, state="cannot_judge", value=None, limit=limit, sentence=f"Cannot judge: {why}.")


def defined(value: float | np.floating | None) -> float | None:
    """The number, or None for NaN."""
    return None if value is None or math.isnan(value) else float(value)


def gate(name: str, value: float | None, limit: float | None, *, good: bool, sentence: str) -> Gate:
    """What a gate says that can judge."""
    return Gate(name=name, state="passes" if good else "blocks", value=value, limit=limit, sentence=sentence)


class SliceScore(Record):
    """The metric of the performance trigger on the rows of one category."""

    column: str
    value: str
    rows: int
    challenger: float | None
    champion: float | None


def scores(unseen: CandidateEvidence, config: ModelConfig) -> Iterator[SliceScore]:
    """Every category of the slice columns that has `gates.min_slice_rows` rows."""
    metric, task = config.triggers.performance.metric, task_of(config)
    said = [unseen.challenger_scores, unseen.champion_scores]
    for column, places in unseen.places():
        for word, here in places.items():
            if len(here) >= config.gates.min_slice_rows:
                values = [
                    None if s is None else task.evaluate(metric, task.counted(unseen.labels[here], s[here]))
                    for s in said
                ]
                yield SliceScore(
                    column=column,
                    value=word,
                    rows=len(here),
                    challenger=defined(values[0]),
                    champion=defined(values[1]),
                )


def judged(scores: tuple[SliceScore, ...], overall: float | None, config: ModelConfig) -> Iterator[Gate]:
    """One gate a slice column: blocks when a category is more than `max_slice_loss` under the champion there.

    Without a champion, the candidate's own overall score takes its place.
    """
    margin, metric = config.gates.max_slice_loss, config.triggers.performance.metric
    for column in config.gates.slices:
        pairs = [
            (s.challenger - bar, s.challenger, s)
            for s in scores
            if s.column == column
            and s.challenger is not None
            and (bar := overall if s.champion is None else s.champion) is not None
        ]
        if not pairs:
            needed = f"{config.gates.min_slice_rows} rows with {task_of(config).min_distinct_text}"
            yield cannot_judge(f"slice_{column}", -margin, f"no {column} has {needed}")
            continue
        loss, value, lowest = min(pairs, key=lambda pair: pair[0])
        said, (lost, allowed) = wording.figure(metric, value), (wording.change(metric, one) for one in (loss, -margin))
        against = "the candidate overall" if lowest.champion is None else "the champion there"
        sentence = (
            f"The weakest of {len(pairs)} is {column} = {lowest.value}: {said} on {lowest.rows} rows, "
            f"{lost} against {against}, {allowed} is allowed."
        )
        yield gate(f"slice_{column}", loss, -margin, good=loss >= -margin, sentence=sentence)
