"""A GitHub that fails: bounded waiting, exit code 6 and what to do, and in the end what there would have been."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos import looks, process
from tests.chaos.conftest import WHOLE, Tried
from tests.chaos.nights import BY_NAME, Nights, Step
from tests.chaos.proxy import LASTING, LONGEST, Fault, Proxy
from tests.github.double import Double
from tests.github.gateway import Gateway

pytestmark = pytest.mark.skipif(not WHOLE, reason="by make chaos")


@pytest.fixture
def way(gateway: Gateway) -> Iterator[Proxy]:
    """The way to GitHub."""
    with Proxy(gateway.front.server_port) as proxy:
        yield proxy


@contextmanager
def serving(gateway: Gateway, way: Proxy, folder: Path) -> Iterator[Double]:
    """A GitHub that is reached by that way only, also where its answers name addresses."""
    with gateway.serving(Double(folder / "github")) as double:
        double.url = way.url
        double.push({"model/flights/model.toml": "x = 1\n", ".github/CODEOWNERS": "* @bob\n"}, "Use this template")
        yield double


def run(repo: Path, step: Step, double: Double) -> tuple[process.Ended, float]:
    """The command of a step, as the job of a workflow; how it ended, and after how many seconds."""
    env = {**process.hub(double), "MLFLOW_TRACKING_URI": f"sqlite:///{looks.store(repo)}"}
    began = time.monotonic()
    ended = process.mlops(repo, *step.words, day=step.day, env=env)
    return ended, time.monotonic() - began


@pytest.mark.parametrize("name", LASTING)
def test_github_fails_at_any_request_of_a_proposal(
    nights: Nights, gateway: Gateway, way: Proxy, tmp_path: Path, tried: Tried, name: str
) -> None:
    """From any request on nothing works: exit code 6 in time, with the next step; run again, all is as undisturbed."""
    step, lost = BY_NAME["propose"], []

    def attempt(fault: Fault | None) -> tuple[process.Ended, float, process.Ended, object]:
        repo = nights.copy(step, tmp_path / "place")
        with serving(gateway, way, tmp_path / f"{time.monotonic_ns()}") as double:
            way.begin(fault)
            first, seconds = run(repo, step, double)
            requests.append(len(way.requests))
            way.begin(None)
            again, _ = run(repo, step, double)
            return first, seconds, again, looks.github(double)

    requests: list[int] = []
    undisturbed, _, _, wanted = attempt(None)
    assert 0 == undisturbed.code
    firsts = range(1, requests[0] + 1, 4)
    for first in firsts:
        ended, seconds, again, found = attempt(Fault(**{**vars(LASTING[name]), "first": first}))
        if requests[-1] < first:  # on a busy machine the undisturbed run had sent some twice
            continue
        if ended.code != 6 or "do " not in ended.err or "Traceback" in ended.err or seconds > LONGEST:
            lost.append(f"from request {first}: {ended}, {seconds:.0f} s")
        if (0, wanted) != (again.code, found):
            lost.append(f"from request {first}, again: {again} {found}")
    tried(len(firsts), lost)

    assert [] == lost


@pytest.mark.parametrize("name", LASTING)
def test_github_fails_while_production_moves(
    nights: Nights, gateway: Gateway, way: Proxy, tmp_path: Path, name: str
) -> None:
    """A promotion is made and logged all the same, in time; what GitHub could not be told is a warning."""
    step = BY_NAME["promote"]
    repo = nights.copy(step, tmp_path / "place")
    with serving(gateway, way, tmp_path) as double:
        way.begin(LASTING[name])
        ended, seconds = run(repo, step, double)

    assert 0 == ended.code, ended
    assert "Production was moved, but the forge could not be told" in ended.out + ended.err
    assert seconds < LONGEST
    assert ({2}, 2) == (looks.in_production(looks.store(repo)), looks.alias(looks.store(repo)))
    assert [1, 2] == [event["version"] for event in looks.events(looks.store(repo)) if event["kind"] == "promotion"]
