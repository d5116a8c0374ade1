"""What a model says and what comes true are held against its holdout, for every task alike."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from core.config.model import ModelConfig
from monitoring.counting.counts import Counts
from monitoring.counting.holdout import holdout_of
from monitoring.counting.tally import DayTally
from monitoring.counting.window import Window
from monitoring.drift.outcomes import with_outcomes
from monitoring.drift.report import DriftReport
from monitoring.tasks.select import task_of

DAY = dt.timedelta(days=1)
TODAY = dt.date(2013, 3, 12)
ROWS = 200
QUIET = DriftReport(nights=(), fired_nights=0, adjusted=True)
# What distinguishes the tasks: settings, and two things that can be said or come true.
TASKS: dict[str, tuple[dict[str, Any], tuple[float, float], tuple[float, float]]] = {
    "binary": ({}, (0.2, 0.8), (0, 1)),
    "multiclass": ({"classes": ("a", "b", "c")}, (0, 2), (0, 2)),
    "regression": ({"label_range": (0.0, 10.0)}, (1.0, 9.0), (1.0, 9.0)),
}


def config(task: str, **drift: Any) -> ModelConfig:
    """A model whose labels are known after two days, with a window of seven."""
    return ModelConfig.model_validate(
        {
            "name": "m",
            "task": task,
            "registry_name": "m",
            "data": {"source": "rows.db", "numeric": ("x",), **TASKS[task][0]},
            "triggers": {
                "performance": {"metric": "r2" if task == "regression" else "accuracy"},
                "drift": {"min_rows": 100, "min_effect": 0.1, **drift},
            },
        }
    )


def rows(task: str, said: float, true: float) -> tuple[np.ndarray, np.ndarray]:
    """Answers and labels of a day, of which these shares are the first of the two things."""
    _, answers, labels = TASKS[task]
    place = np.arange(ROWS)
    return np.where(place < said * ROWS, *answers), np.where(place % 10 < 10 * true, *labels)


def found(task: str, said: float, true: float, *, broken: int = 0, **drift: Any) -> DriftReport:
    """Ten days whose answers and labels have these shares, against twelve with halves; the last `broken` left out."""
    settings = config(task, **drift)
    made = task_of(settings)
    answers, labels = rows(task, 0.5, 0.5)
    dates = [TODAY - (60 - day) * DAY for day in range(12)]
    holdout = holdout_of(np.repeat(dates, ROWS).tolist(), np.tile(labels, 12), np.tile(answers, 12), made)
    answers, labels = rows(task, said, true)
    counts = np.zeros(made.shape, np.int64)
    counts[:, :-1] = made.counted(labels, answers)
    days = tuple(tally(TODAY - ago * DAY, counts) for ago in range(10, 0, -1))
    window = Window(
        model="m",
        version=1,
        as_of=dt.datetime(2013, 3, 12, 6, tzinfo=dt.UTC),
        start=days[0].date,
        end=TODAY,
        days=days,
        missing=(),
        future_rows=0,
        quality=None,
    )
    return with_outcomes(QUIET, holdout, window, settings, {TODAY - ago * DAY for ago in range(1, broken + 1)})


def tally(date: dt.date, scores: np.ndarray) -> DayTally:
    """A day without features."""
    return DayTally(date=date, rows=ROWS, duplicates=0, columns={}, scores=Counts(scores), unscored=0, bad_labels=0)


@pytest.mark.parametrize("task", TASKS)
def test_what_moved_is_told_from_what_stayed(task: str) -> None:
    """Scores and labels are two columns: either may move alone, by its distance from the holdout."""
    scores, labels = found(task, 0.3, 0.5), found(task, 0.5, 0.3)

    assert scores.score is not None
    assert scores.target is not None
    assert (pytest.approx(0.2), True, 1400) == (scores.score.effect, scores.score.drifted, scores.score.rows)
    assert (0.0, False, 1400) == (scores.target.effect, scores.target.drifted, scores.target.rows)
    assert labels.score is not None
    assert labels.target is not None
    assert (0.0, False) == (labels.score.effect, labels.score.drifted)
    assert (pytest.approx(0.2), True) == (labels.target.effect, labels.target.drifted)
    assert ("score", "target") == (labels.score.column, labels.target.column)
    assert (2, 2) == (len(labels.score.bars), len(labels.target.bars))
    assert (0, ()) == (labels.fired_nights, labels.nights)


def test_labels_are_those_of_days_that_all_labels_are_known_of() -> None:
    """With two days to mature, the scores' window ends two days after the labels'; broken days are in neither."""
    report = found("binary", 0.3, 0.3, broken=3)

    assert report.score is not None
    assert report.target is not None
    assert (4 * ROWS, 6 * ROWS) == (report.score.rows, report.target.rows)


@pytest.mark.parametrize("task", TASKS)
def test_too_few_rows_are_not_judged(task: str) -> None:
    """A version that is new in service has said little."""
    enough, few = (found(task, 0.3, 0.3, min_rows=least) for least in (1400, 1401))

    assert enough.score is not None
    assert enough.target is not None
    assert (None, None) == (few.score, few.target)
