"""The latency of a model: processor time of a single row, corrected for the speed of the machine."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from training import scoring_method

if TYPE_CHECKING:
    import pandas as pd

# A single row through `reference_model`, on one core of the machine on which the defaults were chosen.
REFERENCE_MS = 4.0


@functools.cache
def reference_model() -> tuple[Any, pd.DataFrame]:
    """Return a fitted scikit-learn pipeline of fixed size, and a row for it.

    It scales eight numbers, encodes a category and predicts with a logistic regression, as small models do.
    """
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [f"n{place}" for place in range(8)]
    values = np.random.default_rng(0).normal(size=(200, len(numbers)))
    rows = pd.DataFrame(values, columns=numbers).assign(c=np.tile(list("abcd"), 50))
    columns = ColumnTransformer([("numbers", StandardScaler(), numbers), ("category", OneHotEncoder(), ["c"])])
    return make_pipeline(columns, LogisticRegression()).fit(rows, values[:, 0] > 0), rows.iloc[[0]]


def latency_p95(
    estimator: Any,
    rows: pd.DataFrame,
    calls: int = 5,
    reference: tuple[Any, pd.DataFrame] | None = None,
    clock: Callable[[], float] = time.process_time,
) -> float:
    """Return the 95th percentile over `rows` of the processor time to score a single row on one core, in milliseconds.

    Each row is scored `calls` times and the fastest call counts. Every call is followed by one of the reference model,
    and the result is multiplied by `REFERENCE_MS` over the median time of the reference model. A busy or slow runner
    therefore does not block a model. The first calls, which may load and compile, do not count.
    """
    from threadpoolctl import threadpool_limits

    single_rows = [rows.iloc[[position]] for position in range(len(rows))]
    standard, standard_row = reference or reference_model()
    predict, predict_standard = (
        getattr(estimator, scoring_method(estimator)),
        getattr(standard, scoring_method(standard)),
    )

    def seconds() -> Iterator[tuple[float, float]]:
        for row in single_rows:
            for _ in range(calls):
                start = clock()
                predict(row)
                between = clock()
                predict_standard(standard_row)
                yield between - start, clock() - between

    with threadpool_limits(1):
        predict(single_rows[0])
        predict_standard(standard_row)
        times = np.array([*seconds()]).reshape(len(single_rows), calls, 2)
    slowness = float(np.median(times[..., 1])) / (REFERENCE_MS / 1000)
    return 1000 * float(np.quantile(times[..., 0].min(axis=1), 0.95)) / slowness
