"""Make rows that look like those of the baseline and are none of them, to try a model out wherever it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from core.config import Data
from monitoring.axes import Axis, NumericAxis
from monitoring.counting import Baseline

if TYPE_CHECKING:
    import pandas as pd


def synthetic_rows(baseline: Baseline, data: Data, n: int = 64, *, seed: int) -> pd.DataFrame:
    """`n` rows of features, each column drawn by itself from how often the baseline has each bin, level and null.

    Values that few rows have are not copied, and what stands in one row was never together in one.
    """
    import pandas as pd

    from training.frame import features

    columns = {
        name: _draw(baseline.axes[name], baseline.total(name), n, np.random.default_rng([seed, place]))
        for place, name in enumerate(data.features)
    }
    return features(pd.DataFrame(columns), data)


def _draw(axis: Axis, counts: np.ndarray[Any, Any], n: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Values of a column; null where nothing else was counted."""
    weights = np.append(counts[: axis.bins], counts[axis.null]).astype(np.float64)
    if not weights.any():
        weights[-1] = 1.0
    cells = rng.choice(axis.bins + 1, size=n, p=weights / weights.sum())
    null = cells == axis.bins
    if isinstance(axis, NumericAxis):
        edges, bins = axis.edges(), np.where(null, 0, cells)
        place = rng.random(n)
        return np.where(null, np.nan, (1 - place) * edges[bins] + place * edges[bins + 1])
    return np.array([*axis.levels, None], dtype=object)[cells]
