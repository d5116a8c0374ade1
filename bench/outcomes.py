"""Say what a policy brought and cost, as formulas over the nights of a replay, and what is expected of a good one."""

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

    `auc`: mean of the area under the curve, in weeks as `result.mean` is. `delay`, `recovery`: see below; None also
    without a truth. `of_data`: retrains on nights on which performance or drift fired. `drift_after`: nights after the
    truth on which drift fired.
    """

    result: PolicyResult
    auc: float | None
    delay: int | None
    recovery: float | None
    of_data: int
    drift_after: int | None


def delay(nights: Sequence[NightSummary], truth: dt.date) -> int | None:
    """Nights from the truth to the first later one on which labels rang: the performance trigger fired. None: never.

    A night sees only days before it, so 1 would be the first that can see a row of the change, were labels at once.
    """
    rang = [night.date for night in nights if night.date > truth and "performance" in night.fired]
    return (rang[0] - truth).days if rang else None


def recovery(
    nights: Sequence[NightSummary], never: Sequence[NightSummary], weekly: Sequence[NightSummary], truth: dt.date | None
) -> float | None:
    """What a policy won back after the change, as a share of what weekly retraining won back.

    ```text
    R = sum over nights after the truth (m - m_never) / sum over nights after the truth (m_weekly - m_never)
    ```

    m: the metric over the seven days before a night. Nights on which one of the three has none are left out. R is 0 for
    never, 1 for weekly, over 1 for what is better. None where weekly retraining wins nothing.
    """
    weeks = [[night.week for night in policy] for policy in (nights, never, weekly)]
    dates = [night.date for night in nights]
    told = [
        (mine, low, high)
        for date, mine, low, high in zip(dates, *weeks, strict=True)
        if truth is not None and date > truth and mine is not None and low is not None and high is not None
    ]
    won = sum(high - low for _, low, high in told)
    return sum(mine - low for mine, low, _ in told) / won if won > 0 else None


def of_data(nights: Sequence[NightSummary]) -> int:
    """Retrains, the first one left out, on nights on which more than age fired."""
    return sum(night.retrained and not night.first and bool(OF_DATA & set(night.fired)) for night in nights)


def drift_after(nights: Sequence[NightSummary], truth: dt.date | None) -> int | None:
    """Nights after the truth on which drift fired."""
    return None if truth is None else sum(night.date > truth and "drift" in night.fired for night in nights)


def aims(stream: str, found: dict[str, Outcome]) -> dict[str, bool]:
    """What is expected of the model's own policy on a stream, and whether it holds; empty where nothing is."""
    own, weekly, monthly = (found[name] for name in ("default", "weekly", "monthly"))
    if stream == "stationary":
        return {"no retrain but by age": own.of_data == 0}
    if stream == "irrelevant":
        return {
            "no performance alarm": own.result.alarms.performance == 0,
            "the drift is reported": bool(own.drift_after),
        }
    if stream == "abrupt":
        return {
            f"labels ring within {ALARM} nights": own.delay is not None and own.delay <= ALARM,
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
    """Of those that there are; None where there is none."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None
