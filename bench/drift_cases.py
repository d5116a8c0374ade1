"""The programs that `bench.drift` compares; one of them runs alone in this process.

usage: python -m bench.drift_cases mlops|reading|article|article_numbers SOURCE FOLDER

mlops: what `mlops pull` and `mlops check` do with a window: read the stored baseline, open the source, read and count
all days (features, ids, times, scores, labels), evaluate all triggers, write the decision. MLflow, Great Expectations
and the command line are left out, because their cost does not depend on the number of rows.
reading: pyarrow reads the same columns of the same files in batches and sums them (of texts, it sums the lengths).
article: pandas reads the baseline and the window, then runs `scipy.stats.ks_2samp` on each column.
article_numbers: the same without columns of text.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import process

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from monitoring.counting import Baseline, DayTally

ROOT = Path(__file__).parent.parent
ALPHA = 0.05


def mlops(source: str, folder: Path) -> dict[str, Any]:
    """Return the number of rows and the drifted columns."""
    from bench.drift_data import AS_OF, config
    from monitoring.counting import Baseline, build_window
    from monitoring.triggers import History, decide

    settings = config()
    baseline = Baseline.read(folder / "baseline.json")
    days, columns, start = counted(source, baseline)
    window = build_window(settings, 1, AS_OF, days, columns)
    past = History.of(AS_OF, (1, start), promoted=(), trainings=(), candidates=(), open_proposal=None)
    decision = decide(settings, window, baseline, past, None)
    decision.write(folder / "decision.json")
    return {
        "rows": sum(day.rows for day in days),
        "drifted": decision.drift.nights[-1].drifted if decision.drift else (),
    }


def counted(source: str, baseline: Baseline) -> tuple[tuple[DayTally, ...], Mapping[str, str], dt.datetime]:
    """Return the days of the window, the columns of the source, and the start of the first day."""
    import numpy as np

    from bench.drift_data import AS_OF, config
    from monitoring.counting import count, days_needed
    from monitoring.sources import open_source

    settings = config()
    rows = open_source(source, settings.data, ROOT)
    names = [*settings.data.features, *settings.data.roles]
    start = AS_OF - np.timedelta64(days_needed(settings), "D").item()
    batches = rows.batches(names, start, None)
    return count(batches, baseline.axes, settings.data.columns, version="1", as_of=AS_OF), rows.columns, start


def distances(source: Path, folder: Path) -> dict[str, float]:
    """Return the distance of each numeric column over the whole window, which a nightly run does not need."""
    from bench.drift_data import NUMERIC
    from monitoring.counting import Baseline
    from monitoring.drift import ReferenceColumn, column_days

    baseline = Baseline.read(folder / "baseline.json")
    days = counted(str(source), baseline)[0]
    pairs = {
        name: ReferenceColumn.of(baseline, name).compare(column_days(baseline.axes[name], name, days), nightly=False)
        for name in NUMERIC
    }
    return {name: pair.effect for name, pair in pairs.items() if pair}


def reading(source: str, _folder: Path) -> dict[str, Any]:
    """Return the number of rows and the sum of all values."""
    import pyarrow.compute as pc
    from pyarrow import parquet, types

    rows, total = 0, 0.0
    for file in sorted(Path(source).iterdir()):
        for batch in parquet.ParquetFile(file).iter_batches():
            rows += batch.num_rows
            for column in batch.columns:
                plain = column.view("int64") if types.is_timestamp(column.type) else column
                total += pc.sum(pc.binary_length(plain) if types.is_string(plain.type) else plain).as_py()
    return {"rows": rows, "total": total}


def article(source: str, _folder: Path, *, texts: bool = True) -> dict[str, Any]:
    """Return rows, the columns that drifted at the 5% level, and the exact distances."""
    import pandas as pd
    from scipy.stats import ks_2samp

    old, new = (pd.read_parquet(Path(source) / f"{name}.parquet") for name in ("baseline", "window"))
    tests = {name: ks_2samp(old[name], new[name]) for name in old.columns if texts or name.startswith("n")}
    return {
        "rows": len(new),
        "drifted": [name for name, test in tests.items() if test.pvalue < ALPHA],
        "distances": {name: float(test.statistic) for name, test in tests.items() if name.startswith("n")},
    }


def article_numbers(source: str, folder: Path) -> dict[str, Any]:
    """Return the same as `article`, without columns of text."""
    return article(source, folder, texts=False)


if __name__ == "__main__":
    if sys.argv[1] == "mlops":  # as `mlops pull` and `mlops check` do; the others run as they are
        process.limit_blas_threads()
        process.reduce_gc()
    run = {"mlops": mlops, "reading": reading, "article": article, "article_numbers": article_numbers}[sys.argv[1]]
    print(json.dumps(run(sys.argv[2], Path(sys.argv[3]))))
