"""NannyML's univariate calculator on simulated nights, run in its own environment. usage: ask_nannyml.py FOLDER ..."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path

import pandas as pd

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

import nannyml  # noqa: E402 - it warns when it is imported


def columns(folder: Path) -> int:
    """Return how many columns alert in any chunk of the window, with the default chunks."""
    old, new = (pd.read_parquet(folder / f"{name}.parquet") for name in ("baseline", "window"))
    calculator = nannyml.UnivariateDriftCalculator(column_names=list(old.columns)).fit(old)
    results = calculator.calculate(new).filter(period="analysis").to_df()
    alerts = results.loc[:, [name for name in results.columns if name[-1] == "alert"]]
    return int(alerts.any().sum())


alerting = [columns(Path(folder)) for folder in sys.argv[1:]]
# NannyML gives no verdict on the whole table, so any alert counts as one.
share = sum(count > 0 for count in alerting) / len(alerting)
print(json.dumps({"any": share, "dataset": share, "columns": sum(alerting) / len(alerting)}))
