"""Comparison of scores and labels with the holdout: either may change although no feature does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.config import ModelConfig
from monitoring.axes import Axis, NumericAxis
from monitoring.counting import Holdout, Window
from monitoring.drift.comparison import ColumnDays, ReferenceColumn
from monitoring.drift.report import ColumnDrift, DriftReport, judge_columns
from monitoring.tasks import task_of

SCORE, TARGET = "score", "target"


def with_outcomes(
    report: DriftReport, holdout: Holdout, window: Window, config: ModelConfig, leave_out: Collection[dt.date]
) -> DriftReport:
    """Return the report with the scores of the window, and the labels of as many days whose labels are complete.

    Each is a column with a correction of its own, so that it costs the features no power; None if it has fewer than
    `triggers.drift.min_rows` rows.
    """
    task, mature = task_of(config), window.end - dt.timedelta(days=config.training.maturity_days)
    baseline = [day.counts.array for day in holdout.days]
    scored, true = (_counts(window, config, end, leave_out) for end in (window.end, mature))
    outcomes = {
        SCORE: _judged(SCORE, task.score_axis, map(task.by_score, baseline), map(task.by_score, scored), config),
        TARGET: _judged(
            TARGET, task.label_axis, map(task.by_label, baseline), (task.by_label(day[:, :-1]) for day in true), config
        ),
    }
    return report.model_copy(update=outcomes)


def _counts(
    window: Window, config: ModelConfig, end: dt.date, leave_out: Collection[dt.date]
) -> list[NDArray[np.int64]]:
    days = window.last(config.triggers.drift.window_days, end)
    return [day.scores.array for day in days if day.date not in leave_out]


def _judged(name: str, axis: Axis, before: Any, after: Any, config: ModelConfig) -> ColumnDrift | None:
    past, now = side_of(axis, list(before)), side_of(axis, list(after))
    if now.rows.sum() < config.triggers.drift.min_rows:
        return None
    return judge_columns([(ReferenceColumn(name, axis, past), now)], len(now.rows), config.triggers.drift, newest=True)[
        0
    ]


def side_of(axis: Axis, days: Sequence[NDArray[np.int64]]) -> ColumnDays:
    """Return days of rows by bin of an axis as a column without nulls and infinities; empty days are left out."""
    some = [day for day in days if day.any()]
    values = np.array(some, np.int64).reshape(len(some), axis.bins)
    rows = values.sum(axis=1)
    beyond = (1, 1) if isinstance(axis, NumericAxis) else (0, 1)
    return ColumnDays(np.pad(values, ((0, 0), beyond)), np.stack([rows, np.zeros_like(rows)], axis=1))
