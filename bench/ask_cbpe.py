"""NannyML's confidence-based performance estimation, run in its own environment.

usage: ask_cbpe.py FILE CHUNKS

The Parquet file has `score`, `label` and `part`: the reference rows, and the rows to estimate the accuracy of.
"""

from __future__ import annotations

import json
import sys
import warnings

warnings.simplefilter("ignore")

import nannyml  # noqa: E402 - it warns when it is imported
import pandas as pd  # noqa: E402

rows = pd.read_parquet(sys.argv[1])
rows["named"] = (rows["score"] >= 0.5).astype(int)  # noqa: PLR2004 - the threshold
estimator = nannyml.CBPE(
    y_pred_proba="score",
    y_pred="named",
    y_true="label",
    metrics=["accuracy"],
    problem_type="classification_binary",
    chunk_number=int(sys.argv[2]),
)
estimator.fit(rows[rows["part"] == "reference"])
result = estimator.estimate(rows[rows["part"] == "analysis"]).filter(period="analysis").to_df()
print(json.dumps(result["accuracy", "value"].tolist()))
