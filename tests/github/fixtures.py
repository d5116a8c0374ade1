"""Give tests a double of GitHub; conftest.py takes these in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.github import people, tools
from tests.github.act import Act
from tests.github.double import Double
from tests.github.gateway import Gateway


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
