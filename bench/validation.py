"""The cost of judging a candidate without its predictions: seconds of each step, and peak memory.

usage: python -m bench.validation [--rows 1M] [--json]

Reads a holdout of --rows rows with 30 numeric columns and 5 of text (as in `bench/drift_data.py`, in Parquet), builds
the frame of features, computes its digest, and runs all gates against a champion: floors of all metrics, the paired
comparison by the metric of the trigger, two slices. The scores of both models are simulated; no model predicts.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from bench.drift import number, written
from bench.drift_data import AS_OF, WINDOW_DAYS, config
from bench.limits import peak
from bench.measured import ROOT, machine
from core.config import ModelConfig
from core.quality_report import QualityReport
from monitoring.sources import open_source
from monitoring.tasks import METRICS
from monitoring.triggers import Decision
from training import Candidate, features, labelled_frame
from training.gates import CandidateEvidence, validate

T = TypeVar("T")
START = AS_OF - dt.timedelta(days=WINDOW_DAYS)


def judged_by(metric: str) -> ModelConfig:
    """Return the config with `metric` as metric of the trigger, a floor for every metric, and two slices."""
    usual = config()
    gates = usual.gates.model_copy(update={**dict.fromkeys(METRICS, 0.1), "slices": ("c2", "c3")})
    performance = usual.triggers.performance.model_copy(update={"metric": metric})
    triggers = usual.triggers.model_copy(update={"performance": performance})
    return usual.model_copy(update={"gates": gates, "triggers": triggers})


def candidate() -> Candidate:
    """Return a candidate that was trained on the rows before the holdout."""
    quality = QualityReport(subject="training", rows=1, checks=1, findings=())
    readings: dict[str, Any] = dict.fromkeys(("performance", "drift", "quality"))
    decision = Decision(
        model="bench",
        as_of=AS_OF,
        champion=1,
        retrain=True,
        first=False,
        reasons=(),
        held_back_by=(),
        readings=(),
        **readings,
    )
    same = dict.fromkeys(("run_id", "digest", "data_digest", "training_key", "commit"), "0" * 64)
    return Candidate(
        model="bench",
        registry_name="bench",
        version=2,
        as_of=AS_OF,
        fit_from=START - dt.timedelta(days=60),
        fit_until=START,
        data_until=AS_OF,
        fit_rows=1,
        holdout_rows=1,
        quality=quality,
        decision=decision,
        **same,
    )


def measure(rows: int) -> dict[str, Any]:
    """Return the seconds of each step; those of the gates by metric of the trigger."""
    steps: dict[str, dict[str, float]] = {}

    def timed(step: str, run: Callable[[], T]) -> T:
        print(step, file=sys.stderr)
        began, used = time.perf_counter(), time.process_time()
        result = run()
        steps[step] = {"cpu_seconds": time.process_time() - used, "wall_seconds": time.perf_counter() - began}
        return result

    folder = written(rows) / str(rows)
    settings = config()
    names = [*settings.data.features, *settings.data.roles]
    source = open_source(str(folder), settings.data, ROOT)
    holdout = timed("read", lambda: labelled_frame(source.batches(names, START, AS_OF), settings.data, AS_OF))
    timed("features", lambda: features(holdout, settings.data))
    rng = np.random.default_rng(7)
    label = holdout[settings.data.columns.label].to_numpy()
    challenger, champion = (rng.beta(2 + label, 3 - label) for _ in range(2))
    evidence = timed(
        "digest and slices",
        lambda: CandidateEvidence.of(
            holdout,
            judged_by("roc_auc"),
            challenger_scores=challenger,
            champion_version=1,
            champion_fit_until=START,
            champion_scores=champion,
            example_equal=True,
            latency_p95_ms=1.0,
            size_mb=1.0,
        ),
    )
    trained, before = candidate(), sum(step["wall_seconds"] for step in steps.values())
    for metric in METRICS:
        timed(f"judge by {metric}", lambda metric=metric: validate(trained, judged_by(metric), evidence))  # type: ignore[misc]
    slowest = before + max(steps[f"judge by {metric}"]["wall_seconds"] for metric in METRICS)
    return {"machine": machine(), "rows": rows, "steps": steps, "peak_mb": peak(), "wall_seconds_at_most": slowest}


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=number, default=10**6, help="rows of the holdout (default: 1M)")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    given = parser.parse_args()
    result = measure(given.rows)
    if given.json:
        print(json.dumps(result, indent=1))
        return
    print("| step | CPU s | wall s |\n| --- | ---: | ---: |")
    for name, step in result["steps"].items():
        print(f"| {name} | {step['cpu_seconds']:.2f} | {step['wall_seconds']:.2f} |")
    print(f"at most {result['wall_seconds_at_most']:.1f} s, {result['peak_mb']} MB")


if __name__ == "__main__":
    main()
