"""The command `mlops models`: the names of all models, so that a workflow can run a job for each."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import Annotated

import typer

from scripts.cli import github_runner, options, output
from stages.connect import open_forge
from stages.repository import find_root


def models(
    model: options.Model = None,
    json: options.Json = False,
    out: options.Out = None,
    changed: Annotated[
        str | None, typer.Option(metavar="FILE", help="Only models whose FILE differs from the default branch.")
    ] = None,
) -> None:
    """Print the names of all models, or only the name in --model if it exists. In a workflow, set the output models.

    With --model, the output model is that name. Later jobs use the output, because it was checked here.

    Example: mlops models --json
    """
    from core.config import MODEL_NAME, load_config, model_names

    root = find_root(Path.cwd())
    names = list(model_names(root))
    if model is not None and model not in names:
        load_config(root, model)  # its error lists the models
    chosen = [model] if model is not None else names
    if changed is not None:
        chosen = [name for name in chosen if differs(root, f"model/{name}/{changed}")]
    for name in chosen:
        if not MODEL_NAME.fullmatch(name):
            load_config(root, name)  # its error says why: a name becomes a branch, a path and part of a workflow
    output.show({"models": chosen}, chosen, as_json=json, out=out, summary="")
    github_runner.output("models", jsonlib.dumps(chosen))
    if model is not None:
        github_runner.output("model", model)


def differs(root: Path, path: str) -> bool:
    """Return whether a file of the checkout differs from the default branch."""
    from core.config import Settings

    here = root / path
    return (here.read_text(encoding="utf-8") if here.is_file() else None) != open_forge(Settings.load(root)).file(path)
