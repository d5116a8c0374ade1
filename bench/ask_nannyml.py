"""Ask NannyML's univariate calculator about nights; runs in its own environment. usage: ask_nannyml.py FOLDER ..."""

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
    """How many columns alert in some chunk of the window, with the chunks that it makes by default."""
    old, new = (pd.read_parquet(folder / f"{name}.parquet") for name in ("baseline", "window"))
    calculator = nannyml.UnivariateDriftCalculator(column_names=list(old.columns)).fit(old)
    told = calculator.calculate(new).filter(period="analysis").to_df()
    alerts = told.loc[:, [name for name in told.columns if name[-1] == "alert"]]
    return int(alerts.any().sum())


found = [columns(Path(folder)) for folder in sys.argv[1:]]
# It has no verdict on the whole: any alert is one.
share = sum(count > 0 for count in found) / len(found)
print(json.dumps({"any": share, "dataset": share, "columns": sum(found) / len(found)}))
