"""A command that is killed at any instant and run again leaves what it would have left undisturbed."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import looks, process
from tests.chaos.conftest import WHOLE, Tried
from tests.chaos.edges import Point
from tests.chaos.nights import BY_NAME, STEPS, Nights, Step
from tests.github.double import Double
from tests.github.gateway import Gateway

LEAST = 60
PARTS = {"first train": 6, "first propose": 2, "validate": 2}
# The second night trains by the same writes as the first, but for those that make experiment and registered model.
TRIED = [step.name for step in STEPS if step.name != "train" and (WHOLE or step.name.startswith("first"))]
SHARDS = [(name, part, many) for name in TRIED for many in [PARTS.get(name, 1) if WHOLE else 1] for part in range(many)]
SAMPLE = {"first train": 3}


def every(points: list[Point]) -> list[Point]:
    """Each instant, and once more with what was being written then torn in half, where it can be."""
    return [
        dataclasses.replace(point, torn=torn)
        for point in points
        for torn in ((False, True) if point.tears else (False,))
    ]


def chosen(points: list[Point], step: Step, part: int, parts: int) -> list[Point]:
    """All of a part; by `make test` some, from the last one backwards."""
    if WHOLE:
        return points[part::parts]
    many = SAMPLE.get(step.name, 2)
    return points[:: -max(1, len(points) // many)][:many]


@contextmanager
def watched(repo: Path, *, declared: bool) -> Iterator[list[set[int]]]:
    """What somebody who looks all the time sees in Production: the sets of versions that are never to be seen."""
    wrong: list[set[int]] = []
    over = threading.Event()

    def look() -> None:
        least = 1 if declared else 0
        while not over.is_set():
            seen = looks.in_production(looks.store(repo))
            if not least <= len(seen) <= 1:
                wrong.append(seen)
            least = max(least, len(seen))
            over.wait(0.002)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield wrong
    finally:
        over.set()
        thread.join()


def lost(nights: Nights, step: Step, point: Point, folder: Path) -> str:
    """What is wrong after a kill at a point and another run; empty where nothing is."""
    repo = nights.copy(step, folder)
    with watched(repo, declared=not step.name.startswith("first")) as wrong:
        killed = process.mlops(repo, *step.words, day=step.day, kill=point)
        again = process.mlops(repo, *step.words, day=step.day)
    if killed.code != -9:
        return f"{point}: the point was not reached ({killed.code})"
    if again.code:
        return f"{point}: the second run ended with {again.code}: {again.err}"
    told = looks.differences(nights.after(step), looks.look(repo))
    told += [f"Production was {seen}" for seen in wrong]
    return f"{point}: {'; '.join(told)}" if told else ""


@pytest.mark.parametrize(("name", "part", "parts"), SHARDS, ids=lambda value: str(value).replace(" ", "-"))
def test_killed_anywhere_and_run_again_it_ends_the_same(
    nights: Nights, tmp_path: Path, tried: Tried, name: str, part: int, parts: int
) -> None:
    """SIGKILL after any write or in the middle of it, then one more run: the end is that of an undisturbed one.

    Versions, tags, aliases, events, records, proposals and branches are compared, and that each is there once.
    """
    step = BY_NAME[name]
    points = chosen(every(nights.points(step)), step, part, parts)
    found = [problem for point in points if (problem := lost(nights, step, point, tmp_path / "point"))]
    tried(len(points), found)

    assert [] == found
    assert points


@pytest.mark.skipif(not WHOLE, reason="by make chaos")
@pytest.mark.parametrize("name", [step.name for step in STEPS if not step.before and step.day == STEPS[-1].day])
def test_the_rest_of_the_night_goes_on(nights: Nights, tmp_path: Path, name: str) -> None:
    """After a kill in the middle of a command, that command and those after it end the night as it ends undisturbed."""
    step = BY_NAME[name]
    repo = nights.copy(step, tmp_path / "point")
    points = nights.points(step)
    assert -9 == process.mlops(repo, *step.words, day=step.day, kill=points[len(points) // 2]).code
    rest = STEPS[STEPS.index(step) : STEPS.index(BY_NAME["propose"]) + 1]
    for later in rest:
        assert 0 == process.mlops(repo, *later.words, day=later.day).code

    assert [] == looks.differences(nights.after(rest[-1]), looks.look(repo))


def propose(repo: Path, double: Double) -> process.Ended:
    """Propose at GitHub, as the job of a workflow does."""
    env = {**process.hub(double), "MLFLOW_TRACKING_URI": f"sqlite:///{looks.store(repo)}"}
    return process.mlops(repo, "propose", day=STEPS[-1].day, env=env)


def at_github(repo: Path, double: Double) -> Any:
    """All that matters of a repository at GitHub, and the registry."""
    seen = looks.look(repo)
    return looks.github(double), seen["events"], seen["records"]


@pytest.mark.skipif(not WHOLE, reason="by make chaos")
def test_a_proposal_at_github_killed_at_any_request(
    nights: Nights, gateway: Gateway, tmp_path: Path, tried: Tried
) -> None:
    """SIGKILL before or after any request that writes at GitHub, then once more: one branch, one pull request."""
    step, lost = BY_NAME["propose"], []

    def attempt(name: str, kill: tuple[int, str] | None) -> tuple[tuple[int, int], Any, int]:
        repo = nights.copy(step, tmp_path / name)
        with gateway.serving(Double(tmp_path / name / "github")) as double:
            double.push({"model/flights/model.toml": "x = 1\n", ".github/CODEOWNERS": "* @bob\n"}, "Use this template")
            if kill:
                double.kill_at(*kill)
            first = propose(repo, double)
            double.kill, writes = None, double.writes
            again = propose(repo, double)
            return (first.code, again.code), at_github(repo, double), writes

    codes, wanted, writes = attempt("undisturbed", None)
    assert (0, 0) == codes
    kills = [(number, when) for number in range(1, writes + 1) for when in ("before", "after")]
    for kill in kills:
        codes, found, _ = attempt("killed", kill)
        if ((-9, 0), wanted) != (codes, found):
            lost.append(f"{kill}: {codes} {found}")
    tried(len(kills), lost)

    assert [] == lost
    assert kills


@pytest.mark.skipif(not WHOLE, reason="by make chaos")
def test_there_are_points_enough(nights: Nights) -> None:
    """The instrumentation finds what it is for: dozens of distinct instants, in every command."""
    found = {name: len(nights.points(BY_NAME[name])) for name in TRIED}

    assert LEAST <= sum(found.values())
    assert 0 < min(found.values())
