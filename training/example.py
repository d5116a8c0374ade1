"""Synthetic rows with the distributions of the baseline, on which a model is tried wherever it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from core.config import Data
from monitoring.axes import Axis, NumericAxis
from monitoring.counting import Baseline

if TYPE_CHECKING:
    import pandas as pd


def synthetic_rows(baseline: Baseline, data: Data, n: int = 64, *, seed: int) -> pd.DataFrame:
    """Return `n` rows of features, each column drawn on its own from the baseline's counts of bins, levels and nulls.

    No row of the table is copied: rare values are not in the counts, and columns are drawn independently.
    """
    import pandas as pd

    from training.frame import features

    columns = {
        name: _draw(baseline.axes[name], baseline.total(name), n, np.random.default_rng([seed, position]))
        for position, name in enumerate(data.features)
    }
    return features(pd.DataFrame(columns), data)


def _draw(axis: Axis, counts: np.ndarray[Any, Any], n: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return values of a column; all null if nothing was counted."""
    weights = np.append(counts[: axis.bins], counts[axis.null]).astype(np.float64)
    if not weights.any():
        weights[-1] = 1.0
    cells = rng.choice(axis.bins + 1, size=n, p=weights / weights.sum())
    null = cells == axis.bins
    if isinstance(axis, NumericAxis):
        edges, bins, fraction = axis.edges(), np.where(null, 0, cells), rng.random(n)
        return np.where(null, np.nan, (1 - fraction) * edges[bins] + fraction * edges[bins + 1])
    return np.array([*axis.levels, None], dtype=object)[cells]
