"""What strangers' tables showed: names of any alphabet, no id, calendar columns, leaks by combination, and noise."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import unicodedata
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.config.settings import load_config
from tests.place import Place
from tests.scripts.newcomer import COLUMNS, choices, empty, kinds, new, put
from tests.scripts.tables import cancer, prices, timed, wide


@pytest.fixture
def place(tmp_path: Path, mlflow_store: Path) -> Place:
    """A repository without a model, and an empty registry."""
    return empty(tmp_path / "repo", mlflow_store)


def test_an_id_is_not_required(place: Place) -> None:
    """Without a column that identifies rows, the first lines say what is not looked for; with one, it is found."""
    rows = cancer().drop(columns="row")
    without = new(place, rows, *COLUMNS)

    assert 0 == without.code, without.err
    assert "No column identifies rows, so duplicate rows are not looked for" in without.out.split("The task is")[0]
    assert load_config(place.folder, "own").data.columns.id is None
    assert 0 == new(place, rows.assign(number=range(len(rows))), *COLUMNS, "--force").code
    assert "number" == load_config(place.folder, "own").data.columns.id


def test_a_model_without_an_id_is_trained_and_judged(place: Place) -> None:
    """Its duplicates are not looked for, and its nightly run works up to the verdict; a doubled row stops nothing."""
    rows = pd.concat([cancer().drop(columns="row")] * 2)
    assert 0 == new(place, put(place, rows), *COLUMNS).code
    night = rows["asked_at"].max().date() + dt.timedelta(days=1)

    for stage in ("pull", "check", "train", "validate"):
        ran = place.mlops(stage, day=night)
        assert 0 == ran.code, ran.err


def test_a_version_column_is_always_proposed(place: Place) -> None:
    """As the score's column, it is named before the service writes it, and the output says that it is not there yet."""
    ran = new(place, cancer(), *COLUMNS)
    roles = load_config(place.folder, "own").data.columns

    assert ("prediction", "model_version") == (roles.score, roles.version)
    assert "prediction and model_version are not columns yet" in ran.out


NAMES = [
    "größe (m²)",
    "हिन्दी",
    unicodedata.normalize("NFD", "Länge"),
    "price [€]",
    "#months",
    "tenure*",
    "Zeile №",
    "is it?",
]


@pytest.mark.parametrize("ending", ["csv", "parquet", "db"])
def test_names_of_all_alphabets_are_features(ending: str, place: Place) -> None:
    """Letters and signs of any alphabet are columns of model.toml, are read from each kind of source, and train."""
    rng = np.random.default_rng(0)
    rows = cancer()[["row", "asked_at", "mean radius", "target"]].assign(**{
        name: rng.normal(size=569) for name in NAMES
    })  # fmt: skip
    file = f"data/rows.{ending}"
    if ending == "db":
        with closing(sqlite3.connect(place.folder / file)) as database:
            rows.assign(asked_at=rows["asked_at"].astype(str)).to_sql("asked", database, index=False)
    else:
        put(place, rows, f"rows.{ending}")
    ran = new(place, file, *COLUMNS, "--json", *(("--table", "asked") if ending == "db" else ()))
    assert 0 == ran.code, ran.err
    night = rows["asked_at"].max().date() + dt.timedelta(days=1)

    assert {"mean radius", *NAMES} == set(load_config(place.folder, "own").data.numeric)
    assert 0 == place.mlops("pull", day=night).code
    assert 0 == place.mlops("check", day=night).code
    assert 0 == place.mlops("train", day=night).code


def test_an_accent_may_be_typed_composed_or_not(place: Place) -> None:
    """Options find a column whose letters are composed otherwise, and model.toml has the spelling of the table."""
    apart = {name: unicodedata.normalize("NFD", name) for name in ("zeit für", "größe", "schlüssel")}
    table = cancer().rename(
        columns={"asked_at": apart["zeit für"], "target": apart["größe"], "row": apart["schlüssel"]}
    )
    ran = new(place, table, "--time", "zeit für", "--target", "größe", "--id", "schlüssel")
    roles = load_config(place.folder, "own").data.columns

    assert 0 == ran.code, ran.err
    assert tuple(apart.values()) == (roles.time, roles.label, roles.id)


@pytest.mark.parametrize(
    ("sign", "said"), [('"', 'it contains "'), ("|", "it contains |"), ("\u200b", "zero width space (U+200B)")]
)
def test_a_name_that_is_refused_says_why_at_once(sign: str, said: str, place: Place) -> None:
    """A role of such a name ends the command with the character; another column is left out with it."""
    name = f"a{sign}b"
    refused = new(place, cancer().rename(columns={"target": name}), "--time", "asked_at", "--target", name)
    ran = new(place, cancer().assign(**{name: 0.5}), *COLUMNS, "--json")

    assert (2, True) == (refused.code, said in " ".join(refused.err.split())), refused.err
    assert said in kinds(ran)[name][1]


def test_columns_that_follow_the_calendar_are_left_out(place: Place) -> None:
    """Month, season and quarter have values that the training window does not have; the weekday stays."""
    rows = (
        prices()
        .assign(target=lambda rows: (rows["größe"] > 0).astype(int) ^ (rows.index % 5 == 0))
        .drop(columns="größe")
    )
    day = rows["asked_at"].dt
    dated = rows.assign(
        month=day.month, season=day.month % 12 // 3, quarter=day.quarter.astype(str), weekday=day.day_of_week
    )
    found = kinds(new(place, dated, *COLUMNS, "--json"))

    assert ["left out", "left out", "left out", "categorical"] == [
        found[name][0] for name in ("month", "season", "quarter", "weekday")
    ]
    assert all("it follows the calendar" in found[name][1] for name in ("month", "season", "quarter"))


def test_a_target_that_columns_tell_together_is_said_first(place: Place) -> None:
    """Casual and registered riders add up to the target: the first lines name both and ask when they are known."""
    rng, size = np.random.default_rng(7), 2000
    riders = pd.DataFrame(
        {"casual": rng.gamma(2, 40, size), "registered": rng.gamma(2, 60, size), "wind": rng.random(size)}
    )
    ran = new(place, timed(riders.assign(target=riders["casual"] + riders["registered"]), 150), *COLUMNS)
    first = " ".join(ran.out.split("The task is")[0].split())

    assert 0 == ran.code, ran.err
    assert "The score may be too good to be true: R²" in first
    assert "It depends most on registered, casual. Are these known when the prediction is requested?" in first


def test_predictions_of_an_older_model_are_left_out_and_said_first(place: Place) -> None:
    """Their names tell; as the score, or with --keep, they are taken."""
    rng = np.random.default_rng(8)
    rows = cancer().assign(
        y_pred=lambda rows: rows["target"], y_pred_proba=rng.random(569), predictability=rng.random(569)
    )
    ran = new(place, rows, *COLUMNS, "--score", "y_pred_proba")
    kept = new(place, rows, *COLUMNS, "--keep", "y_pred_proba", "--json", "--force")

    assert "Predictions of an older model, by their names: y_pred. Name the score" in " ".join(
        ran.out.split("The task is")[0].split()
    )
    assert "prediction of an older model" in kinds(kept)["y_pred"][1]
    assert ["numeric", "numeric"] == [kinds(kept)[name][0] for name in ("y_pred_proba", "predictability")]


def test_a_model_that_is_no_better_than_a_guess_is_said_first(place: Place) -> None:
    """On noise no score gate is proposed, and the first lines say so with both scores."""
    rng = np.random.default_rng(9)
    rows = cancer()[["row", "asked_at"]].assign(
        a=rng.normal(size=569), b=rng.normal(size=569), target=rng.integers(0, 2, 569)
    )
    ran = new(place, rows, *COLUMNS, "--json")

    assert [] == [key for key in choices(ran) if key in {"gates.balanced_accuracy", "gates.roc_auc"}]
    assert re.match(
        r"No gate judges the score: .*balanced accuracy 0\.\d+, a guess has 0\.500", ran.data["warnings"][0]
    )


def test_a_linear_model_that_is_as_good_is_said_first(place: Place) -> None:
    """Where the target is a sum with noise, the trees are compared with a linear model, which wins."""
    rng, size = np.random.default_rng(10), 900
    values = rng.normal(size=(size, 8))
    rows = pd.DataFrame(values, columns=list("abcdefgh")).assign(
        target=values.sum(axis=1) + 1.5 * rng.normal(size=size)
    )
    ran = new(place, timed(rows, 120), *COLUMNS, "--json")

    assert ran.data["warnings"][0].startswith("A linear model is at least as good as the proposed trees on")


def test_a_limit_stops_a_day_on_which_all_values_are_new(place: Place) -> None:
    """With three rows a day, a limit of three rows would let anything pass: all three are over the limit."""
    rows = cancer().assign(asked_at=lambda rows: pd.date_range("2024-01-01", periods=len(rows), freq="8h"))
    ran = new(place, rows, *COLUMNS, "--json")

    assert 0 == ran.code, ran.err
    assert 0.9 == choices(ran)["quality.max_out_of_range_share"]


def test_a_long_run_shows_its_steps(place: Place) -> None:
    """On many columns the steps are on standard error, and the pipeline finds few bins so that a fit takes seconds."""
    ran = new(place, wide(), *COLUMNS, "--json")

    assert re.search(r"\.\.\. quick fit \d of \d", ran.err)
    assert "max_bins=16" in (place.model("own") / "pipeline.py").read_text()
