"""The bench of the drift check measures what it says, in the form that it promises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import drift
from bench.measured import Case

ROOT = Path(__file__).parents[2]
ROWS = 20_000


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What it says of small windows, without the peers, whose environments take minutes to make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drift, "PLACE", tmp_path_factory.mktemp("drift"))
        found = drift.cases(ROWS, peers=False)
    for one in found:
        one.measure()
    return json.loads(json.dumps(drift.result(found, ROWS), allow_nan=False))


def test_it_ends_with_the_ratios(told: dict[str, Any]) -> None:
    """All five are there, in this order; what was not measured is none of them."""
    ratios = told["ratios"]

    assert "ratios" == list(told)[-1]
    assert ["to_reading", "to_article", "to_evidently", "to_nannyml", "memory_10m_to_1m"] == list(ratios)
    assert [None, None] == [ratios.pop("to_evidently"), ratios.pop("to_nannyml")]
    assert all(ratio > 0 for ratio in ratios.values())


def test_every_program_reads_every_row(told: dict[str, Any]) -> None:
    """Each runs in turn on windows of three sizes and in two databases; what cannot run says why."""
    run = {(one["program"], one["window"], one["rows"]) for one in told["cases"] if not one["skipped"]}
    parquet = {(program, "Parquet", rows) for program in ("mlops", "reading") for rows in (2_000, 20_000, 200_000)}

    assert parquet <= run
    assert ("mlops", "SQLite", ROWS) in run
    assert all(one["skipped"] or one["cpu_seconds"] > 0 for one in told["cases"])


def test_distances_are_those_of_scipy(told: dict[str, Any]) -> None:
    """On every numeric column and both sizes, within a thousandth."""
    assert 0 <= told["largest_error_of_distance"] <= 0.001


def test_a_program_that_fails_is_no_figure() -> None:
    """It is left out with its last words, and is not run again."""
    one = Case("mlops", "Parquet", 1, (sys.executable, "-c", "raise SystemExit('no such window')"))
    one.measure()
    one.measure()

    assert ("failed: no such window", 0) == (one.skipped, one.rounds)


def test_it_counts_the_work_of_a_child_and_its_children() -> None:
    """CPU seconds are those of the whole process, its threads and the processes that it waited for."""
    burn = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10**7))']); print('{}')"
    lazy, busy = (Case("it", "none", 1, (sys.executable, "-c", code)) for code in ("print('{}')", burn))
    for one in (lazy, busy):
        one.measure()

    assert lazy.cpu_seconds < busy.cpu_seconds


def test_rows_are_written_as_people_do() -> None:
    """100k and 1M as well as digits."""
    assert [100_000, 1_500_000, 70] == [drift.number(text) for text in ("100k", "1.5M", "70")]


def test_it_is_a_command() -> None:
    """Its help says what the ratios mean."""
    said = subprocess.run(
        [sys.executable, "-m", "bench.drift", "--help"], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert "to_reading = mlops / pyarrow" in said.stdout
