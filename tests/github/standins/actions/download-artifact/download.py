"""Fetch artifacts as actions/download-artifact does: one by name into the folder, several each into its own."""

from __future__ import annotations

import fnmatch
import os
import shutil
import sys
from pathlib import Path


def main() -> None:
    """Copy them."""
    source = Path(os.environ["ACT_ARTIFACTS"]) / (os.environ["INPUT_RUN"] or os.environ["GITHUB_RUN_ID"])
    there = sorted(folder.name for folder in source.iterdir()) if source.is_dir() else []
    name, pattern = os.environ["INPUT_NAME"], os.environ["INPUT_PATTERN"] or "*"
    if name and name not in there:
        sys.exit(f"::error::unable to download: there is no artifact {name} in this run, only: {', '.join(there)}")
    target = Path(os.environ["INPUT_PATH"]).expanduser().absolute()
    target.mkdir(parents=True, exist_ok=True)
    for one in [name] if name else fnmatch.filter(there, pattern):
        flat = name or os.environ["INPUT_MERGE"] == "true"
        shutil.copytree(source / one, target if flat else target / one, dirs_exist_ok=True)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as out:
        out.write(f"download-path={target}\n")


main()
