"""The target says which task a new model has, and a model of each task works without an edit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.config.settings import load_config
from tests.place import Place
from tests.scripts.newcomer import COLUMNS, choices, empty, kinds, new, put
from tests.scripts.tables import MANY, NUMBERS, cancer, prices, progress, species, words

CSV = {"species", "grapes", "figures", "progress"}


@pytest.fixture
def place(tmp_path: Path, mlflow_store: Path) -> Place:
    """A repository without a model, and an empty registry."""
    return empty(tmp_path / "repo", mlflow_store)


def night_after(rows: pd.DataFrame) -> dt.date:
    """The first night that sees all rows."""
    day: dt.date = rows["asked_at"].max().date() + dt.timedelta(days=1)
    return day


@pytest.mark.parametrize("name", [*MANY, *NUMBERS])
def test_every_kind_of_table_gives_a_model_that_the_doctor_finds_right(name: str, place: Place) -> None:
    """The folder is of the task that the target makes, is read, its pipeline is kept, and its rows have all columns."""
    rows = (MANY | NUMBERS)[name]()
    ran = new(place, put(place, rows, f"{name}.{'csv' if name in CSV else 'parquet'}"), *COLUMNS, "--json")
    assert 0 == ran.code, ran.err
    found = {one["what"]: one for one in place.mlops("doctor", "--json", day=night_after(rows)).data["checks"]}

    assert ("multiclass" if name in MANY else "regression") == ran.data["task"]
    assert [] == [one for one in found.values() if one["state"] == "fail"]
    assert ("ok", "ok") == (found["own: pipeline"]["state"], found["own: labels"]["state"])
    assert "missing so far: prediction and model_version" in found["own: rows"]["says"]


@pytest.mark.parametrize("name", ["species", "grapes", "progress", "prices", "noise"])
def test_a_new_model_is_trained_judged_and_replayed_without_an_edit(name: str, place: Place) -> None:
    """Its first version passes every gate that was proposed, and a replay of the last nights judges each of them."""
    rows = (MANY | NUMBERS)[name]()
    assert 0 == new(place, put(place, rows, f"{name}.{'csv' if name in CSV else 'parquet'}"), *COLUMNS).code
    for stage in ("pull", "check", "train"):
        ran = place.mlops(stage, day=night_after(rows))
        assert 0 == ran.code, ran.err
    verdict = place.mlops("validate", "--json", day=night_after(rows))
    replayed = place.mlops("replay", "--last", "4", "--json", day=night_after(rows))

    assert [] == [gate for gate in verdict.data["gates"] if gate["state"] != "passes"]
    assert 0 == replayed.code, replayed.err


def guessed(place: Place, values: Sequence[Any], *more: str, ending: str = "parquet") -> Any:
    """The run of the command with a target of these values, again and again."""
    rows = cancer()[["row", "asked_at", "mean radius"]]
    rows = rows.assign(target=np.resize(np.array(values), len(rows)))
    return new(place, put(place, rows, f"rows.{ending}"), *COLUMNS, "--json", *more)


def test_classes_are_called_as_a_night_reads_them(place: Place) -> None:
    """Numbers have one spelling, 1 for 1.0, in the order of the numbers, whether a CSV or a Parquet file has them."""
    values = [None, 10.0, 2.0, 1.0]

    assert ["1", "2", "10"] == choices(guessed(place, values, ending="csv"))["data.classes"]
    assert ["1", "2", "10"] == choices(guessed(place, values, "--force"))["data.classes"]


ASKED: dict[str, tuple[Sequence[Any], str]] = {
    "numbers as numbers": ([1, 2, 3], "regression"),
    "two words as classes": (["no", "yes"], "multiclass"),
    "0 and 1 as classes": ([0, 1], "multiclass"),
    "0 and 1 as numbers": ([0, 1], "regression"),
}


@pytest.mark.parametrize(("values", "task"), ASKED.values(), ids=ASKED)
def test_another_task_may_be_asked_for(values: Sequence[Any], task: str, place: Place) -> None:
    """With --task the model has that task, whatever the target looks like."""
    assert task == guessed(place, values, "--task", task).data["task"]
    assert task == load_config(place.folder, "own").task


IMPOSSIBLE: dict[str, tuple[Sequence[Any], str, str]] = {
    "words as numbers": (["a", "b", "c"], "regression", "'a', 'b', 'c'"),
    "three values as two": ([0, 1, 2], "binary", "0, 1, 2"),
    "too many classes": (range(101), "multiclass", "more than 100"),
    "no task": ([0, 1], "ranking", "binary, multiclass, regression"),
}


@pytest.mark.parametrize(("values", "task", "said"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_task_that_is_impossible_is_refused(values: Sequence[Any], task: str, said: str, place: Place) -> None:
    """The error names the values, or the tasks that there are; nothing is written."""
    ran = guessed(place, values, "--task", task)

    assert (2, True) == (ran.code, said in " ".join(ran.err.split())), ran.err
    assert [] == list((place.folder / "model").iterdir())


BAD: dict[str, tuple[Sequence[Any], str]] = {
    "a sign for missing": (["a", "b", "?"], "189 rows have the target '?'"),
    "a word for missing": (["a", "b", "N/A"], "189 rows have the target 'N/A'"),
    "too many texts": ([f"t{number}" for number in range(101)], "more than 100"),
    "without end": ([0.5, 1.5, np.inf], "189 rows have an infinite"),
    "too large": ([0.5, 1.5, 1e10], "from 0.5 to 1e+10"),
}


@pytest.mark.parametrize(("values", "said"), BAD.values(), ids=BAD)
def test_a_label_that_no_model_may_have_is_refused(values: Sequence[Any], said: str, place: Place) -> None:
    """Signs for a missing value are no classes, and numbers have to be finite; the error says how many there are."""
    ran = guessed(place, values)

    assert (3, True) == (ran.code, said in ran.err), ran.err


def test_a_class_of_too_few_rows_is_told(place: Place) -> None:
    """It stays a class, as it will come again, and the words say which it is and what to do."""
    rows = words().assign(target=lambda rows: rows["word0"].where(rows.index != 700, "once"))
    ran = new(place, rows, *COLUMNS)

    assert 0 == ran.code, ran.err
    assert "too few rows to learn: 'once' (1); collect more rows, or replace the class" in ran.out
    assert "once" in (load_config(place.folder, "own").data.classes or ())


def test_many_classes_are_few_words(place: Place) -> None:
    """Many classes are told by the first ones, and the doctor has rows of each."""
    rows = words().assign(target=lambda rows: [f"c{number % 40} | <b>" for number in range(len(rows))])
    ran = new(place, rows, *COLUMNS)
    found = {one["what"]: one for one in place.mlops("doctor", "--json", day=night_after(rows)).data["checks"]}

    assert "data.classes = ['c0 | <b>', 'c1 | <b>', 'c10 | <b>', ... 40 in all]" in ran.out
    assert "c39 \\| &lt;b>" in (place.model("own") / "README.md").read_text()
    assert "max_iter=15," in (place.model("own") / "pipeline.py").read_text()
    assert "160 synthetic rows" in found["own: pipeline"]["says"]


def test_the_range_of_labels_has_room(place: Place) -> None:
    """A quarter of the range on either side, on round numbers, and never under 0 where no label is."""
    assert [0.0, 430.0] == choices(new(place, progress(), *COLUMNS, "--json"))["data.label_range"]


def test_labels_with_heavy_tails_are_told(place: Place) -> None:
    """Where nearly all labels lie in few of the cells, the range is wider, and the words say what to do."""
    rows = prices().assign(target=lambda rows: rows["target"].where(rows.index != 300, 3e6))
    ran = new(place, rows, *COLUMNS)

    assert "of the 1,000 cells: take the logarithm" in ran.out
    assert (load_config(place.folder, "own").data.label_range or (0, 0))[1] > 5e6


def test_errors_are_judged_in_the_unit_of_the_label(place: Place) -> None:
    """Where r2 is useless the metric is an error, and floor and margins are as large as errors are."""
    found = choices(new(place, NUMBERS["noise"](), *COLUMNS, "--json"))

    assert "neg_mean_absolute_error" == found["triggers.performance.metric"]
    assert -500 < found["triggers.performance.floor"] < -200
    assert 5 < found["gates.max_loss_to_champion"] < 300
    assert "r2" == choices(new(place, prices(), *COLUMNS, "--json", "--force"))["triggers.performance.metric"]


@pytest.mark.parametrize(("made", "task"), [(species, "multiclass"), (progress, "regression")])
def test_leaks_of_each_task_are_left_out(made: Any, task: str, place: Place) -> None:
    """A number or text that tells the class or the number is left out, and a strong feature is not."""
    rows = made()
    rng, number = np.random.default_rng(0), rows["target"].astype(float)
    told = rows.assign(
        near=number + rng.random(len(rows)) / 3,
        code=((number * 7 + 3) % 1000).astype(int).astype(str) if task == "multiclass" else number // 10 * 10,
        strong=number + number.std() / 2 * rng.normal(size=len(rows)),
    )
    ran = new(place, told, *COLUMNS, "--json")
    found = kinds(ran)

    assert task == ran.data["task"]
    assert ["left out", "left out", "numeric"] == [found[name][0] for name in ("near", "code", "strong")]
    assert all("tells the target" in found[name][1] for name in ("near", "code"))


def test_a_column_that_was_left_out_may_be_kept(place: Place) -> None:
    """With --keep a leak and an id are features, with what speaks against them; drift ignores what always moves."""
    rows = cancer().assign(dose=lambda rows: rows["target"] + 0.1, number=lambda rows: rows.index * 3 + 5)
    ran = new(place, rows, *COLUMNS, "--keep", "dose", "--keep", "number", "--json")
    config = load_config(place.folder, "own")

    assert "kept by --keep, although its order alone tells the target" in kinds(ran)["dose"][1]
    assert {"dose", "number"} <= set(config.data.features)
    assert "row" == config.data.columns.id
    assert ("number",) == config.triggers.drift.ignore
    assert 1.0 == config.quality.max_out_of_range_share


WRONG = {"no column": "nothing", "the target": "target", "a date": "born"}


@pytest.mark.parametrize("name", WRONG.values(), ids=WRONG)
def test_a_column_that_can_be_no_feature_is_not_kept(name: str, place: Place) -> None:
    """What is no column, has a role, or cannot be read as a number or text is refused by its name."""
    ran = new(place, cancer().assign(born=pd.Timestamp("1990-01-01")), *COLUMNS, "--keep", name)

    assert (2, True) == (ran.code, f"--keep '{name}'" in ran.err), ran.err


def test_a_pipeline_of_another_task_fails_at_the_doctor(place: Place) -> None:
    """A classifier in a regression is found before any night trains it, and no stack trace is shown."""
    rows = progress()
    assert 0 == new(place, rows, *COLUMNS).code
    pipeline = place.model("own") / "pipeline.py"
    pipeline.write_text(pipeline.read_text().replace("HistGradientBoostingRegressor", "HistGradientBoostingClassifier"))
    ran = place.mlops("doctor", "--json", day=night_after(rows))
    found = {one["what"]: one for one in ran.data["checks"]}["own: pipeline"]

    assert ("fail", True) == (found["state"], "could not be fitted" in found["says"])


def test_the_output_says_which_task_and_why(place: Place) -> None:
    """The first lines name the task, what led to it, and how to have another one."""
    ran = new(place, species(), *COLUMNS)

    assert "The task is multiclass: target has 3 different whole numbers; if they are amounts" in ran.out
    assert "The task is **multiclass**" in (place.model("own") / "README.md").read_text()
    assert "own: which target is it?" in (place.model("own") / "README.md").read_text()
