"""A model's folder is made from any binary table, works without an edit, and says why each choice was made."""

from __future__ import annotations

import datetime as dt
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.config.settings import load_config
from scripts.new.rows import TableRows
from scripts.new.table import look
from tests.place import FLIGHTS, ROOT, Place
from tests.scripts.newcomer import COLUMNS, choices, empty, kinds, new, put
from tests.scripts.tables import TABLES, cancer, mixed


@pytest.fixture
def place(tmp_path: Path, mlflow_store: Path) -> Place:
    """A repository without a model, and an empty registry."""
    return empty(tmp_path / "repo", mlflow_store)


@pytest.mark.parametrize("name", TABLES)
def test_every_kind_of_table_gives_a_model_that_the_doctor_finds_right(name: str, place: Place) -> None:
    """The folder of each table is read, its pipeline fits and is kept without pickle, and its rows have all columns."""
    rows = TABLES[name]()
    ran = new(place, put(place, rows, f"{name}.{'csv' if name in {'cancer', 'one'} else 'parquet'}"), *COLUMNS)
    assert 0 == ran.code, ran.err
    night = rows["asked_at"].max().date() + dt.timedelta(days=1)
    found = {one["what"]: one for one in place.mlops("doctor", "--json", day=night).data["checks"]}

    assert [] == [one for one in found.values() if one["state"] == "fail"]
    assert ("ok", "ok") == (found["own: pipeline"]["state"], found["own: labels"]["state"])
    assert "missing so far: prediction and model_version" in found["own: rows"]["says"]


LEFT_OUT = {
    "born": "a date",
    "visited": "a date",
    "country": "only one value",
    "empty": "missing in every row",
    "rarely": "a limit that allows this",
    "note": "texts are different",
    "outcome": "tells the target",
    "dose": "tells the target",
    "amount": "written as text",
    "parts": "its type",
    'say "hi" | <b>': 'it contains "',
    "counter": "moves with time",
    "patient_id": "an id",
}
TAKEN = {
    "mean radius": "numeric",
    "mean texture": "numeric",
    "mean perimeter": "numeric",
    "größe (cm)": "numeric",
    "年齢": "numeric",
    "smokes": "categorical",
    "ward_code": "categorical",
    "stage": "categorical",
}


def test_what_no_model_should_see_is_left_out_with_its_reason(place: Place) -> None:
    """Ids, dates, constants, leaks and the like are named with why; numbers, codes and flags are told apart."""
    found = kinds(new(place, mixed(), *COLUMNS, "--id", "row", "--json"))
    config = load_config(place.folder, "own")

    assert set(LEFT_OUT) | set(TAKEN) == set(found)
    assert [] == [name for name, said in LEFT_OUT.items() if found[name][0] != "left out" or said not in found[name][1]]
    assert TAKEN == {name: kind for name, (kind, _) in found.items() if kind != "left out"}
    assert {name for name, kind in TAKEN.items() if kind == "numeric"} == set(config.data.numeric)


def test_numbers_mixed_with_text_are_told_from_codes(place: Place) -> None:
    """A number that is a question mark where missing is left out with what to do; codes with letters are kept."""
    rows = cancer()
    texts = rows["mean radius"].astype(str).where(rows.index % 9 > 0, "?")
    codes = pd.Series(np.resize(["12", "12A", "7", "8"], len(rows)))
    ran = new(place, put(place, rows.assign(marked=texts, door=codes), "rows.csv"), *COLUMNS, "--json")

    assert "mixed with text" in kinds(ran)["marked"][1]
    assert "categorical" == kinds(ran)["door"][0]


def test_days_at_the_end_without_labels_say_when_labels_come(place: Place) -> None:
    """Without a column that tells, labels take as long as the last days have hardly any."""
    rows = cancer()
    last = rows["asked_at"].max().normalize() - pd.Timedelta(days=5)
    ran = new(place, rows.assign(target=rows["target"].where(rows["asked_at"] < last)), *COLUMNS, "--json")

    assert 6 == choices(ran)["training.maturity_days"]


def test_all_rows_of_one_day_are_enough(place: Place) -> None:
    """A table of a single day is cut at an instant, and its model can be trained."""
    rows = cancer()
    moments = pd.Timestamp("2024-05-05") + pd.to_timedelta(np.arange(len(rows)), unit="min")
    ran = new(place, rows.assign(asked_at=moments), *COLUMNS, "--json")

    assert 0 == ran.code, ran.err
    assert (1, 0) == tuple(choices(ran)[f"training.{key}"] for key in ("window_days", "maturity_days"))


def test_a_column_known_only_with_the_label_is_left_out(place: Place) -> None:
    """What is null just where the target is null would be null whenever the model is asked."""
    rows = cancer().assign(target=lambda rows: rows["target"].where(rows.index < 500))
    found = kinds(new(place, rows.assign(late=rows["mean radius"].where(rows["target"].notna())), *COLUMNS, "--json"))

    assert "missing exactly where the target is" in found["late"][1]
    assert "numeric" == found["mean radius"][0]


TARGETS = {
    "text": (["no", "yes"], "'no', 'yes'", "Which of these two means 1"),
    "other numbers": ([1, 2], "1, 2", "Which of these two means 1"),
    "one class": ([0], "1 different value: 0", "nothing to tell apart"),
}


@pytest.mark.parametrize(("values", "found", "why"), TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_target_that_makes_no_task_is_refused(
    values: list[Any], found: str, why: str, ending: str, place: Place
) -> None:
    """The error says what was found, why nothing can be made of it, and how to mend it; nothing is written."""
    rows = cancer().assign(target=lambda rows: np.resize(np.array(values), len(rows)))
    ran = new(place, put(place, rows, f"rows.{ending}"), *COLUMNS)

    assert 3 == ran.code
    assert found in ran.err
    assert why in ran.err
    assert [] == list((place.folder / "model").iterdir())


def test_false_and_true_are_a_binary_target_in_text_too(place: Place) -> None:
    """A CSV file with False and True gives the same columns and numbers as one with 0 and 1."""
    both = [
        new(place, put(place, rows, f"{name}.csv"), *COLUMNS, "--json", name=name)
        for name, rows in (("flags", cancer().assign(target=lambda rows: rows["target"] == 1)), ("numbers", cancer()))
    ]

    assert [0, 0] == [ran.code for ran in both]
    assert kinds(both[0]) == kinds(both[1])
    first, second = (choices(ran) for ran in both)
    assert first == second


WRONG: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no such column": (("--time", "asked_at", "--target", "left"), 2, "has no column 'left'"),
    "no such time": (("--time", "when", "--target", "target"), 2, "has no column 'when'"),
    "a time that is none": (("--time", "row", "--target", "target"), 3, "cannot be read as a time"),
    "an id that repeats": ((*COLUMNS, "--id", "mean radius"), 3, "repeated in"),
    "a column twice": (("--time", "asked_at", "--target", "asked_at"), 2, "several roles"),
}


@pytest.mark.parametrize(("words", "code", "said"), WRONG.values(), ids=WRONG)
def test_columns_that_cannot_be_what_they_are_named(words: tuple[str, ...], code: int, said: str, place: Place) -> None:
    """Each mistake in naming columns ends with its exit code and what was found, and writes nothing."""
    ran = new(place, cancer(), *words)

    assert (code, True) == (ran.code, said in " ".join(ran.err.split())), ran.err
    assert [] == list((place.folder / "model").iterdir())


@pytest.mark.parametrize(("rows", "said"), [(60, "57 labelled rows from before its last 1 days"), (0, "has no rows")])
def test_too_few_rows_are_refused(rows: int, said: str, place: Place) -> None:
    """A table on which nothing could be judged is refused with its counts."""
    ran = new(place, cancer().head(rows), *COLUMNS)

    assert 3 == ran.code
    assert said in ran.err


@pytest.mark.parametrize("name", ["My-Model", "1st", "own"])
def test_a_name_that_is_none_or_taken_is_refused(name: str, place: Place) -> None:
    """Names that are not valid, or that a model has already, are refused."""
    (place.folder / "model" / "own").mkdir()
    ran = new(place, "nowhere.csv", *COLUMNS, name=name)

    assert 2 == ran.code
    assert name in ran.err


def test_force_writes_over_our_three_files_only(place: Place) -> None:
    """With --force the folder's own files come anew, and what else lies there, such as a manifest, stays."""
    assert 0 == new(place, cancer(), *COLUMNS).code
    folder = place.model("own")
    for name in ("model.toml", "pipeline.py", "README.md", "production.json"):
        (folder / name).write_text("mine")

    assert 0 == new(place, cancer(), *COLUMNS, "--force").code
    assert "mine" == (folder / "production.json").read_text()
    assert "own" == load_config(place.folder, "own").registry_name
    assert ["own"] == [path.name for path in (place.folder / "model").iterdir()]


def test_the_repository_is_found_from_a_folder_in_it(place: Place) -> None:
    """A folder that only has one called model, such as that of the tests, is not taken for the repository."""
    assert 0 == new(place, cancer(), *COLUMNS).code
    inside = place.folder / "tests" / "model"
    inside.mkdir(parents=True)
    ran = new(Place(inside.parent), str(place.folder / "data" / "rows.parquet"), *COLUMNS, name="second")

    assert 0 == ran.code, ran.err
    assert "data/rows.parquet" == load_config(place.folder, "second").data.source


def test_no_path_of_this_machine_is_written(place: Place, tmp_path: Path) -> None:
    """A file outside of the repository becomes ${MONITORING_URL}, and the line to export is only printed."""
    outside = tmp_path / "else where.csv"
    cancer().to_csv(outside, index=False)
    ran = new(place, str(outside), *COLUMNS)

    assert '"${MONITORING_URL}"' in (place.model("own") / "model.toml").read_text()
    assert not any(str(tmp_path) in path.read_text() for path in place.model("own").iterdir())
    assert f"export MONITORING_URL='{outside}'" in ran.out


def test_a_database_gives_what_a_file_gives(place: Place) -> None:
    """A table of SQLite leads to the same columns as the Parquet file that it was made of."""
    rows = cancer()
    with closing(sqlite3.connect(place.folder / "data" / "rows.db")) as database:
        rows.assign(asked_at=rows["asked_at"].astype(str)).to_sql("asked", database, index=False)
    both = [
        new(place, "data/rows.db", "--table", "asked", *COLUMNS, "--json", name="table"),
        new(place, rows, *COLUMNS, "--json", name="file"),
    ]

    assert kinds(both[0]) == kinds(both[1])
    assert choices(both[0]) == choices(both[1])
    assert "asked" == load_config(place.folder, "table").data.table


def test_what_a_database_cannot_give_is_left_out(place: Place) -> None:
    """Columns of DuckDB with parts inside are named and left out; the others are read, and the URL is kept."""
    duckdb = pytest.importorskip("duckdb")
    rows = cancer().assign(parts=[[1, 2]] * 569)
    with duckdb.connect(str(place.folder / "data" / "rows.duckdb")) as database:
        database.register("frame", rows)
        database.execute("CREATE TABLE asked AS SELECT * FROM frame")
    ran = new(place, "duckdb:///data/rows.duckdb", "--table", "asked", *COLUMNS, "--json")

    assert 0 == ran.code, ran.err
    assert ("left out", "numeric") == (kinds(ran)["parts"][0], kinds(ran)["mean radius"][0])
    assert "duckdb:///data/rows.duckdb" == load_config(place.folder, "own").data.source


def test_the_columns_of_our_own_log_are_taken_for_what_they_are(place: Place) -> None:
    """`prediction`, `labelled_at` and `model_version` need no option, and maturity follows from how late labels are."""
    rows = cancer().assign(prediction=0.5, model_version="1")
    late = rows.assign(labelled_at=rows["asked_at"] + pd.to_timedelta(np.resize([1, 4.5], len(rows)), unit="D"))
    ran = new(place, late, *COLUMNS, "--json")
    roles = load_config(place.folder, "own").data.columns

    assert ("prediction", "labelled_at", "model_version") == (roles.score, roles.labelled_at, roles.version)
    assert 5 == choices(ran)["training.maturity_days"]


def test_flights_are_understood(place: Place) -> None:
    """Of the example's table the id, all features and the days that labels take are found."""
    rows = pd.read_parquet(FLIGHTS).query("timestamp < '2013-04-01'")
    ran = new(place, rows, "--time", "timestamp", "--target", "target", "--json")
    config = load_config(place.folder, "own")

    assert "flight_id" == config.data.columns.id
    assert {"carrier", "origin", "dest", "dow"} <= set(config.data.categorical)
    assert set() == {name for name, (kind, _) in kinds(ran).items() if kind == "left out"}


def test_the_sample_is_bounded(place: Place) -> None:
    """Of a larger table every so many-th row is looked at, over all of its days, and the counts are of all rows."""
    given = {"time": "asked_at", "label": "target", "id": None, "score": None, "labelled_at": None, "version": None}
    put(place, cancer())
    rows = TableRows(place.folder, str(place.folder / "data" / "rows.parquet"), None, given)
    whole, part = (look(rows, most=most) for most in (1000, 300))

    assert (569, 285) == (len(whole.sample.times), len(part.sample.times))
    assert set(whole.sample.times[::2]) == set(part.sample.times)
    assert 569 == part.days.counts[:, 0].sum()


def test_the_limit_on_missing_values_lets_the_table_pass(place: Place) -> None:
    """It leaves room for what is missing now, and for chance on days of six rows: 0.144 + 0.1 + 0.287, rounded up."""
    assert 0.55 == choices(new(place, mixed(), *COLUMNS, "--id", "row", "--json"))["quality.max_null_share"]


def test_the_readme_states_each_choice(place: Place) -> None:
    """Every column and every number stands in the model's README with its reason, as in what was printed."""
    ran = new(place, mixed(), *COLUMNS, "--id", "row", "--json")
    text = (place.model("own") / "README.md").read_text()

    assert [] == [one["key"] for one in ran.data["choices"] if f"| `{one['key']}` | {one['value']} |" not in text]
    assert [] == [name for name in (*LEFT_OUT, *TAKEN) if name.split(" |")[0] not in text]
    assert '| `say "hi" \\| &lt;b>` |' in text


def test_the_written_files_are_as_ours(place: Place) -> None:
    """The pipeline passes the project's own linter and formatter, and no line of the config is too long."""
    assert 0 == new(place, mixed(), *COLUMNS, "--id", "row").code
    shown = place.model("own") / "pipeline.py"
    ruff = [sys.executable, "-m", "ruff"]
    for words in (
        ["check", "--config", str(ROOT / "pyproject.toml"), "--ignore", "INP001,TID253"],
        ["format", "--check"],
    ):
        made = subprocess.run(
            [*ruff, *words, "--line-length", "120", str(shown)], capture_output=True, text=True, check=False
        )
        assert 0 == made.returncode, made.stdout
    assert [] == [line for line in (shown.parent / "model.toml").read_text().splitlines() if len(line) > 120]


def test_the_same_table_gives_the_same_choices(place: Place) -> None:
    """Nothing is left to chance: two runs choose alike, but for the latency that each measures."""
    rows = put(place, TABLES["diabetes"]())
    first, second = (new(place, rows, *COLUMNS, "--json", name=name) for name in ("one", "other"))

    assert first.data["columns"] == second.data["columns"]
    assert [] == [key for key, value in choices(first).items() if value != choices(second)[key] and "p95" not in key]


def test_the_window_holds_both_labels(place: Place) -> None:
    """Where a holdout of the usual length would have one label only, nearly all days are taken."""
    rows = cancer()
    quiet = rows["asked_at"] > rows["asked_at"].max() - pd.Timedelta(days=22)
    usual, longer = (
        choices(new(place, table, *COLUMNS, "--json", name=name))["training.window_days"]
        for name, table in (("usual", rows), ("longer", rows.assign(target=rows["target"].where(~quiet, 0))))
    )

    assert (58, 88) == (usual, longer)
