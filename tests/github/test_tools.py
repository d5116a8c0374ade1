"""Where a tool is missing the tests say what to type, instead of failing for a reason that nobody understands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.github import tools


def test_a_missing_package_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing installed, or another version than the one that the double was checked by."""
    monkeypatch.setenv("MLOPS_TEST_TOOLS", str(tmp_path))
    with pytest.raises(tools.MissingError, match=r"@octokit/openapi is not in .*`make tools`"):
        tools.description()

    package = tmp_path / "node_modules" / "@stoplight" / "prism-cli" / "package.json"
    package.parent.mkdir(parents=True)
    package.write_text(json.dumps({"version": "1.0.0"}))
    with pytest.raises(tools.MissingError, match=r"is there as 1\.0\.0, wanted is .*`make tools`"):
        tools.prism()
