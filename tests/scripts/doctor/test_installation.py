"""The check of installed packages against the lock."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from core.config.settings import Settings
from scripts.doctor.installation import packages


@pytest.mark.parametrize("order", [1, -1])
def test_a_package_that_is_locked_by_python_version_is_well(order: int, tmp_path: Path) -> None:
    """Locked twice, each time for other versions of Python, either version is that of the lock; another is not."""
    lines = [
        f"numpy=={metadata.version('numpy')} ; python_full_version < '3.12' \\\n    --hash=sha256:00\n",
        "numpy==0.0.1 ; python_full_version >= '3.12' \\\n    --hash=sha256:00\n",
    ]
    lock = tmp_path / "requirements-dev.lock"
    settings = Settings.load(tmp_path, {})
    lock.write_text("".join(lines[::order]))

    assert "ok" == packages(settings).state
    lock.write_text(lines[1] + lines[1].replace("0.0.1", "0.0.2"))
    assert "locked 0.0.1 or 0.0.2" in packages(settings).says
