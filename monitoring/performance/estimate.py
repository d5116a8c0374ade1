"""Estimate of the score of the model in service on rows without labels, from its calibrated scores."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from core.arrow import Floats
from core.config import ModelConfig
from core.records import Record
from monitoring.counting import Window
from monitoring.tasks import CELLS, METRICS, Calibration, evaluate


class Estimate(Record):
    """The metric that is expected on the days `start` <= day < `end` if scores are still calibrated.

    `rows`: scored rows of these days, labelled or not. `others`: all metrics that are defined. `matured`: the estimate
    on exactly the rows of the performance report, for comparison with its value. Estimated from
    the scores alone, so blind to what changes between features and label (concept drift); and a change in who is
    scored shifts it only as far as the scores show it.
    """

    metric: str
    start: dt.date
    end: dt.date
    rows: int
    value: float | None
    others: dict[str, float]
    matured: float | None
    calibration: Calibration


def estimate_report(
    window: Window,
    config: ModelConfig,
    calibration: Calibration,
    leave_out: Collection[dt.date],
    matured_days: int | None = None,
) -> Estimate:
    """Return the estimate on the days before the run that the performance trigger uses, except those in `leave_out`.

    As confidence-based performance estimation does (NannyML): each row counts as 1 by its chance and as 0 by the rest,
    and metrics are those of the expected counts. For accuracy that is the expectation itself, for ratios of counts it
    is exact up to terms of 1 / rows. `matured_days`: days of the performance report (default: those of the trigger).
    """
    trigger, threshold = config.triggers.performance, config.training.threshold
    late = window.end - dt.timedelta(days=config.training.maturity_days)
    newest = _scores(window, trigger.window_days, window.end, leave_out)
    mature = _scores(window, matured_days or trigger.window_days, late, leave_out)
    expected = expected_counts(newest.sum(axis=1), calibration)
    values = {name: float(evaluate(name, expected, threshold)) for name in METRICS}
    labelled = expected_counts(mature[:, :2].sum(axis=1), calibration)
    return Estimate(
        metric=trigger.metric,
        start=window.end - dt.timedelta(days=trigger.window_days),
        end=window.end,
        rows=int(newest.sum()),
        value=_defined(values[trigger.metric]),
        others={name: value for name, value in values.items() if not math.isnan(value)},
        matured=_defined(float(evaluate(trigger.metric, labelled, threshold))),
        calibration=calibration,
    )


def expected_counts(rows: NDArray[np.int64], calibration: Calibration) -> Floats:
    """Return expected rows by score cell and label, shape (cells, 2), of rows by score cell."""
    chances = calibration.chances(len(rows))
    return np.stack([rows * (1 - chances), rows * chances], axis=1)


def _scores(window: Window, days: int, end: dt.date, leave_out: Collection[dt.date]) -> NDArray[np.int64]:
    """Return rows by score cell and label (0, 1, none) of `days` days before `end`."""
    counted = [day.scores.array for day in window.last(days, end) if day.date not in leave_out]
    return sum(counted, np.zeros((CELLS, 3), np.int64))


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value
