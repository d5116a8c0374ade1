"""Let no group of rows pay for a better mean: a candidate is held against the champion in each category."""

from __future__ import annotations

from collections.abc import Iterator

from core.config import ModelConfig
from core.records import Record
from model.evidence import Evidence
from model.gates import Gate, cannot_judge, defined, gate, several
from monitoring import phrases
from monitoring.tasks import task_of


class SliceScore(Record):
    """The metric of the performance trigger on the rows of one category."""

    column: str
    value: str
    rows: int
    challenger: float | None
    champion: float | None


def scores(unseen: Evidence, config: ModelConfig) -> Iterator[SliceScore]:
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
            yield cannot_judge(
                f"slice_{column}", -margin, f"no {column} has {config.gates.min_slice_rows} rows with {several(config)}"
            )
            continue
        loss, value, lowest = min(pairs, key=lambda pair: pair[0])
        said, (lost, allowed) = phrases.figure(metric, value), (phrases.change(metric, one) for one in (loss, -margin))
        against = "the candidate overall" if lowest.champion is None else "the champion there"
        sentence = (
            f"The weakest of {len(pairs)} is {column} = {lowest.value}: {said} on {lowest.rows} rows, "
            f"{lost} against {against}, {allowed} is allowed."
        )
        yield gate(f"slice_{column}", loss, -margin, good=loss >= -margin, sentence=sentence)
