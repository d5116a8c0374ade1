"""Each model folder of the repository can be trained: its config, and a pipeline that survives its file format."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config.settings import Settings, load_config
from core.days import midnight
from scripts.doctor.model import pipeline
from stages.context import Night
from tests.place import EXAMPLE, FIRST, ROOT

MODELS = sorted(path.parent.name for path in ROOT.glob("model/*/model.toml"))
COPIES = sorted(path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*.*") if path.suffix != ".pyc")


@pytest.mark.parametrize("name", MODELS)
def test_the_pipeline_of_a_model_is_fitted_and_comes_back_the_same(name: str) -> None:
    """model.toml is valid, build() learns from synthetic rows, and the saved estimator gives the same scores."""
    diagnosis = pipeline(Night(Settings.load(ROOT, {}), load_config(ROOT, name), midnight(FIRST), live=False))

    assert "ok" == diagnosis.state, diagnosis


@pytest.mark.skipif(MODELS != ["flights"], reason="a team's repository, in which the example may change or be deleted")
@pytest.mark.parametrize("path", COPIES, ids=str)
def test_the_example_is_the_one_that_the_tests_use(path: Path) -> None:
    """The tests have a copy of the example, because a team deletes it. In the template both are the same."""
    assert (EXAMPLE / path).read_bytes() == (ROOT / path).read_bytes(), f"Type: cp {path} {EXAMPLE / path}"
