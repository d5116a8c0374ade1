"""Evidently's drift preset on simulated nights, run in its own environment. usage: ask_evidently.py FOLDER ..."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import pandas as pd

warnings.filterwarnings("ignore")

from evidently import Report  # noqa: E402 - it warns when it is imported
from evidently.presets import DataDriftPreset  # noqa: E402

HALF = 0.5  # of the columns: its dataset drift


def columns(folder: Path) -> tuple[int, float]:
    """Return how many columns Evidently reports as drifted, and their share of all columns."""
    old, new = (pd.read_parquet(folder / f"{name}.parquet") for name in ("baseline", "window"))
    report = Report([DataDriftPreset()]).run(new, old).dict()
    count = next(m["value"] for m in report["metrics"] if isinstance(m["value"], dict) and "share" in m["value"])
    return int(count["count"]), float(count["share"])


drifted = [columns(Path(folder)) for folder in sys.argv[1:]]
print(
    json.dumps(
        {
            "any": sum(count > 0 for count, _ in drifted) / len(drifted),
            "dataset": sum(share >= HALF for _, share in drifted) / len(drifted),
            "columns": sum(count for count, _ in drifted) / len(drifted),
        }
    )
)
