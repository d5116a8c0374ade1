"""Give tests a double of GitHub; conftest.py takes these in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.github import people, tools
from tests.github.act import Act
from tests.github.double import Double
from tests.github.gateway import Gateway
from tests.github.template import Template
from tests.github.warm import warm
from tests.place import Place


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Prism and the servers around it, one of each a test process."""
    try:
        gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    except tools.MissingError as missing:
        pytest.skip(str(missing))
    with gateway:
        yield gateway


@pytest.fixture
def double(gateway: Gateway, tmp_path: Path) -> Iterator[Double]:
    """A GitHub of the test's own; the test fails if a request or an answer is not as GitHub describes it."""
    with gateway.serving(Double(tmp_path / "github")) as double:
        yield double
    assert [] == double.violations


@pytest.fixture
def pull(double: Double) -> Callable[..., int]:
    """A function that opens a pull request which changes files, as a bot would, and returns its number."""

    def open_(files: Mapping[str, str], *, branch: str = "promote/x", title: str = "Promote x") -> int:
        double.push(files, title, branch=branch)
        return people.opened(double, title, "why", branch, "main", "github-actions[bot]").number

    return open_


@pytest.fixture
def act(double: Double, tmp_path: Path) -> Act:
    """Runs on the double."""
    try:
        return Act(double, tmp_path / "act")
    except tools.MissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def loaded() -> Iterator[Path]:
    """A process that has loaded what the commands of workflows stand on."""
    with warm() as place:
        yield place


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Place:
    """The example model after four weeks in service; to be copied."""
    return Place.in_service(tmp_path_factory.mktemp("served") / "repo", mlflow_store, dt.date(2013, 4, 3))


@pytest.fixture(scope="module")
def template(
    gateway: Gateway, served: Place, loaded: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Template]:
    """The template in use, for all stories of a module: each run stands on the one before."""
    folder = tmp_path_factory.mktemp("template")
    try:
        tools.act()
    except tools.MissingError as missing:
        pytest.skip(str(missing))
    with gateway.serving(Double(folder / "github")) as double:
        yield Template(double, Act(double, folder / "act", loaded), served.copy(folder / "repo"))
    assert [] == double.violations
