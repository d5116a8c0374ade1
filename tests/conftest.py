"""One MLflow database for the whole session, and a copy of it for every test that wants a registry."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests import postgres
from tests.github.fixtures import act, double, gateway, loaded, pull, served, template  # noqa: F401 - fixtures

if TYPE_CHECKING:
    import pandas as pd

    from registry.registry import Registry
    from registry.version import ModelVersion


def pytest_configure(config: pytest.Config) -> None:
    """Let warnings of MLflow's own code about its libraries pass: they are errors only where they are about ours."""
    config.addinivalue_line("filterwarnings", "ignore:The ``noload:DeprecationWarning")
    # Tests run side by side on small data: threads of one would only wait for those of the other.
    os.environ["OMP_NUM_THREADS"] = "1"
    # The same examples in every run, so that a change is judged by its own faults; others are sought by the weekly run.
    settings.register_profile("default", derandomize=True, deadline=None, database=None, max_examples=100)
    settings.register_profile("long", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules that need a registry or GitHub take longest and come first, else one process would end with one alone.

    They come by their names, not by their folders: those of one folder would wait for what the first of them builds.
    """
    slow = {item.path for item in items if {"mlflow_store", "gateway"} & {*getattr(item, "fixturenames", ())}}
    items.sort(key=lambda item: (False, item.path.name, item.path) if item.path in slow else (True,))


@pytest.fixture(scope="session", autouse=True)
def _postgres_ends() -> Iterator[None]:
    """A PostgreSQL that tests of this session started does not outlive it."""
    yield
    postgres.stop()


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database to copy, made once for all workers."""
    from registry.store import create

    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent
    path = folder / "store" / "mlflow.db"
    create(path, folder / "store" / "artifacts")
    return path


@pytest.fixture
def registry(mlflow_store: Path, tmp_path: Path) -> Registry:
    """An empty registry of the test's own."""
    from registry.registry import Registry

    shutil.copy(mlflow_store, tmp_path / "mlflow.db")
    return Registry(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts")


@pytest.fixture(scope="session")
def small_model() -> Any:
    """A pipeline fitted in milliseconds, on a number `a` and a text `b`."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    rows = small_rows()
    columns = ColumnTransformer([("a", StandardScaler(), ["a"]), ("b", OneHotEncoder(handle_unknown="ignore"), ["b"])])
    return make_pipeline(columns, LogisticRegression()).fit(rows, [0, 1] * (len(rows) // 2))


def small_rows() -> pd.DataFrame:
    """Eight rows of features, one of them without a text."""
    import pandas as pd

    texts = ["x", "y", "x", None, "z", "y", "x", "y"]
    return pd.DataFrame({"a": [0.5 * n for n in range(8)], "b": pd.Series(texts, dtype=object)})


@pytest.fixture
def register(registry: Registry, small_model: Any) -> Callable[..., ModelVersion]:
    """A function that registers version n of `flights`, trained on the nth of March 2013."""
    from monitoring.counting.tally import Baseline
    from registry.version import Origin

    def new(number: int, estimator: Any = None, name: str = "flights", **more: Any) -> ModelVersion:
        trained_at = dt.datetime(2013, 3, number, tzinfo=dt.UTC)
        origin = Origin(
            training_key=f"{number:064x}",
            data_digest=f"{100 + number:064x}",
            trained_at=trained_at,
            fit_until=trained_at - dt.timedelta(days=14),
            data_until=trained_at - dt.timedelta(days=2),
        )
        baseline = Baseline(axes={}, days=())
        model = estimator or small_model
        return registry.register(name, model, origin=origin, example=small_rows(), baseline=baseline, **more)

    return new
