"""Slices: what the candidate loses in each category of some columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from core import wording
from core.config import ModelConfig
from core.records import Record
from monitoring.tasks import DayBounds, PairedRows, SliceBounds, day_bounds, slice_bounds, task_of
from training.gates.evidence import CandidateEvidence
from training.gates.gates import Gate, cannot_judge, defined, gate_result


class SliceScore(Record):
    """The metric of the performance trigger on the rows of one category.

    `difference`: to the champion there; without a champion, to the candidate overall. `high`: its upper bound,
    one-sided at `confidence`, which is corrected for the number of slices. `harmed`: the loss is larger than
    `max_slice_loss`, and `high` is under 0. `missing`: why the slice cannot be judged. Scores of earlier releases have
    none of these.
    """

    column: str
    value: str
    rows: int
    challenger: float | None
    champion: float | None
    difference: float | None = None
    high: float | None = None
    confidence: float | None = None
    harmed: bool = False
    missing: Literal["undefined", "few_positives"] | None = None
    adjusted: bool | None = None


def slice_scores(unseen: CandidateEvidence, overall: float | None, config: ModelConfig) -> tuple[SliceScore, ...]:
    """Return the score of every category of the slice columns that has `gates.min_slice_rows` rows.

    All columns are judged together, so that an equally good candidate passes all of them with `gates.confidence`.
    """
    least = config.gates.min_slice_rows
    rows_of = {
        (column, value): rows
        for column, categories in unseen.rows_by_category()
        for value, rows in categories.items()
        if len(rows) >= least
    }
    names = {str(number): key for number, key in enumerate(rows_of)}
    judged = _judged(unseen, overall, {name: rows_of[key] for name, key in names.items()}, config)
    metric, task = config.triggers.performance.metric, task_of(config)
    scores = []
    for name, (column, value) in names.items():
        rows, result = rows_of[column, value], judged[name]
        challenger, champion = (
            None if side is None else defined(task.evaluate(metric, task.counted(unseen.labels[rows], side[rows])))
            for side in (unseen.challenger_scores, unseen.champion_scores)
        )
        scores.append(
            SliceScore(
                column=column,
                value=value,
                rows=len(rows),
                challenger=challenger,
                champion=champion,
                difference=defined(result.bounds.value),
                high=defined(result.bounds.high),
                confidence=result.confidence,
                harmed=result.harmed,
                missing=result.bounds.missing,
                adjusted=None if result.bounds.missing else result.bounds.adjusted,
            )
        )
    return tuple(scores)


def _judged(
    unseen: CandidateEvidence, overall: float | None, rows_of: dict[str, np.ndarray], config: ModelConfig
) -> dict[str, SliceBounds]:
    """Return the bounds of each slice: of the difference to the champion; without one, to the candidate overall."""
    gates, metric, seed = config.gates, config.triggers.performance.metric, config.training.seed
    if unseen.champion_scores is not None:
        rows = PairedRows(unseen.labels, unseen.champion_scores, unseen.challenger_scores, unseen.days)
        return slice_bounds(
            task_of(config),
            metric,
            rows,
            rows_of,
            margin=gates.max_slice_loss,
            confidence=gates.confidence,
            seed=seed,
            min_positives=gates.min_slice_positives,
        )
    bar = np.nan if overall is None else overall
    corrected = 1 - (1 - gates.confidence) / max(len(rows_of), 1)
    return {name: _to_overall(unseen, bar, rows, corrected, config) for name, rows in rows_of.items()}


def _to_overall(
    unseen: CandidateEvidence, overall: float, rows: np.ndarray, confidence: float, config: ModelConfig
) -> SliceBounds:
    """Return the bounds of one slice's difference to the candidate overall, whose own error is small."""
    counts = unseen.counts_by_day(unseen.challenger_scores, task_of(config), rows)
    of_slice = day_bounds(
        task_of(config),
        config.triggers.performance.metric,
        counts,
        confidence,
        config.training.seed,
        min_positives=config.gates.min_slice_positives,
    )
    value, low, high = (end - overall for end in (of_slice.value, of_slice.low, of_slice.high))
    bounds = DayBounds(value, low, high, of_slice.days, of_slice.missing, confidence, freedom=of_slice.freedom)
    return SliceBounds(bounds, confidence, harmed=value < -config.gates.max_slice_loss and high < 0)


def slice_gates(scores: tuple[SliceScore, ...], config: ModelConfig) -> Iterator[Gate]:
    """Yield one gate for each slice column: it blocks if a category is harmed; names those that cannot be judged."""
    margin = config.gates.max_slice_loss
    for column in config.gates.slices:
        own = [score for score in scores if score.column == column]
        judged = [score for score in own if score.missing is None and score.difference is not None]
        if not judged:
            required = f"{config.gates.min_slice_rows:,} rows with {task_of(config).min_distinct_text}"
            if any(score.missing == "few_positives" for score in own):
                required += f", {config.gates.min_slice_positives:,} of them with the rarer one"
            yield cannot_judge(f"slice_{column}", -margin, f"no {column} has {required}")
            continue
        weakest = min(judged, key=lambda score: (not score.harmed, score.difference))
        lacking = [score.value for score in own if score.missing is not None]
        sentence = _sentence(weakest, len(judged), lacking, config)
        harmed = any(score.harmed for score in judged)
        yield gate_result(f"slice_{column}", weakest.difference, -margin, passes=not harmed, sentence=sentence)


def _sentence(weakest: SliceScore, judged: int, lacking: list[str], config: ModelConfig) -> str:
    """Return the sentence of a slice gate."""
    metric, allowed = config.triggers.performance.metric, -config.gates.max_slice_loss
    value = wording.figure(metric, weakest.challenger or 0.0)
    lost, high, limit = (wording.change(metric, one or 0.0) for one in (weakest.difference, weakest.high, allowed))
    versus = "the candidate overall" if weakest.champion is None else "the champion on this slice"
    confidence = 100 * (weakest.confidence or config.gates.confidence)
    sentence = (
        f"The weakest of {judged} slices is {weakest.column} = {weakest.value}: {value} on {weakest.rows:,} rows, "
        f"{lost} compared with {versus} and, with {confidence:.3g}% confidence, at most {high}. "
        f"The gate blocks under {limit} if this bound is under 0."
    )
    if lacking:
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""  # noqa: PLR2004 - a readable line
        least = config.gates.min_slice_positives
        sentence += f" Cannot judge {', '.join(lacking[:3])}{more}: under {least:,} rows of the rarer label."
    return sentence
