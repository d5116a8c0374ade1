"""Count what the suite tried, and end with a table: points tried, survived, lost."""

from __future__ import annotations

import fcntl
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.nights import STEPS, Nights
from tests.chaos.proxy import Proxy
from tests.chaos.server import Server

WHOLE = os.environ.get("CHAOS") == "whole"
GROUPS = {
    "test_crash": "killed at a write",
    "test_race": "two at once",
    "test_outage": "an MLflow that fails",
    "test_outage_github": "a GitHub that fails",
    "test_tamper": "tampered with",
    "test_accidents": "accidents",
}
Tried = Callable[[int, list[str]], None]


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Nights:
    """The story of two nights (by `make test`: of the first), told once for all workers."""
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent
    with (folder / "nights.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = Nights(folder / "nights")
        told.tell(mlflow_store, STEPS[-1].name if WHOLE else "first promote")
    return told


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Iterator[Server]:
    """One server for all tests of a worker."""
    with Server(tmp_path_factory.mktemp("server") / "mlflow", mlflow_store) as server:
        yield server


@pytest.fixture(scope="session")
def proxy(server: Server) -> Iterator[Proxy]:
    """The way to it."""
    with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Tried:
    """A function that tells how many points a test has tried, and which of them were lost; without it a test is one."""

    def tell(points: int, lost: list[str]) -> None:
        record_property("tried", points)
        record_property("lost", len(lost))

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table."""
    rows: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0, 0.0])
    for outcome in ("passed", "failed", "skipped", "error"):
        for report in terminalreporter.getreports(outcome):
            group = GROUPS.get(Path(report.nodeid.split("::")[0]).stem)
            if group is None or not WHOLE:
                continue
            told = dict(report.user_properties)
            row = rows[group]
            row[3] += report.duration
            if outcome == "skipped":
                row[2] += 1
            elif report.when == "call" or outcome == "error":
                row[0] += int(told.get("tried", 1))
                row[1] += int(told.get("lost") or outcome != "passed")
    if not rows:
        return
    terminalreporter.write_sep("=", "chaos")
    terminalreporter.write_line(f"{'':24}{'tried':>8}{'survived':>10}{'lost':>6}{'skipped':>9}{'seconds':>9}")
    total = [sum(column) for column in zip(*rows.values(), strict=True)]
    for name, (tried_, lost, skipped, seconds) in [*rows.items(), ("together", total)]:
        numbers = f"{tried_:8.0f}{tried_ - lost:10.0f}{lost:6.0f}{skipped:9.0f}{seconds:9.0f}"
        terminalreporter.write_line(f"{name:24}{numbers}")
