"""A real MLflow server that fails: bounded waiting, exit code 6 and what to do, never a half promotion called done."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.chaos import looks, process
from tests.chaos.conftest import WHOLE, Tried
from tests.chaos.nights import ASKED, BY_NAME, FIRST, LATER, Nights, acted
from tests.chaos.proxy import LASTING, LONGEST, PASSING, Fault, Proxy
from tests.chaos.server import Server

pytestmark = pytest.mark.skipif(not WHOLE, reason="by make chaos")

# As store.SETTINGS has it, but short: one more try, after no pause.
QUICK = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "1",
}


@pytest.fixture
def repo(nights: Nights, server: Server, tmp_path: Path) -> Path:
    """The place before version 2 is promoted, with the registry on the server."""
    repo = nights.copy(BY_NAME["promote"], tmp_path / "place")
    server.restore(repo / "local" / "mlflow.db")
    return repo


def production(server: Server) -> tuple[set[int], int | None]:
    """What is in Production on the server, and the alias."""
    return looks.in_production(server.database), looks.alias(server.database)


def timed(repo: Path, words: tuple[str, ...], proxy: Proxy, fault: Fault | None) -> tuple[process.Ended, float]:
    """Run a command through the proxy; how it ended, and after how many seconds."""
    proxy.begin(fault)
    began = time.monotonic()
    ended = process.mlops(repo, *words, day=LATER, env={**QUICK, "MLFLOW_TRACKING_URI": proxy.url})
    return ended, time.monotonic() - began


def promote(repo: Path, proxy: Proxy, fault: Fault | None) -> tuple[process.Ended, float]:
    """Promote through the proxy."""
    return timed(repo, ("promote",), proxy, fault)


def told(ended: process.Ended, seconds: float) -> bool:
    """Whether an outage was reported as one: in time, with exit code 6 and the next step."""
    return ended.code == 6 and "do " in ended.err and "Traceback" not in ended.err and seconds < LONGEST


def events(server: Server) -> list[int]:
    """The versions that the event log says were promoted, in order."""
    return [event["version"] for event in looks.events(server.database) if event["kind"] == "promotion"]


@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_outage_at_any_request(repo: Path, server: Server, proxy: Proxy, tried: Tried, name: str) -> None:
    """From any request of a promotion on, nothing works any more: exit code 6 in time, with the next step.

    When the server is back, one more run ends with what git declares, in the log once.
    """
    assert 0 == promote(repo, proxy, None)[0].code
    requests, lost = list(proxy.requests), []
    first_write = next(n for n, request in enumerate(requests, 1) if "transition-stage" in request)
    firsts = sorted({1, first_write - 1, first_write, first_write + 1, first_write + 3, len(requests) - 1})
    for first in firsts:
        server.restore(repo / "local" / "mlflow.db")
        ended, seconds = promote(repo, proxy, Fault(**{**vars(LASTING[name]), "first": first}))
        # The forge is told, and the log written, when Production is right already.
        if not told(ended, seconds) or len(production(server)[0]) != 1:
            lost.append(f"from {requests[first - 1]}: {ended}, {seconds:.0f} s, {production(server)}")
        again, _ = promote(repo, proxy, None)
        if (0, ({2}, 2), [1, 2]) != (again.code, production(server), events(server)):
            lost.append(f"from {requests[first - 1]}, again: {again}, {production(server)}, {events(server)}")
    tried(len(firsts), lost)

    assert [] == lost


@pytest.mark.parametrize("command", ["train", "validate", "propose"])
def test_a_lasting_outage_in_the_night(
    nights: Nights, server: Server, proxy: Proxy, tmp_path: Path, tried: Tried, command: str
) -> None:
    """Training, validation and proposal end as a promotion does; run again they leave an undisturbed night."""
    step, lost = BY_NAME[command], []

    def attempt(fault: Fault | None) -> tuple[Path, process.Ended, float]:
        repo = nights.copy(step, tmp_path / "place")
        server.restore(looks.store(repo))
        return repo, *timed(repo, step.words, proxy, fault)

    assert 0 == attempt(None)[1].code
    many = len(proxy.requests)
    for number, name in enumerate(LASTING):
        first = 1 + number * (many - 1) // len(LASTING)
        repo, ended, seconds = attempt(Fault(**{**vars(LASTING[name]), "first": first}))
        if not told(ended, seconds):
            lost.append(f"{name} from request {first} of {many}: {ended}, {seconds:.0f} s")
        again, _ = timed(repo, step.words, proxy, None)
        server.give(looks.store(repo))
        found = looks.differences(nights.after(step), looks.look(repo))
        if again.code or found:
            lost.append(f"{name} from request {first}, again: {again} {found}")
    tried(len(LASTING), lost)

    assert [] == lost


@pytest.mark.parametrize("name", PASSING)
def test_a_passing_disturbance_is_waited_out(repo: Path, server: Server, proxy: Proxy, tried: Tried, name: str) -> None:
    """One request fails once: it is sent again, also where it had its effect already, and the promotion ends well."""
    assert 0 == promote(repo, proxy, None)[0].code
    many, lost = len(proxy.requests), []
    for first in range(1, many + 1, 3):
        server.restore(repo / "local" / "mlflow.db")
        ended, _ = promote(repo, proxy, Fault(**{**vars(LASTING[name]), "first": first, "times": 1}))
        if (0, ({2}, 2), [1, 2]) != (ended.code, production(server), events(server)):
            lost.append(f"request {first}: {ended}, {production(server)}, {events(server)}")
    tried(len(range(1, many + 1, 3)), lost)

    assert [] == lost


def test_nobody_listens(repo: Path, server: Server) -> None:
    """Where no server is, a promotion ends with exit code 6 and names the address, without the password in it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**QUICK, "MLFLOW_TRACKING_URI": f"http://ann:s3cret@127.0.0.1:{port}"}
    ended = process.mlops(repo, "promote", day=LATER, env=env)

    assert 6 == ended.code
    assert f"127.0.0.1:{port}" in ended.err
    assert "MLFLOW_TRACKING_URI" in ended.err
    assert "s3cret" not in ended.out + ended.err
    assert ({1}, 1) == production(server)


def test_an_outage_in_the_night_is_no_retraining(repo: Path, proxy: Proxy) -> None:
    """A registry that fails while a night looks for its champion is not taken for an empty one: exit code 6."""
    for number in range(1, 4):
        proxy.begin(Fault("status", first=number, status=503))
        env = {**QUICK, "MLFLOW_TRACKING_URI": proxy.url}
        ended = process.mlops(repo, "check", *ASKED, day=LATER, env=env)

        assert 6 == ended.code, ended


def test_the_whole_loop_over_http(nights: Nights, server: Server, mlflow_store: Path, tmp_path: Path) -> None:
    """Train, validate, propose, merge, promote, again, and roll back: on a server that keeps the artifacts itself."""
    server.restore(mlflow_store)
    repo = nights.copy(BY_NAME["first pull"], tmp_path / "place")
    env = {"MLFLOW_TRACKING_URI": server.url}

    def run(*words: str) -> process.Ended:
        ended = process.mlops(repo, *words, day=FIRST, env=env)
        assert 0 == ended.code, ended.err
        return ended

    def night(*asked: str) -> None:
        for words in (["pull"], ["check", *asked], ["train"], ["validate"], ["propose"]):
            run(*words)
        process.call(acted, repo, "merge")
        run("promote")

    night()
    assert ({1}, 1) == production(server)
    config = repo / "model" / "flights" / "model.toml"
    config.write_text(config.read_text().replace("seed = 42", "seed = 43"))
    subprocess.run(["git", "commit", "--quiet", "--all", "--message", "Another seed"], cwd=repo, check=True)
    night(*ASKED)
    assert ({2}, 2) == production(server)
    process.call(acted, repo, "revert")
    run("promote")

    assert ({1}, 1) == production(server)
    kinds = [json.loads(line)["event"] for line in run("history", "--jsonl").out.splitlines()]
    assert ["promotion", "promotion", "rollback"] == [kind for kind in kinds if kind in {"promotion", "rollback"}]
    assert not list((repo / "local" / "artifacts").glob("flights/*"))
    assert (server.database.parent / "artifacts").is_dir()
