"""Four drift rules on one simulated night: the template's with and without min_effect, plain Holm, the article's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogorov

from bench.nights import BASELINE, seen
from core.config import DriftTrigger
from monitoring.axes import Axis
from monitoring.counting import DayTally
from monitoring.drift import drift_report

DEFAULT = DriftTrigger()
ARTICLE = 0.05
RULES = ("mlops", "mlops, no floor", "plain Holm", "article")


def verdicts(days: Sequence[DayTally], axes: Mapping[str, Axis], length: int) -> dict[str, bool]:
    """Return which rules report drift on the last of these nights, with a window of `length` days."""
    baseline, window = seen(days, axes)
    default = DEFAULT.model_copy(update={"window_days": length, "nights": (1, 1)})
    settings = {
        "mlops": default,
        "mlops, no floor": default.model_copy(update={"min_effect": 0.0}),
        "plain Holm": default.model_copy(update={"min_effect": 0.0, "rule": "plain"}),
    }
    fired = {name: drift_report(baseline, window, config, ()).fired_nights == 1 for name, config in settings.items()}
    return {**fired, "article": _article(days, axes, length)}


def _article(days: Sequence[DayTally], axes: Mapping[str, Axis], length: int) -> bool:
    """Return whether a two-sample Kolmogorov-Smirnov test at 0.05 fires on any column; text is in alphabetical order.

    A column with a null never fires, because `ks_2samp` returns NaN. Counted in 100 cells, the distance of a numeric
    column is slightly too small, so this rule fires rather too rarely than too often.
    """
    old, new = days[:BASELINE], days[-length:]
    pairs = [(_total(old, name), _total(new, name), axis.null) for name, axis in axes.items()]
    return any(_ks(a, b) < ARTICLE for a, b, null in pairs if not a[null] + b[null])


def _total(days: Sequence[DayTally], name: str) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.sum([day.columns[name].counts.array for day in days], axis=0)
    return total


def _ks(old: NDArray[np.int64], new: NDArray[np.int64]) -> float:
    before, after = old.sum(), new.sum()
    distance = np.abs(np.cumsum(old) / before - np.cumsum(new) / after).max()
    return float(kolmogorov(np.sqrt(before * after / (before + after)) * distance))
