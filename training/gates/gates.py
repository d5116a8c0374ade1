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
    """A metric of the challenger on the holdout, with two one-sided limits at `gates.confidence`.

    None if the metric is undefined, or if its limits were not needed.
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


class SliceScore(Record):
    """The metric of the performance trigger on the rows of one category."""

    column: str
    value: str
    rows: int
    challenger: float | None
    champion: float | None


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
    return _gate("data_quality", len(critical), 0, passes=not critical, sentence=f"Training rows: {sentence}.")


def holdout(evidence: CandidateEvidence, unseen: CandidateEvidence, config: ModelConfig) -> Gate:
    """Return a gate that cannot judge if few of the rows, or one label only, are later than both fits."""
    rows, required, task = len(unseen.labels), config.gates.min_holdout_rows, task_of(config)
    sentence = (
        f"{rows:,} of {len(evidence.labels):,} rows are later than both fits, {task.describe_labels(unseen.labels)}"
    )
    if rows < required or len(np.unique(unseen.labels)) < 2:  # noqa: PLR2004 - by one label nothing can be judged
        sentence += f". The gate requires {required:,} rows with {task.min_distinct_text}."
        return Gate(name="holdout", state="cannot_judge", value=rows, limit=required, sentence=sentence)
    return _gate("holdout", rows, required, passes=True, sentence=f"{sentence}.")


def floors(scores: tuple[Score, ...], rows: int, config: ModelConfig) -> Iterator[Gate]:
    """Yield one gate for each metric with a floor: it blocks if the value itself is below the floor."""
    by_metric = {score.metric: score for score in scores}
    for metric, floor in config.gates.floors.items():
        score = by_metric.get(metric)
        if score is None or score.value is None:
            yield _cannot_judge(metric, floor, f"{wording.metric(metric)} is undefined on the holdout")
        else:
            limits = [wording.figure(metric, limit) for limit in (score.low, score.high) if limit is not None]
            interval = f" ({' to '.join(limits)})" if len(limits) > 1 else ""
            sentence = (
                f"{wording.sentence_case(wording.metric(metric))} is {wording.figure(metric, score.value)}{interval} "
                f"on {rows:,} rows. The gate requires at least {wording.figure(metric, floor)}."
            )
            yield _gate(metric, score.value, floor, passes=score.value >= floor, sentence=sentence)


def champion(comparison: Comparison | None, version: int | None, config: ModelConfig) -> Gate:
    """Return a gate that blocks unless the challenger is, with confidence, at most `max_loss_to_champion` worse."""
    limit = -config.gates.max_loss_to_champion
    if not config.gates.compare:
        sentence = "The comparison with the champion is switched off (gates.compare)."
        return Gate(name="champion", state="passes", value=None, limit=None, sentence=sentence)
    if version is None:
        sentence = "There is no champion yet to compare with."
        return Gate(name="champion", state="passes", value=None, limit=None, sentence=sentence)
    if comparison is None:
        return _cannot_judge("champion", limit, f"there are no rows on which to compare with version {version}")
    metric, confidence = comparison.metric, f"{100 * config.gates.confidence:g}%"
    sentence = (
        f"{wording.sentence_case(wording.metric(metric))} is {wording.figure(metric, comparison.challenger_value)}, "
        f"version {version} has {wording.figure(metric, comparison.champion_value)}. "
        f"The difference is {wording.change(metric, comparison.difference)} and, with {confidence} confidence, "
        f"at least {wording.change(metric, comparison.low)}. "
        f"The gate requires at least {wording.change(metric, limit)}."
    )
    return _gate("champion", comparison.low, limit, passes=comparison.low >= limit, sentence=sentence)


def files(evidence: CandidateEvidence, config: ModelConfig) -> Iterator[Gate]:
    """Yield the gates of the stored model: the same scores as before it was stored, its latency and its size."""
    same = evidence.example_equal
    sentence = f"The model loaded from its files {'gives' if same else 'does not give'} the same scores as before."
    yield _gate("load_back", None, None, passes=same, sentence=sentence)
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
            yield _gate(name, value, limit, passes=value <= limit, sentence=sentence)
        else:
            yield _cannot_judge(name, limit, f"the {name} was not measured")


def slice_scores(unseen: CandidateEvidence, config: ModelConfig) -> Iterator[SliceScore]:
    """Yield the score of every category of the slice columns that has `gates.min_slice_rows` rows."""
    metric, task = config.triggers.performance.metric, task_of(config)

    def value(scores: np.ndarray | None, rows: np.ndarray) -> float | None:
        return (
            None if scores is None else defined(task.evaluate(metric, task.counted(unseen.labels[rows], scores[rows])))
        )

    for column, categories in unseen.rows_by_category():
        for category, rows in categories.items():
            if len(rows) >= config.gates.min_slice_rows:
                yield SliceScore(
                    column=column,
                    value=category,
                    rows=len(rows),
                    challenger=value(unseen.challenger_scores, rows),
                    champion=value(unseen.champion_scores, rows),
                )


def slices(scores: tuple[SliceScore, ...], overall: float | None, config: ModelConfig) -> Iterator[Gate]:
    """Yield one gate for each slice column: it blocks if a category is over `max_slice_loss` below the champion there.

    Without a champion's score, the candidate's own overall score takes its place.
    """
    limit, metric = -config.gates.max_slice_loss, config.triggers.performance.metric
    for column in config.gates.slices:
        compared = [
            (score.challenger - reference, score.challenger, score)
            for score in scores
            if score.column == column
            and score.challenger is not None
            and (reference := overall if score.champion is None else score.champion) is not None
        ]
        if not compared:
            required = f"{config.gates.min_slice_rows:,} rows with {task_of(config).min_distinct_text}"
            yield _cannot_judge(f"slice_{column}", limit, f"no {column} has {required}")
            continue
        difference, value, weakest = min(compared, key=lambda item: item[0])
        versus = "the candidate overall" if weakest.champion is None else "the champion on this slice"
        sentence = (
            f"The weakest of {len(compared)} slices is {column} = {weakest.value}: {wording.figure(metric, value)} on "
            f"{weakest.rows:,} rows, {wording.change(metric, difference)} compared with {versus}. "
            f"The gate requires at least {wording.change(metric, limit)}."
        )
        yield _gate(f"slice_{column}", difference, limit, passes=difference >= limit, sentence=sentence)


def defined(value: float | np.floating | None) -> float | None:
    """Return the number, or None for NaN."""
    return None if value is None or math.isnan(value) else float(value)


def _gate(name: str, value: float | None, limit: float | None, *, passes: bool, sentence: str) -> Gate:
    """Return the result of a gate that can judge."""
    return Gate(name=name, state="passes" if passes else "blocks", value=value, limit=limit, sentence=sentence)


def _cannot_judge(name: str, limit: float | None, reason: str) -> Gate:
    """Return the result of a gate that cannot judge, and so blocks."""
    return Gate(name=name, state="cannot_judge", value=None, limit=limit, sentence=f"Cannot judge: {reason}.")


def _short(value: float) -> str:
    """Return a measured number with three digits, whole from 1,000 on."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - .3g would write 1.25e+03
