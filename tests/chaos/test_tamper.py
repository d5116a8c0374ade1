"""What was changed after its review is refused by name before anything moves, even where all digests agree with it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.chaos import looks, process
from tests.chaos.conftest import WHOLE
from tests.chaos.nights import Nights
from tests.chaos.proxy import Fault, Proxy
from tests.chaos.server import Server
from tests.chaos.spoiled import CHANGES, NEWEST, OWNED_AT, STEP, Spoiled
from tests.github.double import Double
from tests.github.gateway import Gateway

TOLD = list(CHANGES) if WHOLE else ["one byte of the model", "a path out of the archive"]


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_is_refused_by_name(nights: Nights, tmp_path: Path, name: str) -> None:
    """Exit code 5, the change is named in the error and in the record that the issue is made of, and nothing moved."""
    spoil, said = CHANGES[name]
    repo = nights.copy(STEP, tmp_path / "place")
    before = looks.in_production(looks.store(repo)), looks.alias(looks.store(repo))
    spoil(Spoiled(repo))
    ended = process.mlops(repo, "promote", day=STEP.day)
    failure = json.loads((repo / "local" / "flights" / "failure-promote.json").read_text())

    assert 5 == ended.code, ended
    assert said in " ".join(ended.err.split())
    assert said in failure["what"]
    assert before == (looks.in_production(looks.store(repo)), looks.alias(looks.store(repo)))
    assert not OWNED_AT.exists()


@pytest.mark.parametrize("name", TOLD)
def test_what_was_changed_is_told_in_an_issue(nights: Nights, gateway: Gateway, tmp_path: Path, name: str) -> None:
    """The night's check opens one issue that names the change; the promotion that fails later adds none."""
    spoil, said = CHANGES[name]
    repo = nights.copy(STEP, tmp_path / "place")
    spoil(Spoiled(repo))
    bodies = []
    with gateway.serving(Double(tmp_path / "github")) as double:
        for words, jobs in ((("promote", "--verify"), {"monitor": "success"}), (("promote",), {"promote": "failure"})):
            assert 5 == process.mlops(repo, *words, day=STEP.day).code
            told = json.dumps({job: {"result": result} for job, result in jobs.items()})
            env = {**process.hub(double), "MLOPS_JOBS": told}
            assert 0 == process.mlops(repo, "alert", day=STEP.day, env=env).code
            (issue,) = double.issues.values()
            bodies.append(re.sub(r"\\(?=[^A-Za-z0-9\s])|\u200b", "", issue.body or ""))
        assert [] == double.violations

    assert "open" == issue.state
    now = "Version 1 of flights" if NEWEST > 1 else "No version of flights"
    assert f"After the failure the registry was asked: {now} is in Production" in bodies[-1]
    assert [] == [body for body in bodies if said not in body]


@pytest.mark.skipif(not WHOLE, reason="by make chaos")
@pytest.mark.parametrize("path", [f"../../../..{OWNED_AT}", str(OWNED_AT), f"a/../../../../..{OWNED_AT}"])
@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_a_server_that_offers_a_path_out_is_refused(
    nights: Nights, server: Server, proxy: Proxy, tmp_path: Path, *, path: str, folder: bool
) -> None:
    """A server lists an artifact whose path leads out of the copy: exit code 5, and nothing is written there."""
    repo = nights.copy(STEP, tmp_path / "place")
    Spoiled(repo).sql("UPDATE model_versions SET storage_location = ?", "mlflow-artifacts:/flights")
    server.restore(looks.store(repo))
    before = looks.in_production(server.database)
    env = {"MLFLOW_TRACKING_URI": proxy.url}
    offered = json.dumps({"files": [{"path": path, "is_dir": folder, "file_size": 1}]}).encode()
    proxy.begin(Fault("status", status=200, body=offered, only="/mlflow-artifacts/artifacts?"))
    ended = process.mlops(repo, "promote", day=STEP.day, env=env)

    assert (5, True) == (ended.code, "a path leads out of them" in ended.err), ended
    assert before == looks.in_production(server.database)
    assert not OWNED_AT.exists()


def test_an_old_manifest_is_still_read(nights: Nights, tmp_path: Path) -> None:
    """Where neither version nor manifest has the digest of the records, as before there was one, it is promoted."""
    repo = nights.copy(STEP, tmp_path / "place")
    place = Spoiled(repo)
    place.declare(records_digest=None)
    place.sql("DELETE FROM model_version_tags WHERE key = 'records_digest'")
    ended = process.mlops(repo, "promote", day=STEP.day)

    assert 0 == ended.code, ended.err
    assert {NEWEST} == looks.in_production(looks.store(repo))


def test_untouched_it_is_promoted(nights: Nights, tmp_path: Path) -> None:
    """The same place, left alone, is promoted: the refusals above are about the changes."""
    repo = nights.copy(STEP, tmp_path / "place")
    Spoiled(repo).agree()

    assert 0 == process.mlops(repo, "promote", day=STEP.day).code
    assert {NEWEST} == looks.in_production(looks.store(repo))
