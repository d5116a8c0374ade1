"""The error of the accuracy that is estimated without labels, on the binary tables in NannyML's package.

usage: python -m bench.estimate [--json]

A table has reference rows, on which scores are calibrated, and later rows in 20 chunks, whose accuracy is estimated.
Figures are mean absolute errors over the chunks: with the logistic and the isotonic fit, with the one that the template
chooses, with the accuracy of the reference rows as the estimate, and by NannyML with its defaults. Smaller holdouts are
twelve stretches of the reference rows, each in ten days; NannyML estimates from all reference rows only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.peers import environment
from core.arrow import Floats
from monitoring.tasks import BINARY, Calibration
from monitoring.tasks.calibration import candidate_calibrations, fit_calibration

ROOT = Path(__file__).parent.parent
CHUNKS, DAYS, STRETCHES, SIZES = 20, 10, 12, (2_300, 300)
# Files of reference rows, later rows and their labels; columns of score and label.
TABLES = {
    "car loan": ("synthetic_car_loan_{}.csv", "reference", "analysis", "analysis_target", "y_pred_proba", "repaid"),
    "California": ("california_housing_{}.csv", "reference", "analysis", "analysis_gt", "y_pred_proba", "clf_target"),
    "employment": (
        "employment_MA_{}.pq",
        "reference",
        "analysis",
        "analysis_target",
        "predicted_probability",
        "employed",
    ),
}


@dataclass(frozen=True)
class Rows:
    """Scores and labels in the order of time."""

    scores: Floats
    labels: NDArray[np.int64]

    def parts(self, count: int) -> list[NDArray[np.int64]]:
        """Return the counts of `count` equal stretches of the rows."""
        pairs = zip(np.array_split(self.labels, count), np.array_split(self.scores, count), strict=True)
        return [BINARY.counted(labels, scores) for labels, scores in pairs]

    def stretches(self, size: int) -> list[Rows]:
        """Return evenly spread stretches of `size` rows."""
        starts = np.linspace(0, len(self.scores) - size, STRETCHES).astype(int)
        return [Rows(self.scores[start : start + size], self.labels[start : start + size]) for start in starts]


def accuracy(labelled: NDArray[np.number]) -> float:
    """Return the accuracy at a threshold of a half."""
    return float(BINARY.evaluate("accuracy", labelled))


def errors(reference: Rows, analysis: Rows) -> dict[str, float]:
    """Return the mean absolute error of each way to estimate; empty if the reference rows cannot be calibrated."""
    days, chunks = reference.parts(DAYS), analysis.parts(CHUNKS)
    chosen, total = fit_calibration(days), sum(days)
    if chosen is None:
        return {}
    fits: Mapping[str, Calibration] = {**candidate_calibrations(total), "chosen": chosen}
    truth = np.array([accuracy(chunk) for chunk in chunks])

    def estimates(fit: Calibration) -> Floats:
        chances = fit.chances(len(total))
        sums = [chunk.sum(axis=1) for chunk in chunks]
        return np.array([accuracy(np.stack([rows * (1 - chances), rows * chances], axis=1)) for rows in sums])

    values = {name: estimates(fit) for name, fit in fits.items()}
    values["holdout's score"] = np.full(len(chunks), accuracy(total))
    return {name: float(np.abs(value - truth).mean()) for name, value in values.items()}


def nannyml(python: Path, reference: Rows, analysis: Rows) -> float:
    """Return the mean absolute error of NannyML's estimate."""
    truth = np.array([accuracy(chunk) for chunk in analysis.parts(CHUNKS)])
    tables = [
        pd.DataFrame({"score": rows.scores, "label": rows.labels, "part": part})
        for part, rows in (("reference", reference), ("analysis", analysis))
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        pd.concat(tables).to_parquet(file)
        command = [python, ROOT / "bench" / "ask_cbpe.py", file, str(CHUNKS)]
        call = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(np.abs(np.array(json.loads(call.stdout.splitlines()[-1])) - truth).mean())


def read(folder: Path, table: str) -> tuple[Rows, Rows]:
    """Return the reference rows and the later rows of a table."""
    name, *parts, score, label = TABLES[table]
    load = pd.read_parquet if name.endswith("pq") else pd.read_csv
    reference, analysis, labels = (load(folder / name.format(part)) for part in parts)
    if "timestamp" in analysis:
        analysis["at"] = pd.to_datetime(analysis["timestamp"])
    analysis[label] = labels[label].to_numpy()
    later = analysis.sort_values("at", kind="stable") if "at" in analysis else analysis
    later = later.iloc[: len(later) // CHUNKS * CHUNKS]  # NannyML makes a chunk of its own from what is left over
    return tuple(Rows(t[score].to_numpy(np.float64), t[label].to_numpy().astype(np.int64)) for t in (reference, later))  # type: ignore[return-value]


def measure() -> list[dict[str, object]]:
    """Return a row per table and size of the holdout."""
    python, problem = environment("nannyml")
    if python is None:
        sys.exit(problem)
    find = [python, "-W", "ignore", "-c", "import importlib.util as u; print(u.find_spec('nannyml').origin)"]
    package = Path(subprocess.run(find, capture_output=True, text=True, check=True).stdout.strip()).parent
    results: list[dict[str, object]] = []
    for table in TABLES:
        reference, analysis = read(package / "datasets" / "data", table)
        whole = {**errors(reference, analysis), "NannyML": nannyml(python, reference, analysis)}
        results.append({"table": table, "rows": len(reference.scores), **whole})
        for size in SIZES:
            means = pd.DataFrame([errors(rows, analysis) for rows in reference.stretches(size)]).mean()
            results.append({"table": table, "rows": size, **means.to_dict()})
    return results


def main() -> None:
    """Read the options, measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    options = parser.parse_args()
    results = measure()
    if options.json:
        print(json.dumps(results, indent=1))
        return
    columns = [name for name in results[0] if name not in {"table", "rows"}]
    print(f"| table | rows | {' | '.join(columns)} |\n| --- |{' --- |' * (len(columns) + 1)}")
    for result in results:
        cells = [f"{result[name]:.4f}" if name in result else "" for name in columns]
        print(f"| {result['table']} | {result['rows']:,} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
