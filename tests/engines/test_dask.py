"""A training on a Dask cluster gives the model that a training here gives, or says why not and leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError, OutsideError
from tests.place import FIRST, Place
from training import dask
from training.dask import computing_on

distributed = pytest.importorskip("distributed", reason="the extra [dask] is not installed (make engines)")

FOREST = '''"""A forest, whose trees are grown side by side."""
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

def build(config):
    """Trees on the numeric columns."""
    numbers = ColumnTransformer([("numbers", SimpleImputer(), list(config.data.numeric))])
    return make_pipeline(numbers, RandomForestClassifier(40, min_samples_leaf=20))
'''
NOBODY = "tcp://127.0.0.1:9"
LOCAL = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "worker_dashboard_address": "127.0.0.1:0"}


@pytest.fixture(scope="module")
def workers() -> Iterator[Any]:
    """Two workers, each a process."""
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, **LOCAL) as running:
        yield running


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Place:
    """A repository whose model is a forest, with a decision to train it."""
    made = Place.make(tmp_path_factory.mktemp("dask") / "repo", store=mlflow_store)
    (made.model("flights") / "pipeline.py").write_text(FOREST)
    made.person.git("commit", "--quiet", "--all", "--message", "A forest")
    for words in (["pull"], ["check"]):
        assert 0 == made.mlops(*words).code
    return made


def on(place: Place, folder: Path, address: str | None) -> Place:
    """A copy of the place whose model is fitted on a cluster; its registry is its own."""
    copy = place.copy(folder)
    config = copy.model("flights") / "model.toml"
    if address:
        config.write_text(config.read_text().replace("[training]\n", f'[training]\ncluster = "{address}"\n', 1))
    return copy


def trees(place: Place) -> list[dict[str, Any]]:
    """The nodes of each tree of the candidate, out of the registry; without what fills up their memory."""
    registry = place.night(FIRST).registry
    forest = registry.load(registry.versions("flights")[1])[-1]
    states = [tree.tree_.__getstate__() for tree in forest.estimators_]
    return [
        {name: state["nodes"][name].tolist() for name in state["nodes"].dtype.names}
        | {"values": state["values"].tolist()}
        for state in states
    ]


def test_a_model_fitted_on_two_workers_is_the_same(place: Place, workers: Any, tmp_path: Path) -> None:
    """Each tree has the same splits, the training has the same key, and the workers did grow the trees."""
    models, keys = [], []
    for name, address in (("here", None), ("there", workers.scheduler_address)):
        copy = on(place, tmp_path / name, address)
        ran = copy.mlops("train", "--json")
        assert 0 == ran.code, ran.err
        keys.append(ran.data["training_key"])
        models.append(trees(copy))

    assert keys[0] == keys[1]
    assert 40 == len(models[0])
    assert models[0] == models[1]
    with distributed.Client(workers.scheduler_address, set_as_default=False) as client:
        done = client.run(lambda dask_worker: dask_worker.state.executed_count)
    assert 2 == len(done)
    assert all(done.values())


def test_an_unreachable_cluster_ends_the_training(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 6 with the address and what to type; no version and no run is left that says it was trained."""
    monkeypatch.setattr(dask, "TIMEOUT", 1)
    copy = on(place, tmp_path / "alone", NOBODY)

    ran = copy.mlops("train")

    assert 6 == ran.code
    assert f"The Dask cluster at {NOBODY} cannot be used" in ran.err
    assert "mend training.cluster in model.toml; nothing was trained" in " ".join(ran.err.split())
    assert 0 == copy.versions()
    assert not (copy.folder / "local" / "flights" / "candidate.json").exists()


@pytest.mark.parametrize("state", ["ok", "warn"])
def test_the_doctor_looks_at_the_cluster(
    place: Place, workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """One that has workers is well; one that nobody answers at is worth a look before the night that trains."""
    monkeypatch.setattr(dask, "TIMEOUT", 1)
    copy = on(place, tmp_path / "repo", workers.scheduler_address if state == "ok" else NOBODY)
    found = {one["what"]: one["state"] for one in copy.mlops("doctor", "--json").data["checks"]}

    assert state == found["flights: cluster"]


def test_a_cluster_without_workers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler that has nobody to work would let a training wait for ever."""
    monkeypatch.setattr(dask, "TIMEOUT", 1)
    with (
        distributed.LocalCluster(n_workers=0, **LOCAL) as empty,
        pytest.raises(OutsideError, match=r"cannot be used") as caught,
        computing_on(empty.scheduler_address),
    ):
        pass

    assert "had no worker" in caught.value.why


def test_a_cluster_that_is_lost_is_not_blamed_on_the_estimator(workers: Any) -> None:
    """What Dask fails with becomes exit 6; what the estimator fails with stays its owner's to mend."""
    for cause, kind in ((distributed.comm.CommClosedError("gone"), OutsideError), (ValueError("NaN"), ConfigError)):
        with pytest.raises(kind) as caught, computing_on(workers.scheduler_address):
            raise ConfigError("The estimator could not be fitted.") from cause
        assert caught.type is kind
