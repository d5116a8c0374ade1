"""Each model folder of the repository can be trained: its config, and a pipeline that survives its file format."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config.settings import Settings, load_config
from core.days import midnight
from scripts.doctor.model import pipeline
from stages.context import Night
from tests.place import FIRST

ROOT = Path(__file__).parent.parent
MODELS = sorted(path.parent.name for path in ROOT.glob("model/*/model.toml"))


@pytest.mark.parametrize("name", MODELS)
def test_the_pipeline_of_a_model_is_fitted_and_comes_back_the_same(name: str) -> None:
    """model.toml is valid, build() learns from synthetic rows, and the saved estimator gives the same scores."""
    diagnosis = pipeline(Night(Settings.load(ROOT, {}), load_config(ROOT, name), midnight(FIRST), live=False))

    assert "ok" == diagnosis.state, diagnosis
