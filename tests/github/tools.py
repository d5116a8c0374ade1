"""Find the programs that the tests of the GitHub side stand on, and say what to type where one is missing.

Run as a script it prints the npm packages with their versions, for `make tools`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

# Prism 5.15 and later need node 24; GitHub's description is the one that the replies were checked against.
PACKAGES = {"@octokit/openapi": "23.0.2", "@stoplight/prism-cli": "5.14.2"}
ROOT = Path(__file__).parent.parent.parent


class MissingError(Exception):
    """A program is not there; the message says what to type."""


def modules() -> Path:
    """The folder of the npm packages: below MLOPS_TEST_TOOLS, or below local/tools where `make tools` puts them."""
    return Path(os.environ.get("MLOPS_TEST_TOOLS") or ROOT / "local" / "tools") / "node_modules"


def description() -> Path:
    """GitHub's own OpenAPI description.

    Raises:
        MissingError: it is not installed.
    """
    return _there(modules() / "@octokit" / "openapi" / "generated" / "api.github.com.json", "GitHub's API description")


def prism() -> list[str]:
    """The words that start Prism.

    Raises:
        MissingError: it or node is not installed.
    """
    script = _there(modules() / "@stoplight" / "prism-cli" / "dist" / "index.js", "Prism")
    node = shutil.which("node")
    if node is None:
        raise MissingError("node is not on PATH: install node 20 or later, then type `make tools`")
    return [node, str(script)]


def act() -> str:
    """The program that runs workflows: the one of this environment, else of PATH.

    Raises:
        MissingError: it is not installed.
    """
    found = shutil.which("act", path=str(Path(sys.executable).parent)) or shutil.which("act")
    if found is None:
        raise MissingError("act is not installed: type `make setup` and `make tools`")
    return found


def _there(path: Path, what: str) -> Path:
    if not path.is_file():
        raise MissingError(f"{what} is not below {modules()}: type `make tools`")
    return path


if __name__ == "__main__":
    sys.stdout.write(" ".join(f"{name}@{version}" for name, version in PACKAGES.items()) + "\n")
