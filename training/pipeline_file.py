"""The pipeline.py of a model: its digest, its function `build`, and errors that name what is wrong in it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from core.config import ModelConfig
from core.errors import ConfigError
from monitoring.tasks import task_of

Build = Callable[[ModelConfig], Any]


def pipeline_digest(root: Path, name: str) -> str:
    """Return the SHA-256 of `model/NAME/pipeline.py`.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = root / "model" / name / "pipeline.py"
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as err:
        raise ConfigError(
            f"Cannot read {path}: {err.strerror}.",
            why="Every model folder needs a pipeline.py next to its model.toml.",
            fix="Copy model/flights/pipeline.py and change it, or create one with mlops new NAME --force.",
        ) from err


def load_build(root: Path, name: str) -> Build:
    """Run `model/NAME/pipeline.py` and return its `build`, with a check of what it returns.

    Raises:
        ConfigError: there is no such file, it does not run, or it has no `build`. When called: `build` fails, or
            returns an object without the methods that the task needs.
    """
    pipeline_digest(root, name)
    where = f"model/{name}/pipeline.py"
    build = getattr(_run(root / where, f"model_{name}_pipeline"), "build", None)
    if not callable(build):
        raise ConfigError(f"{where} has no function build.", fix="Define build(config), which returns an estimator.")

    def checked(config: ModelConfig) -> Any:
        try:
            estimator = build(config)
        except Exception as err:
            raise ConfigError(
                f"build() in {where} failed: {type(err).__name__}: {err}.", fix="Fix it; mlops train calls it again."
            ) from err
        methods = task_of(config).required_methods
        absent = [method for method in methods if not callable(getattr(estimator, method, None))]
        if absent:
            raise ConfigError(
                f"build() in {where} returns {type(estimator).__name__}, which has no {' and no '.join(absent)}.",
                why=f"A candidate of task = {config.task!r} is fitted, and judged by its {methods[1]}.",
                fix="Return a scikit-learn classifier (for a regression: a regressor), or a pipeline ending with one.",
            )
        return estimator

    return checked


def _run(path: Path, module_name: str) -> ModuleType:
    """Return the module in the file at `path`."""
    module = ModuleType(module_name)
    module.__file__ = str(path)
    sys.modules[module_name] = module  # dataclasses look up their own module there
    try:
        # Not through importlib, which could run stale bytecode of a file that was just edited.
        exec(compile(path.read_bytes(), path, "exec"), module.__dict__)  # noqa: S102 - the owner's code is what a training runs
    except Exception as err:
        del sys.modules[module_name]
        raise ConfigError(
            f"{path.parent.name}/{path.name} does not run: {type(err).__name__}: {err}.",
            why="It has a mistake, or needs a package that is not installed.",
            fix="Run it with python to see the line, and fix it.",
        ) from err
    return module
