"""A history from files becomes a table that predictions and labels are logged to."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pandas as pd
import pytest

from core.config.settings import load_config
from monitoring.prediction_log import open_log
from tests.place import Place
from tests.scripts.newcomer import COLUMNS, empty, new, put
from tests.scripts.tables import cancer


@pytest.fixture
def place(tmp_path: Path, mlflow_store: Path) -> Place:
    """A repository without a model, and an empty registry."""
    return empty(tmp_path / "repo", mlflow_store)


def test_a_history_of_files_is_copied_once_and_can_be_logged_into(place: Place) -> None:
    """All rows are copied; a second copy changes nothing, also no label that was logged since; training reads them."""
    rows = cancer()
    file = put(place, rows, "rows.csv")
    assert 0 == new(place, file, *COLUMNS).code
    config = place.model("own") / "model.toml"
    text = re.sub(r"(?m)^source = .*$", 'source = "data/log.db"\ntable = "asked"', config.read_text())
    config.write_text(text)
    ran = place.mlops("import", "--from", file, "--json", day=None)

    assert (0, 569) == (ran.code, ran.data["rows"]), ran.err
    data = load_config(place.folder, "own").data
    first, other = rows["row"][0], 1 - int(rows["target"][0])
    assert [] == open_log(data.source, data, place.folder).labels({first: other}, dt.datetime.now(dt.UTC))
    assert 0 == place.mlops("import", "--from", file, day=None).code
    copied = pd.read_sql("SELECT * FROM asked ORDER BY asked_at, row", f"sqlite:///{place.folder / data.source}")
    expected = rows.assign(target=rows["target"].where(rows["row"] != first, other)).sort_values(["asked_at", "row"])
    assert expected["target"].tolist() == copied["target"].tolist()
    assert expected["mean radius"].tolist() == copied["mean radius"].tolist()
    night = rows["asked_at"].max().date() + dt.timedelta(days=1)
    for stage in ("pull", "check", "train"):
        ran = place.mlops(stage, day=night)
        assert 0 == ran.code, ran.err


def test_the_source_is_not_copied_into_itself(place: Place) -> None:
    """The table that model.toml names is refused, with what to change first."""
    file = put(place, cancer(), "rows.csv")
    assert 0 == new(place, file, *COLUMNS).code
    ran = place.mlops("import", "--from", file, day=None)

    assert (2, True) == (ran.code, "is the source of own already" in ran.err), ran.err
