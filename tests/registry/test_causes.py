"""An error of the store names the cause that is known, and the step that helps against that one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import OutsideError
from registry.registry import Registry
from registry.version import ModelVersion
from tests.registry.test_store import answering


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No retries, so that a test of an outage takes no time."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def asked(uri: str, folder: Path) -> OutsideError:
    """The error of a question to a store."""
    with pytest.raises(OutsideError) as caught:
        Registry(uri, folder).champion("flights")
    return caught.value


@pytest.mark.parametrize(
    ("status", "why", "fix"),
    [
        (401, "does not accept the credentials", "Set MLFLOW_TRACKING_TOKEN"),
        (403, "may not do this", "Give it the right"),
        (404, "no MLflow under this path", "Correct the address"),
        (503, "down or overloaded", "Run this again when it responds"),
    ],
)
def test_a_status_has_its_cause(tmp_path: Path, status: int, why: str, fix: str) -> None:
    """Credentials, rights, a wrong path and an outage are four causes with four next steps."""
    with answering(status) as uri:
        err = asked(uri, tmp_path)

    assert (True, True) == (why in err.why, fix in err.fix), err


def test_an_address_has_its_cause(tmp_path: Path) -> None:
    """A host that is unknown, a port where nobody listens, and TLS to a server without it."""
    assert "host name in MLFLOW_TRACKING_URI is unknown" in asked("http://mlflow.invalid:5000", tmp_path).why
    assert "No server listens" in asked("http://127.0.0.1:9", tmp_path).why
    with answering(200) as uri:
        assert "does not speak TLS" in asked(uri.replace("http:", "https:"), tmp_path).why


def test_a_lost_file_is_not_a_matter_of_waiting(registry: Registry, register: Callable[..., ModelVersion]) -> None:
    """The files of a version are gone: said so, and that running again does not help."""
    version = register(1)
    shutil.rmtree(registry.artifacts)

    with pytest.raises(OutsideError) as caught:
        registry.load(version)
    assert ("A file of the store is missing", True) == (
        caught.value.why.partition(":")[0],
        "Running this again does not help" in caught.value.fix,
    )
