"""Evidently and NannyML with their defaults on simulated nights, each in an environment of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.nights import AXES, BASELINE, CUTS, NUMERIC, Setting, simulated
from monitoring.counting import DayTally

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "local" / "bench"
PEERS = {
    "evidently": ("evidently", "pandas<3", "pyarrow"),
    "nannyml": ("nannyml", "statsmodels", "pandas<3", "pyarrow"),
}
SETTINGS = {
    "200 rows, independent": Setting(200),
    "1,000 rows, independent": Setting(1000),
    "1,000 rows, correlation 0.01": Setting(1000, 0.01),
    "one column moves 0.25 sd": Setting(1000, 0.01, shift=0.25),
    "one column moves 0.5 sd": Setting(1000, 0.01, shift=0.5),
    "a level of dozen moves 10 points": Setting(1000, 0.01, points=0.1),
}


def ask(seed: int, nights: int) -> list[dict[str, object]]:
    """Return an entry per peer and setting: the share of nights on which it reports drift, or why it did not run."""
    written = {name: list(_rows(name, setting, nights, seed)) for name, setting in SETTINGS.items()}
    answers: list[dict[str, object]] = []
    for peer in PEERS:
        python, problem = environment(peer)
        if python is None:
            answers.append({"peer": peer, "skipped": problem})
            continue
        for name, folders in written.items():
            print(f"{peer}: {name}", file=sys.stderr)
            call = subprocess.run(
                [python, ROOT / "bench" / f"ask_{peer}.py", *folders], capture_output=True, text=True, check=False
            )
            if call.returncode:
                answers.append({"peer": peer, "name": name, "skipped": call.stderr.strip()[-300:]})
            else:
                answers.append(
                    {"peer": peer, "name": name, "nights": nights, **json.loads(call.stdout.splitlines()[-1])}
                )
    return answers


def environment(peer: str) -> tuple[Path | None, str]:
    """Return the Python of a peer's environment, which is made if missing; if that fails, None and the reason."""
    folder, packages = PLACE / peer, PEERS[peer]
    python = folder / "bin" / "python"
    if (folder / "ready").exists():
        return python, ""
    print(f"{peer}: making its environment (minutes, once)", file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True)
    call = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
        capture_output=True,
        text=True,
        check=False,
    )
    if call.returncode:
        return None, f"pip install {' '.join(packages)} failed: {call.stderr.strip()[-300:]}"
    (folder / "ready").touch()
    return python, ""


def _rows(name: str, setting: Setting, nights: int, seed: int) -> Iterator[Path]:
    """Write rows with the counts of each simulated night; within a cell, numbers are spread evenly."""
    for number, days in enumerate(simulated(setting, nights, seed)):
        folder = PLACE / "rows" / name.replace(" ", "_").replace(",", "") / f"{number:03}"
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng([seed, number])
        for file, part in (("baseline", days[:BASELINE]), ("window", days[BASELINE:])):
            pq.write_table(pa.table(dict(_columns(part, rng))), folder / f"{file}.parquet")
        yield folder


def _columns(days: Sequence[DayTally], rng: np.random.Generator) -> Iterator[tuple[str, pa.Array]]:
    """Yield columns whose rows are in the order of the nights, and shuffled within a night."""
    edges = np.concatenate([[-3.5], CUTS, [3.5]])
    for number, (name, axis) in enumerate(AXES.items()):
        parts = []
        for day in days:
            cells = rng.permutation(np.repeat(np.arange(axis.size), day.columns[name].counts.array))
            parts.append(cells)
        answers = np.concatenate(parts)
        if number < NUMERIC:
            inside = np.minimum(answers, len(edges) - 2)
            low, high = edges[inside], edges[inside + 1]
            values = np.where(answers == axis.null, np.nan, low + (high - low) * rng.random(len(answers)))
            yield name, pa.array(values, from_pandas=True)
        else:
            yield name, pa.array([f"v{cell:03}" for cell in answers])


def table(answers: Sequence[dict[str, object]]) -> str:
    """Return a Markdown table: percent of nights."""
    rows = []
    for answer in answers:
        if "skipped" in answer:
            rows.append(f"| {answer['peer']} | {answer.get('name', 'all')} | not run: {answer['skipped']} | | |")
            continue
        shares = f"{100 * float(answer['any']):.0f} | {100 * float(answer['dataset']):.0f}"  # type: ignore[arg-type]
        rows.append(f"| {answer['peer']} | {answer['name']} | {shares} | {float(answer['columns']):.1f} |")  # type: ignore[arg-type]
    head = ["| peer | nights | any column | its own verdict | columns a night |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows])
