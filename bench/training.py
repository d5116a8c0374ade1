"""The memory of training rows: peak and seconds of each step up to a fitted model, in a process of its own.

usage: python -m bench.training [--rows 10M] [--json]

Reads --rows labelled rows with 30 numeric columns of 64 bits and 5 of text (as in `bench/drift_data.py`, in Parquet),
and does with them what `mlops train` does: count the baseline, build the frame, run Great Expectations, split the
frame, compute its digest, pass the features to an estimator. The estimator is scikit-learn's dummy, because the memory
of a real estimator is not part of this measurement.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from bench.drift import number, written
from bench.drift_data import AS_OF, WINDOW_DAYS, config
from bench.limits import peak
from bench.measured import ROOT, machine
from monitoring.counting import build_baseline
from monitoring.sources import open_source
from stages.train import drain
from training import build_training_set, fit_estimator, holdout_scores
from training.quality import check_training

T = TypeVar("T")
START = AS_OF - dt.timedelta(days=WINDOW_DAYS)


def measure(rows: int) -> dict[str, Any]:
    """Return the seconds of each step and the peak memory so far."""
    from sklearn.dummy import DummyClassifier

    steps: dict[str, dict[str, float]] = {}

    def timed(step: str, run: Callable[[], T]) -> T:
        print(step, file=sys.stderr)
        began, used = time.perf_counter(), time.process_time()
        result = run()
        took = {"cpu_seconds": time.process_time() - used, "wall_seconds": time.perf_counter() - began}
        steps[step] = {**took, "peak_mb": peak()}
        return result

    settings, data = config(), config().data
    source = open_source(str(written(rows // 10) / str(rows)), data, ROOT)
    names = [*data.features, *data.roles]
    batches = timed("read", lambda: list(source.batches(names, START, AS_OF)))
    baseline = timed("baseline", lambda: build_baseline(batches, data.numeric, data.categorical, data.columns, AS_OF))
    judge = partial(check_training, config=settings, baseline=baseline)

    def checked(frame: Any) -> Any:
        return timed("expectations", lambda: judge(frame))

    material = timed(
        "frame, digest, split",
        lambda: build_training_set(drain(batches), settings, AS_OF, "0" * 64, checked),
    )
    estimator = timed("fit", lambda: fit_estimator(lambda _: DummyClassifier(), settings, material.parts))
    timed("holdout", lambda: holdout_scores(estimator, settings, material.parts))
    held = len(material.parts.fit) + len(material.parts.holdout)
    return {"machine": machine(), "rows": held, "steps": steps, "peak_gib": peak() / 1024}


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=number, default=10**7, help="rows of the training window (default: 10M)")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    given = parser.parse_args()
    result = measure(given.rows)
    if given.json:
        print(json.dumps(result, indent=1))
        return
    print("| step | CPU s | wall s | peak MB |\n| --- | ---: | ---: | ---: |")
    for name, step in result["steps"].items():
        print(f"| {name} | {step['cpu_seconds']:.1f} | {step['wall_seconds']:.1f} | {step['peak_mb']:,} |")
    print(f"{result['rows']:,} rows, at most {result['peak_gib']:.2f} GiB")


if __name__ == "__main__":
    main()
