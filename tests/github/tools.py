"""Find the programs that the tests of the GitHub side stand on, and say what to type where one is missing.

Run as a script it prints the npm packages with their versions, for `make tools`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

# Prism 5.15 and later need node 24; GitHub's description is the one that the replies were checked against.
# Mermaid draws the charts of a pull request, as GitHub does.
PACKAGES = {"@octokit/openapi": "23.0.2", "@stoplight/prism-cli": "5.14.2", "mermaid": "11.17.2"}
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
    return _package("@octokit/openapi") / "generated" / "api.github.com.json"


def prism() -> list[str]:
    """The words that start Prism.

    Raises:
        MissingError: it or node is not installed.
    """
    script = _package("@stoplight/prism-cli") / "dist" / "index.js"
    node = shutil.which("node")
    if node is None:
        raise MissingError("node is not on PATH; install node 20 or later, then type `make tools`")
    return [node, str(script)]


def act() -> str:
    """The program that runs workflows: the one of this environment, else of PATH.

    Raises:
        MissingError: it is not installed.
    """
    found = shutil.which("act", path=str(Path(sys.executable).parent)) or shutil.which("act")
    if found is None:
        raise MissingError("act is not installed; type `make setup`, and `make tools` for what else is needed")
    return found


def _package(name: str) -> Path:
    """The folder of an npm package, in the version that is wanted."""
    folder, wanted = modules() / name, PACKAGES[name]
    try:
        found = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    except OSError:
        raise MissingError(f"{name} is not in {folder.parent.parent}; type `make tools`") from None
    if found != wanted:
        raise MissingError(f"{name} is there as {found}, wanted is {wanted}; type `make tools`")
    return folder


if __name__ == "__main__":
    sys.stdout.write(" ".join(f"{name}@{version}" for name, version in PACKAGES.items()) + "\n")
