from __future__ import annotations

import datetime as dt
import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer

from core.errors import ConfigError, OutsideError, RecordError, RegistryError
from core.records import Record
from registry.registry import Registry
from registry.version import ModelVersion
from tests.conftest import small_rows
from training.frame import features

Register = Callable[..., ModelVersion]


class Verdict(Record):
    """As much of a verdict as the registry looks at."""

    passed: bool


def to_stage(registry: Registry, version: int, stage: str = "Production", name: str = "flights") -> None:
    """Somebody moves a stage by hand."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        registry.client.transition_model_version_stage(name, str(version), stage)


def day(number: int) -> dt.datetime:
    """The nth of March 2013."""
    return dt.datetime(2013, 3, number, tzinfo=dt.UTC)


def runs(registry: Registry) -> list[Any]:
    """All runs of the trainings of flights."""
    place = registry.client.get_experiment_by_name("flights")
    return list(registry.client.search_runs([place.experiment_id]))


def test_a_registered_version_tells_where_it_comes_from(registry: Registry, register: Register) -> None:
    """One call keeps model, origin and evidence; all of it is read back as it was given."""
    version = register(4, params={"training": {"window_days": 60, "seed": 42}}, metrics={"fit_rows": 8.0})
    run = registry.client.get_run(version.run_id)

    assert {1: version} == registry.versions("flights")
    assert (day(4), "none", "None") == (version.trained_at, version.validation, version.stage)
    assert 1 == int(registry.client.get_model_version_by_alias("flights", "candidate").version)
    assert ("FINISHED", "training") == (run.info.status, run.data.tags["kind"])
    assert {"training.window_days": "60", "training.seed": "42"} == run.data.params
    assert {"fit_rows": 8.0} == run.data.metrics
    assert 0 == registry.baseline(version).rows
    assert 0.01 < registry.size_mb(version) < 1


def test_the_model_comes_back_and_reproduces_its_example(
    registry: Registry, register: Register, small_model: Any
) -> None:
    """The loaded estimator gives the probabilities of the fitted one, on the stored example and on other rows."""
    version = register(1)
    loaded = registry.load(version)
    rows, scores = registry.example(version)

    np.testing.assert_array_equal(small_model.predict_proba(rows)[:, 1], scores)
    np.testing.assert_array_equal(small_model.predict_proba(small_rows()), loaded.predict_proba(small_rows()))
    assert registry.reproduces_example(version, loaded)
    assert not registry.reproduces_example(version, FunctionTransformer())


def test_the_example_model_goes_through(registry: Registry, model: Any, rows: Any, baseline: Any, config: Any) -> None:
    """The flights model as it is trained can be kept, loaded, and says the same."""
    from registry.version import Origin
    from training.example import synthetic_rows

    night = day(4)
    origin = Origin(
        training_key="0" * 64,
        data_digest="1" * 64,
        trained_at=night,
        fit_until=night,
        data_until=night,
        commit="a" * 40,
    )
    example = synthetic_rows(baseline, config.data, seed=1)
    version = registry.register("flights", model, origin=origin, example=example, baseline=baseline)

    assert baseline == registry.baseline(version)
    assert registry.reproduces_example(version, registry.load(version))
    given = features(rows, config.data)
    np.testing.assert_array_equal(model.predict_proba(given), registry.load(version).predict_proba(given))


def test_one_training_is_registered_once(registry: Registry, register: Register) -> None:
    """The same training again finds its version and makes neither a run nor a version."""
    first, again, other = register(1), register(1), register(2)

    assert (1, 1, 2) == (first.version, again.version, other.version)
    assert 2 == len(runs(registry))
    assert other == registry.find("flights", other.training_key)
    assert None is registry.find("flights", "f" * 64)
    assert None is registry.find("boats", other.training_key)


def test_a_refused_model_leaves_nothing(registry: Registry, register: Register) -> None:
    """An estimator with code of its own is refused before a run is made."""

    class Classifier(FunctionTransformer):  # type: ignore[misc]
        """A type that is not on the list, and gives probabilities."""

        def predict_proba(self, rows: Any) -> Any:
            return np.full((len(rows), 2), 0.5)

    with pytest.raises(ConfigError, match=r"skops|allow-list"):
        register(1, Classifier(partial(np.clip, a_min=0, a_max=1)))

    assert {} == registry.versions("flights")
    assert [] == registry.trainings("flights")


def test_a_training_that_fails_is_marked_so(
    registry: Registry, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When MLflow fails in the middle, the run says FAILED, no version exists, and the training does not count."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(registry.client, "log_model_artifacts", full)
    with pytest.raises(OutsideError, match="No space left"):
        register(1)

    assert ["FAILED"] == [run.info.status for run in runs(registry)]
    assert {} == registry.versions("flights")
    assert [] == registry.trainings("flights")

    monkeypatch.undo()
    assert 1 == register(1).version


def test_every_finished_training_counts(registry: Registry, register: Register) -> None:
    """Refused candidates and deleted versions were trained too; deleted runs were not."""
    versions = [register(number) for number in (3, 1, 2)]
    registry.mark("flights", 1, Verdict(passed=False))
    registry.client.delete_model_version("flights", "2")
    assert [day(1), day(2), day(3)] == registry.trainings("flights")

    registry.client.delete_model_version("flights", "3")
    registry.client.delete_run(versions[2].run_id)
    assert [day(1), day(3)] == registry.trainings("flights")
    assert [] == registry.trainings("boats")


def test_a_training_killed_after_it_registered_counts(registry: Registry, register: Register) -> None:
    """The version of a run that never ended is a training, so the cooldown holds."""
    version = register(5)
    registry.client.update_run(version.run_id, status="RUNNING")

    assert [day(5)] == registry.trainings("flights")


def test_the_champion_is_the_one_in_production(registry: Registry, register: Register) -> None:
    """None before the first promotion, then the version in stage Production."""
    assert None is registry.champion("flights")
    register(1)
    version = register(2)
    assert None is registry.champion("flights")

    to_stage(registry, 2)
    assert version.model_copy(update={"stage": "Production"}) == registry.champion("flights")


def test_two_champions_are_none(registry: Registry, register: Register) -> None:
    """With two versions in Production nothing is judged against either, and the error says what repairs it."""
    for number in (1, 2):
        register(number)
        to_stage(registry, number)

    with pytest.raises(RegistryError, match="version 1 and 2") as caught:
        registry.champion("flights")
    assert "mlops promote" in caught.value.fix


def test_a_champion_that_we_did_not_train_is_an_error(registry: Registry, register: Register) -> None:
    """A model that somebody registered by hand is no version of ours, and in Production it is not "none"."""
    register(1)
    registry.client.create_model_version("flights", "file:///elsewhere")
    to_stage(registry, 2)

    assert [1] == list(registry.versions("flights"))
    with pytest.raises(RegistryError, match="In Production of flights: version 2"):
        registry.champion("flights")


def test_a_verdict_is_kept_and_told(registry: Registry, register: Register) -> None:
    """The version says whether it passed, the newest verdict wins, and the whole of it is beside the model."""
    version = register(1)
    for passed, said in ((True, "passed"), (False, "blocked")):
        registry.mark("flights", 1, Verdict(passed=passed))

        assert said == registry.versions("flights")[1].validation
        assert Verdict(passed=passed) == registry.record(version, "verdict.json", Verdict)
    with pytest.raises(RegistryError, match="no version 2"):
        registry.mark("flights", 2, Verdict(passed=True))


@pytest.mark.parametrize("now", ["Production", "Archived"])
def test_what_was_in_production_keeps_its_verdict(registry: Registry, register: Register, now: str) -> None:
    """Judged again, on other rows and beside another champion, it stays promotable: a rollback may need it."""
    version = register(1)
    assert registry.mark("flights", 1, Verdict(passed=True))
    to_stage(registry, 1, now)
    registry.client.set_model_version_tag("flights", "1", "promoted_at", day(2).isoformat())

    assert not registry.mark("flights", 1, Verdict(passed=False))
    assert "passed" == registry.versions("flights")[1].validation
    assert Verdict(passed=True) == registry.record(version, "verdict.json", Verdict)


@pytest.mark.parametrize("left", ["RUNNING", "FAILED"])
def test_a_training_that_was_cut_short_is_ended(registry: Registry, register: Register, left: str) -> None:
    """Killed or cut off between version and alias, the next run of the same training sets the alias, ends the run."""
    version = register(1)
    registry.client.update_run(version.run_id, status=left)
    registry.client.delete_registered_model_alias("flights", "candidate")
    registry.finish(version)
    assert "FINISHED" == registry.client.get_run(version.run_id).info.status
    assert 1 == int(registry.client.get_model_version_by_alias("flights", "candidate").version)

    register(2)
    registry.finish(version)
    assert 2 == int(registry.client.get_model_version_by_alias("flights", "candidate").version)


def test_of_two_equal_trainings_the_first_counts(registry: Registry, register: Register) -> None:
    """Where another machine registered the same training first, ours finds that; a strange version is no training."""
    first = register(1)
    tags = registry.client.get_model_version("flights", "1").tags
    registry.client.create_model_version("flights", "file:///elsewhere", first.run_id, tags=tags)
    assert first == registry.find("flights", first.training_key)

    registry.client.create_model_version("flights", "file:///elsewhere", tags={"training_key": f"{9:064x}"})
    assert 4 == register(9).version


def test_a_version_that_was_asked_for_twice_is_one(
    registry: Registry, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's client repeats a request whose answer was lost: the first of the two versions stays, as candidate."""
    ask = registry.client.create_model_version

    def twice(*words: Any, **more: Any) -> Any:
        ask(*words, **more)
        return ask(*words, **more)

    monkeypatch.setattr(registry.client, "create_model_version", twice)

    assert 1 == register(1).version
    assert [1] == list(registry.versions("flights"))
    assert 1 == int(registry.client.get_model_version_by_alias("flights", "candidate").version)
    assert [day(1)] == registry.trainings("flights")


def test_the_digest_of_the_records_tells_changes(registry: Registry, register: Register) -> None:
    """It is that of the files and times as they are in the store now, and is kept with the version at its training."""
    version = register(1)
    assert version.records_digest == registry.records_digest(version)

    later = version.model_copy(update={"fit_until": day(9)})
    assert version.records_digest != registry.records_digest(later)
    kept = registry.artifacts / "flights" / version.run_id / "artifacts" / "baseline.json"
    kept.write_text(kept.read_text() + " ")
    assert version.records_digest != registry.records_digest(version)


def test_records_are_kept_by_name(registry: Registry, register: Register) -> None:
    """Further evidence of a training is read back by its file name, and not as something else."""
    version = register(1, records={"decision.json": Verdict(passed=True)})

    assert Verdict(passed=True) == registry.record(version, "decision.json", Verdict)
    with pytest.raises(RecordError):
        registry.record(version, "baseline.json", Verdict)
    with pytest.raises(OutsideError, match=r"none\.json"):
        registry.record(version, "none.json", Verdict)


def test_models_side_by_side_do_not_meet(registry: Registry, register: Register) -> None:
    """A second model has its own versions, champion and trainings."""
    register(1)
    register(1, name="boats.small-2")
    register(2, name="boats.small-2")
    to_stage(registry, 2, name="boats.small-2")

    assert (1, 2) == (len(registry.versions("flights")), len(registry.versions("boats.small-2")))
    assert None is registry.champion("flights")
    assert [day(1)] == registry.trainings("flights")


def test_many_versions_and_runs_come_in_pages(
    registry: Registry, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More versions and trainings than MLflow gives at once are all seen."""
    monkeypatch.setattr("registry.store.PAGE", 2)
    for number in range(1, 6):
        register(number)

    assert [1, 2, 3, 4, 5] == list(registry.versions("flights"))
    assert [day(number) for number in range(1, 6)] == registry.trainings("flights")


def test_no_path_of_the_machine_is_in_the_model(registry: Registry, register: Register, tmp_path: Path) -> None:
    """The files that a service downloads do not tell where they were made, nor hold a row."""
    version = register(1)
    with registry._files(version) as folder:
        texts = {path.name: path.read_bytes() for path in folder.rglob("*")}

    assert {"MLmodel", "conda.yaml", "model.skops", "python_env.yaml", "requirements.txt"} == set(texts)
    assert b"skops==" in texts["requirements.txt"]
    for text in texts.values():
        assert os.fsencode(tmp_path) not in text
        assert os.fsencode(Path.home()) not in text


def test_mlflow_itself_serves_what_was_registered(
    registry: Registry, register: Register, small_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that loads models:/NAME@alias with MLflow gets probabilities; here it must allow itself to."""
    import mlflow

    register(1)
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.client.tracking_uri)
    served = mlflow.pyfunc.load_model("models:/flights@candidate")

    np.testing.assert_array_equal(small_model.predict_proba(small_rows()), served.predict(small_rows()))


def test_runs_of_others_do_not_count(registry: Registry, register: Register) -> None:
    """A run that somebody else left in the experiment is no training, even if it says so."""
    register(1)
    place = registry.client.get_experiment_by_name("flights").experiment_id
    for tags in ({}, {"kind": "training"}, {"kind": "training", "trained_at": "lately"}):
        run = registry.client.create_run(place, tags=tags)
        registry.client.set_terminated(run.info.run_id)

    assert [day(1)] == registry.trainings("flights")


def test_mlflow_is_quiet(registry: Registry, register: Register, capfd: pytest.CaptureFixture[str]) -> None:
    """What MLflow has to say does not stand in the middle of our output."""
    version = register(1)
    registry.load(version)
    to_stage(registry, 1)
    registry.champion("flights")

    assert ("", "") == tuple(capfd.readouterr())


def test_a_deleted_experiment_is_said(registry: Registry, register: Register) -> None:
    """When somebody deleted the trainings in MLflow, the error says how to bring them back."""
    register(1)
    registry.client.delete_experiment(registry.client.get_experiment_by_name("flights").experiment_id)

    with pytest.raises(OutsideError, match="was deleted") as caught:
        register(2)
    assert "mlflow experiments restore" in caught.value.fix
