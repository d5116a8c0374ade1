"""The estimator for flights. This is the only Python file of a model that its owner writes.

`mlops train` calls `build`, fits the estimator, and calls its `predict_proba`.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from core.config import ModelConfig

# Trees compare values. A missing value becomes one below all others, because as NaN a column that is missing in every
# row could not be fitted.
PLACES = {"nan": -2e30, "neginf": -1e30, "posinf": 1e30}


def build(config: ModelConfig) -> BaseEstimator:
    """Return gradient-boosted trees behind an encoder, not fitted.

    Takes a frame with the columns of `config.data.features`, the numeric ones as floats; other columns are ignored.
    Missing and infinite numbers, and categories not seen in training, are scored too.
    """
    numbers = FunctionTransformer(np.nan_to_num, kw_args=PLACES)
    # Rare and unseen categories share one column. (`categorical_features` of the trees would put functools.partial
    # into the model file, which must not be on the list of allowed types.)
    flags = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=50, max_categories=100, sparse_output=False
    )
    columns = ColumnTransformer(
        [("numeric", numbers, list(config.data.numeric)), ("categorical", flags, list(config.data.categorical))]
    )
    trees = HistGradientBoostingClassifier(
        max_iter=60,
        max_leaf_nodes=15,
        min_samples_leaf=50,
        class_weight="balanced",  # one flight in four is late, and both labels matter
        early_stopping=False,
        random_state=config.training.seed,
    )
    return make_pipeline(columns, trees)
