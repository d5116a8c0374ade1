"""The network and GitHub fail when a test says so, and a client dies at the request that a test names."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.github.double import TOKEN, Double
from tests.github.faults import Fault

# A client with nothing but the standard library: makes the labels a, b, c, and tells its process id.
CLIENT = """
import json, os, sys, urllib.request
for name in "abc":
    head = {"authorization": "Bearer TOKEN", "user-agent": f"x pid/{os.getpid()}", "content-type": "application/json"}
    body = json.dumps({"name": name, "color": "ffffff"}).encode()
    urllib.request.urlopen(urllib.request.Request(sys.argv[1] + "/repos/acme/demo/labels", body, head)).read()
""".replace("TOKEN", TOKEN)


def label(double: Double, name: str, agent: str = "test") -> dict[str, object]:
    """Make a label and return GitHub's answer."""
    head = {"authorization": f"Bearer {TOKEN}", "user-agent": agent, "content-type": "application/json"}
    body = json.dumps({"name": name, "color": "ffffff"}).encode()
    request = urllib.request.Request(f"{double.url}/repos/{double.name}/labels", body, head)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            return dict(json.load(answer))
    except urllib.error.HTTPError as err:
        err.close()
        raise


@pytest.mark.parametrize(("when", "made"), [("before", ["a"]), ("after", ["a", "b"])])
def test_a_client_dies_at_its_nth_write(double: Double, when: str, made: list[str]) -> None:
    """It is killed before or after the effect of exactly that request, and sends no other."""
    double.kill_at(2, when)

    done = subprocess.run([sys.executable, "-c", CLIENT, double.url], check=False, capture_output=True)

    assert -signal.SIGKILL == done.returncode, done.stderr
    assert made == list(double.labels)
    assert 2 == double.writes
    again = subprocess.run([sys.executable, "-c", CLIENT.replace('"abc"', '"de"'), double.url], check=False)
    assert 0 == again.returncode


AGENTS = {"nobody": "no process", "parent": f"pid/{os.getppid()}", "self": f"pid/{os.getpid()}", "init": "pid/1"}


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_only_children_are_killed(double: Double, agent: str) -> None:
    """A client that names no process, this one, or one that is not below this one, lives, and the test fails."""
    double.kill_at(1)

    with pytest.raises((http.client.HTTPException, OSError)):
        label(double, "a", agent)

    assert 1 == len(double.violations)
    assert "was to be the last one" in double.violations[0]
    double.violations.clear()


def test_a_rate_limit_comes_with_its_headers(double: Double) -> None:
    """The client is told when to come back, and the request had no effect."""
    double.faults = [
        Fault("POST", "/labels$", status=403, headers={"retry-after": "7"}, message="secondary rate limit")
    ]

    with pytest.raises(urllib.error.HTTPError) as caught:
        label(double, "a")

    assert (403, "7") == (caught.value.code, caught.value.headers["retry-after"])
    assert {} == double.labels
    assert "a" == label(double, "a")["name"]


def test_an_error_may_hide_that_it_worked(double: Double) -> None:
    """A 502 after the effect leaves the label there; faults hit as often as said, and only what they match."""
    double.faults = [Fault("POST", "/labels$", times=2, after=True, status=502), Fault("GET", status=500)]

    for name in "ab":
        with pytest.raises(urllib.error.HTTPError, match="502"):
            label(double, name)
    label(double, "c")

    assert ["a", "b", "c"] == list(double.labels)


def test_a_connection_drops(double: Double) -> None:
    """The client gets no answer at all."""
    double.faults = [Fault(drop=True)]

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        label(double, "a")

    assert {} == double.labels


def test_an_answer_is_cut_in_half(double: Double) -> None:
    """The client gets less than the answer's head promises."""
    double.faults = [Fault(cut=True)]

    with pytest.raises(http.client.IncompleteRead):
        label(double, "a")

    assert ["a"] == list(double.labels)
