"""A newcomer gets from a table to a first version in Production; tests/docs types the pages that say how."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from core.config.settings import load_config
from tests.docs.pages import ROOT, shown
from tests.docs.stages import Stages
from tests.place import FLIGHTS
from tests.scripts.tables import grapes, progress

WAY = ["new", "pull", "check", "train", "validate", "propose", "promote"]


@pytest.mark.parametrize("page", ["README.md", "docs/your-model.md"])
def test_the_page_leads_from_a_table_to_production(page: str) -> None:
    """Its blocks, which tests/docs types as they stand, go the whole way in this order."""
    words = [one.command.split() for one in shown(ROOT / page) if one.block]
    steps = iter(word[1] for word in words if word[0] == "mlops")

    assert [] == [step for step in WAY if step not in steps]


def test_a_table_with_history_of_a_year_goes_the_same_way(tmp_path: Path, mlflow_store: Path) -> None:
    """The flights, as a Parquet file and under another name, are promoted and replayed without an edit."""
    reader = Stages(tmp_path, mlflow_store).owner(tmp_path)
    for command in (
        "source .venv/bin/activate",
        f"mlops new delays --from {shlex.quote(str(FLIGHTS))} --time timestamp --target target",
        'git add model/delays && git commit -q -m "Describe delays"',
        f"export MLOPS_MODEL=delays MLOPS_AS_OF=2013-12-30 MONITORING_URL={shlex.quote(str(FLIGHTS))}",
        *(f"mlops {step}" for step in WAY[1:-1]),
        "git pull -q local/forge.git promote/delays",
        "mlops promote",
        "mlops replay --last 3",
    ):
        reader.types(command)

    assert "${MONITORING_URL}" == load_config(reader.folder, "delays").data.source
    assert "agrees with git" in reader.types("mlops status")


@pytest.mark.parametrize("made", [grapes, progress], ids=lambda made: made.__name__)
def test_classes_and_numbers_go_the_same_way(
    made: Callable[[], pd.DataFrame], tmp_path: Path, mlflow_store: Path
) -> None:
    """A first version of each other task is promoted and replayed without an edit."""
    reader, rows = Stages(tmp_path, mlflow_store).owner(tmp_path), made()
    rows.to_csv(reader.folder / "local" / "rows.csv", index=False)
    night = rows["asked_at"].max().date() + dt.timedelta(days=1)
    for command in (
        "source .venv/bin/activate",
        "mlops new own --from local/rows.csv --time asked_at --target target",
        'git add model/own && git commit -q -m "Describe own"',
        f"export MLOPS_MODEL=own MLOPS_AS_OF={night}",
        *(f"mlops {step}" for step in WAY[1:-1]),
        "git pull -q local/forge.git promote/own",
        "mlops promote",
        "mlops replay --last 3",
    ):
        reader.types(command)

    assert "agrees with git" in reader.types("mlops status")
