"""Gain and cost of a policy, as formulas over the nights of a replay, and the aims for a good policy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.replay_result import OF_DATA, NightSummary, PolicyResult

ALARM, RECOVERED, THIRD = 14, 0.8, 3


@dataclass(frozen=True)
class Outcome:
    """One policy on one stream.

    `auc`: mean of the area under the curve by weeks, as `result.mean`. `delay`, `recovery`: see the functions; None
    also if no change is known. `of_data`: retrainings on nights on which performance or drift fired. `drift_after`:
    nights after the change on which drift fired.
    """

    result: PolicyResult
    auc: float | None
    delay: int | None
    recovery: float | None
    of_data: int
    drift_after: int | None


def delay(nights: Sequence[NightSummary], truth: dt.date) -> int | None:
    """Return the nights from the change to the first later night on which the performance trigger fired. None: never.

    A nightly run sees only earlier days. If labels came at once, 1 would be the first night that can see a changed row.
    """
    alarms = [night.date for night in nights if night.date > truth and "performance" in night.fired]
    return (alarms[0] - truth).days if alarms else None


def recovery(
    nights: Sequence[NightSummary], never: Sequence[NightSummary], weekly: Sequence[NightSummary], truth: dt.date | None
) -> float | None:
    """Return the recovery of a policy after the change, as a share of the recovery by weekly retraining.

    ```text
    R = sum over nights after the truth (m - m_never) / sum over nights after the truth (m_weekly - m_never)
    ```

    m: the metric over the seven days before a night. A night is left out if one of the three has no metric. R is 0 for
    never, 1 for weekly, and over 1 for a better policy. None if weekly retraining wins nothing.
    """
    weeks = [[night.week for night in policy] for policy in (nights, never, weekly)]
    dates = [night.date for night in nights]
    metrics = [
        (mine, low, high)
        for date, mine, low, high in zip(dates, *weeks, strict=True)
        if truth is not None and date > truth and mine is not None and low is not None and high is not None
    ]
    won = sum(high - low for _, low, high in metrics)
    return sum(mine - low for mine, low, _ in metrics) / won if won > 0 else None


def of_data(nights: Sequence[NightSummary]) -> int:
    """Return the number of retrainings, without the first one, on nights on which more than age fired."""
    return sum(night.retrained and not night.first and bool(OF_DATA & set(night.fired)) for night in nights)


def drift_after(nights: Sequence[NightSummary], truth: dt.date | None) -> int | None:
    """Return the number of nights after the change on which drift fired."""
    return None if truth is None else sum(night.date > truth and "drift" in night.fired for night in nights)


def aims(stream: str, outcomes: dict[str, Outcome]) -> dict[str, bool]:
    """Return the aims for the model's own policy on a stream, and whether each is reached; empty if there are none."""
    own, weekly, monthly = (outcomes[name] for name in ("default", "weekly", "monthly"))
    if stream == "stationary":
        return {"no retrain but by age": own.of_data == 0}
    if stream == "irrelevant":
        return {
            "no performance alarm": own.result.alarms.performance == 0,
            "the drift is reported": bool(own.drift_after),
        }
    if stream == "abrupt":
        return {
            f"performance fires within {ALARM} nights": own.delay is not None and own.delay <= ALARM,
            f"recovery at least {RECOVERED:.0%} of weekly's": own.recovery is not None and own.recovery >= RECOVERED,
            "at most a third of weekly's retrains": own.result.retrains * THIRD <= weekly.result.retrains,
        }
    if stream == "flights":
        return {
            "AUC at least that of monthly": None not in {own.auc, monthly.auc} and own.auc >= monthly.auc,  # type: ignore[operator]
            "no more retrains than monthly": own.result.retrains <= monthly.result.retrains,
        }
    return {}


def mean(values: Sequence[float | int | None]) -> float | None:
    """Return the mean of the values that are not None; None if there are none."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None
