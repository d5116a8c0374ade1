"""Ask each rule about the same simulated night: ours, ours without its floor, plain Holm, and the article's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogorov

from bench.nights import AXES, BASELINE, seen
from core.config import DriftTrigger
from monitoring.drift import ColumnDrift, drift_report
from monitoring.tally import DayTally

DEFAULT = DriftTrigger()
ARTICLE = 0.05
RULES = ("ours", "ours, no floor", "plain Holm", "article")


def verdicts(days: Sequence[DayTally], length: int) -> dict[str, bool]:
    """Which rules cry drift on the last of these nights, with a window of `length` days."""
    baseline, window = seen(days)
    # One report serves two rules: without floor, and nulls apart, so that the default floor can be laid on either.
    asked = DEFAULT.model_copy(update={"window_days": length, "nights": (1, 1), "min_effect": 0.0, "nulls": "show"})
    found = drift_report(baseline, window, asked, ()).nights[-1].columns
    plain = drift_report(baseline, window, asked.model_copy(update={"rule": "plain"}), ()).nights[-1].columns
    return {
        "ours": any(_matters(column) for column in found),
        "ours, no floor": any(column.drifted or column.null_drifted for column in found),
        "plain Holm": any(_below(column.p_value) or _below(column.null_p_value) for column in plain),
        "article": _article(days, length),
    }


def _below(p_value: float | None) -> bool:
    return p_value is not None and p_value < DEFAULT.alpha


def _matters(column: ColumnDrift) -> bool:
    """The verdict of the default settings, from what was found without a floor."""
    moved = abs(column.null_window - column.null_baseline)
    return (column.drifted and column.effect >= DEFAULT.min_effect) or (
        column.null_drifted and moved >= DEFAULT.min_effect
    )


def _article(days: Sequence[DayTally], length: int) -> bool:
    """A two-sample test of Kolmogorov and Smirnov at 0.05 on every column, text in alphabetical order.

    A column with a null is silent, as `ks_2samp` answers NaN. Counted in 100 cells the distance of a numeric column is
    a little too small, so this rings rather too seldom than too often.
    """
    old, new = days[:BASELINE], days[-length:]
    pairs = [(_total(old, name), _total(new, name), axis.null) for name, axis in AXES.items()]
    return any(_ks(a, b) < ARTICLE for a, b, null in pairs if not a[null] + b[null])


def _total(days: Sequence[DayTally], name: str) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.sum([day.columns[name].counts.array for day in days], axis=0)
    return total


def _ks(old: NDArray[np.int64], new: NDArray[np.int64]) -> float:
    before, after = old.sum(), new.sum()
    distance = np.abs(np.cumsum(old) / before - np.cumsum(new) / after).max()
    return float(kolmogorov(np.sqrt(before * after / (before + after)) * distance))
