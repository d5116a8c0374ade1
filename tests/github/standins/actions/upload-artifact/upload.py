"""Keep files as actions/upload-artifact does: their places below the folder that all given paths have in common."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import zlib
from pathlib import Path


def files_of(path: str) -> list[Path]:
    """The files that one line of `path` names."""
    found: list[Path] = []
    for name in glob.glob(path, recursive=True, include_hidden=True):  # noqa: PTH207 - as the action: from any root
        item = Path(name).absolute()
        found += [item] if item.is_file() else [file for file in item.rglob("*") if file.is_file()]
    return found


def start(path: str) -> Path:
    """The part of a line before its first pattern: a folder, or a single file's folder."""
    plain = Path(path).absolute()
    while any(mark in str(plain) for mark in "*?["):
        plain = plain.parent
    return plain.parent if plain.is_file() else plain


def main() -> None:
    """Copy, and say what it is called."""
    name = os.environ["INPUT_NAME"]
    if not name or set('\\/":<>|*?\r\n') & set(name):
        sys.exit(f"::error::the artifact name {name!r} is not valid")
    lines = [line.strip() for line in os.environ["INPUT_PATH"].splitlines() if line.strip()]
    paths = [str(Path(line).expanduser()) for line in lines if not line.startswith("!")]
    dropped = {file for line in lines if line.startswith("!") for file in files_of(line[1:])}
    files = {file for path in paths for file in files_of(path)} - dropped
    root = Path(os.path.commonpath([start(path) for path in paths]))
    if os.environ["INPUT_HIDDEN"] != "true":
        files = {f for f in files if not any(part.startswith(".") for part in f.relative_to(root).parts)}
    if not files:
        kind = {"error": "error", "ignore": "debug"}.get(os.environ["INPUT_NONE"], "warning")
        print(f"::{kind}::no files were found at {', '.join(paths)}")  # noqa: T201
        sys.exit(kind == "error")
    run = os.environ["GITHUB_RUN_ID"]
    target = Path(os.environ["ACT_ARTIFACTS"]) / run / name
    if target.exists():
        if os.environ["INPUT_OVERWRITE"] != "true":
            sys.exit(f"::error::an artifact with the name {name} already exists in this run")
        shutil.rmtree(target)
    for file in sorted(files):
        place = target / file.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    number = zlib.crc32(f"{run}/{name}".encode())
    page = f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}/actions/runs/{run}/artifacts/{number}"
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as out:
        out.write(f"artifact-id={number}\nartifact-url={page}\n")


main()
