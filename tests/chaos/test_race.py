"""Two that write at the same time: what git declares wins in the end, and who loses says why."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from tests.chaos import looks, process
from tests.chaos.conftest import WHOLE, Tried
from tests.chaos.edges import Point
from tests.chaos.nights import ASKED, BY_NAME, FIRST, LATER, Nights
from tests.chaos.nights import moved as moved_store
from tests.github.double import Double
from tests.github.gateway import Gateway

whole = pytest.mark.skipif(not WHOLE, reason="by make chaos")


def elsewhere(repo: Path, name: str) -> tuple[Path, dict[str, str]]:
    """A second machine: another checkout and other records, but the same registry and the same forge."""
    other = repo.parent / name / "repo"
    shutil.copytree(repo, other, ignore=shutil.ignore_patterns("mlflow.db*", "artifacts", "forge.git"))
    store, forge = repo / "local" / "mlflow.db", repo / "local" / "forge.git"
    return other, {"MLFLOW_TRACKING_URI": f"sqlite:///{store}", "MLOPS_FORGE": str(forge)}


def declare(repo: Path, commit: str) -> None:
    """The checkout goes back to an older commit, as a job does that was queued before the last merge."""
    subprocess.run(["git", "reset", "--quiet", "--hard", commit], cwd=repo, check=True)


def serving(repo: Path) -> tuple[set[int], int | None]:
    """What is in Production, and the version that services are given."""
    return looks.in_production(looks.store(repo)), looks.alias(looks.store(repo))


def moments(nights: Nights, name: str, every: int = 1) -> list[Point]:
    """The instants of a step at which somebody else can write: not those inside a transaction."""
    return [point for point in nights.points(BY_NAME[name]) if not point.locks][::every]


@whole
@pytest.mark.parametrize("name", ["promote", "stale"])
def test_two_promotions_of_different_manifests(nights: Nights, tmp_path: Path, tried: Tried, name: str) -> None:
    """A job of an older commit promotes at any instant of a promotion, or the other way round: then the tip wins.

    Each of the two ends well or says why it did not; the next promotion of the tip ends with what git declares.
    """
    step, lost = BY_NAME["promote"], []
    points = moments(nights, "promote")
    for point in points:
        repo = nights.copy(step, tmp_path / "race" / str(point.number))
        stale, env = elsewhere(repo, "stale")
        declare(stale, "HEAD~1")
        assert ({1}, 1) == serving(repo)
        running, hold = process.held(repo, "promote", day=LATER, at=point)
        ended = [process.mlops(stale, "promote", day=LATER, env=env)]
        if name == "stale":  # and once more after a second thought of the tip
            ended.append(process.mlops(elsewhere(repo, "tip")[0], "promote", day=LATER, env=env))
        hold.go.set()
        ended += [running.end(), process.mlops(repo, "promote", day=LATER)]
        silent = [one for one in ended if one.code and "error" not in one.err]
        if silent or {one.code for one in ended} - {0, 5, 6} or ended[-1].code:
            lost.append(f"{point}: {ended}")
        elif ({2}, 2) != serving(repo):
            lost.append(f"{point}: {serving(repo)}")
    tried(len(points), lost)

    assert [] == lost


def moved(uri: str, version: int, both: Barrier) -> None:
    """Move a version to Production as MLflow offers it, together with somebody else."""
    import warnings

    from mlflow import MlflowClient

    warnings.simplefilter("ignore", FutureWarning)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.get_registered_model("flights")
    both.wait()
    client.transition_model_version_stage("flights", str(version), "Production", archive_existing_versions=True)


@whole
def test_two_production_versions_are_repaired(nights: Nights, tmp_path: Path) -> None:
    """MLflow lets two simultaneous stage moves end with two Production versions, without an error; promote ends it."""
    repo = nights.copy(BY_NAME["promote"], tmp_path / "race")
    uri = f"sqlite:///{repo / 'local' / 'mlflow.db'}"
    for _ in range(30):
        with closing(sqlite3.connect(looks.store(repo))) as db, db:
            db.execute("UPDATE model_versions SET current_stage = 'None'")
        both = process.CONTEXT.Barrier(2)
        pair = [process.CONTEXT.Process(target=moved, args=(uri, version, both)) for version in (1, 2)]
        for one in pair:
            one.start()
        for one in pair:
            one.join()
        assert [0, 0] == [one.exitcode for one in pair]
        if len(serving(repo)[0]) > 1:
            break

    assert {1, 2} == serving(repo)[0], "MLflow moves stages one after the other now: this test can go"
    assert 5 == process.mlops(repo, "promote", "--verify", day=LATER).code
    assert 0 == process.mlops(repo, "promote", day=LATER).code
    assert ({2}, 2) == serving(repo)


@whole
@pytest.mark.parametrize("attempt", range(6))
def test_three_promotions_at_once_are_noted_once(nights: Nights, tmp_path: Path, attempt: int) -> None:
    """Three machines promote one manifest at once, by clocks that differ, and one again later: one event says so."""
    repo = nights.copy(BY_NAME["promote"], tmp_path / "race" / str(attempt))
    machines = [(repo, {}), elsewhere(repo, "second"), elsewhere(repo, "third")]
    days = [LATER + (place - 1) * (attempt + 1) * dt.timedelta(days=1) for place in range(3)]
    running = [
        process.start(folder, "promote", day=day, env=env) for (folder, env), day in zip(machines, days, strict=True)
    ]
    ended = [one.end() for one in running]
    again = process.mlops(repo, "promote", day=LATER - dt.timedelta(days=60))
    noted = [event["version"] for event in looks.events(looks.store(repo)) if event["kind"] == "promotion"]

    assert {0, 6} >= {one.code for one in ended}, ended
    assert 0 == again.code, again
    assert [1, 2] == noted
    assert ({2}, 2) == serving(repo)


def test_two_nights_on_one_machine(nights: Nights, tmp_path: Path) -> None:
    """One of two runs of a model works; the other ends at once with exit code 6, says why, and changes nothing."""
    step = BY_NAME["first train"]
    repo = nights.copy(step, tmp_path / "night")
    night, hold = process.held(repo, "train", day=FIRST, at=nights.points(step)[0])
    second = process.mlops(repo, "train", day=FIRST)
    hold.go.set()

    assert (6, True) == (second.code, "Another run is working on flights" in second.err)
    assert 0 == night.end().code
    assert [] == looks.differences(nights.after(step), looks.look(repo))


@whole
def test_two_nights_on_two_machines(nights: Nights, tmp_path: Path, tried: Tried) -> None:
    """The same training on a second machine, at any instant of the first, leaves one version and one training."""
    lost, points = [], moments(nights, "first train", every=3)
    for point in points:
        repo = nights.copy(BY_NAME["first train"], tmp_path / "race" / str(point.number))
        other, env = elsewhere(repo, "other")
        running, hold = process.held(repo, "train", day=FIRST, at=point)
        second = process.mlops(other, "train", day=FIRST, env=env)
        hold.go.set()
        first = running.end()
        seen = looks.look(repo)
        told = [json.loads((at / "local/flights/candidate.json").read_text())["version"] for at in (repo, other)]
        (version, *more), registered = seen["versions"], seen["aliases"]["candidate"]
        if (0, 0, 1, []) != (first.code, second.code, seen["trainings"], more) or {int(version), registered} != {*told}:
            lost.append(f"{point}: {first} {second} {[version, *more]} {seen['trainings']} {registered} {told}")
    tried(len(points), lost)

    assert [] == lost


@whole
def test_two_proposals_of_one_candidate(nights: Nights, tmp_path: Path, tried: Tried) -> None:
    """The same proposal from a second machine, at any instant of the first, leaves one pull request."""
    lost, points = [], moments(nights, "propose")
    step = BY_NAME["propose"]
    for point in points:
        repo = nights.copy(step, tmp_path / "race" / str(point.number))
        other, env = elsewhere(repo, "other")
        running, hold = process.held(repo, "propose", day=LATER, at=point)
        second = process.mlops(other, "propose", day=LATER, env=env)
        hold.go.set()
        first = running.end()
        found = looks.differences(nights.after(step)["forge"], looks.look(repo)["forge"])
        if found or {first.code, second.code} != {0}:
            lost.append(f"{point}: {first} {second} {found}")
    tried(len(points), lost)

    assert [] == lost


@whole
def test_a_promotion_on_the_machine_of_a_night(nights: Nights, tmp_path: Path) -> None:
    """While a night works on the model, a promotion ends with exit code 6 and says so; afterwards it promotes."""
    repo = nights.copy(BY_NAME["promote"], tmp_path / "night")
    night, hold = process.held(repo, "train", day=LATER, at=nights.points(BY_NAME["train"])[0])
    ended = process.mlops(repo, "promote", day=LATER)
    hold.go.set()
    assert 0 == night.end().code

    assert (6, True) == (ended.code, "Another run is working on flights" in ended.err)
    assert 0 == process.mlops(repo, "promote", day=LATER).code
    assert ({2}, 2) == serving(repo)


@whole
def test_a_promotion_between_two_stages_of_a_night(nights: Nights, tmp_path: Path) -> None:
    """What was compared with a version that has left Production meanwhile is not proposed, and is told why."""
    repo = nights.copy(BY_NAME["promote"], tmp_path / "night")
    candidate(repo)
    assert 0 == process.mlops(repo, "promote", day=LATER).code
    proposed = process.mlops(repo, "propose", day=LATER)

    assert 2 == proposed.code
    assert "was compared with version 1, and version 2 is in Production now" in proposed.err
    assert ({2}, 2) == serving(repo)
    for words in (["validate"], ["propose"]):
        assert 0 == process.mlops(repo, *words, day=LATER).code


def candidate(repo: Path) -> None:
    """The night trains and judges another version, by another seed, against what is in Production."""
    config = repo / "model" / "flights" / "model.toml"
    config.write_text(config.read_text().replace("seed = 42", "seed = 43"))
    for words in (["pull"], ["check", *ASKED], ["train"], ["validate"]):
        assert 0 == process.mlops(repo, *words, day=LATER).code


@whole
def test_a_promotion_while_a_proposal_is_made_at_github(
    nights: Nights, gateway: Gateway, tmp_path: Path, tried: Tried
) -> None:
    """A promotion at any write of a proposal: no pull request stays open that was compared with what was before.

    Whoever finds it closes it and says why; and its check would refuse it.
    """
    lost, first = [], nights.copy(BY_NAME["promote"], tmp_path / "night")
    candidate(first)
    moments = [(number, when) for number in range(1, 20) for when in ("before", "after")]
    for count, moment in enumerate(moments):
        repo = tmp_path / str(count) / "repo"
        shutil.copytree(first, repo)
        moved_store(looks.store(repo), str(first), str(repo))
        with gateway.serving(Double(repo.parent / "github")) as double:
            files = ("model/flights/model.toml", "model/flights/production.json")
            double.push({name: (repo / name).read_text() for name in files}, "Use this template")
            env = {**process.hub(double), "MLFLOW_TRACKING_URI": f"sqlite:///{looks.store(repo)}"}
            other, _ = elsewhere(repo, "other")
            ends: list[process.Ended] = []
            double.meanwhile(lambda: ends.append(process.mlops(other, "promote", day=LATER, env=env)), *moment)  # noqa: B023
            proposed = process.mlops(repo, "propose", day=LATER, env=env)
            if double.kill is not None:
                break
            # On a busy machine the request that waits is sent again, and then finds the first one closed.
            states = {pull.state for pull in double.pulls.values()}
            declared = double.read("model/flights/production.json", "promote/flights")
            (repo / "model/flights/production.json").write_text(declared or "")
            checked = process.mlops(repo, "review", day=LATER, env=env)
            told = [comment.body for comment in double.comments.values()]
        said = "was compared with version 1, and version 2 is in Production now"
        good = (states, [end.code for end in ends], serving(repo)) == ({"closed"}, [0], ({2}, 2))
        if not good or not told or proposed.code not in {0, 2} or (proposed.code and said not in proposed.err):
            lost.append(f"{moment}: {states} {told} {proposed} {ends}")
        if (checked.code, "version 1" in checked.out + checked.err) != (5, True):
            lost.append(f"{moment}, its check: {checked}")
    tried(count, lost)

    assert [] == lost
    assert count > 8
