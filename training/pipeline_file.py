"""Run the one Python file that a model's owner writes, and say by name what is wrong with it."""

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
    """SHA-256 of `model/NAME/pipeline.py`.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = root / "model" / name / "pipeline.py"
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as err:
        raise ConfigError(
            f"Cannot read {path}: {err.strerror}.",
            why="Every model folder needs a pipeline.py beside its model.toml.",
            fix="Copy the one of model/flights and change it.",
        ) from err


def load_build(root: Path, name: str) -> Build:
    """`build` of `model/NAME/pipeline.py`, which is run to find it. Its results are checked when it is called.

    Raises:
        ConfigError: no such file, it does not run, or has no `build`; and, when called, `build` fails or returns
            something without the methods that the task needs.
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
                f"build() in {where} failed: {type(err).__name__}: {err}.", fix="Mend it; mlops train calls it again."
            ) from err
        methods = task_of(config).required_methods
        absent = [method for method in methods if not callable(getattr(estimator, method, None))]
        if absent:
            raise ConfigError(
                f"build() in {where} returns {type(estimator).__name__}, which has no {' and no '.join(absent)}.",
                why=f"A candidate of task = {config.task!r} is fitted, and judged by what {methods[1]} says.",
                fix="Return a scikit-learn classifier (regressor, for a regression), or a pipeline that ends in one.",
            )
        return estimator

    return checked


def _run(path: Path, module_name: str) -> ModuleType:
    """The module in the file at `path`."""
    module = ModuleType(module_name)
    module.__file__ = str(path)
    sys.modules[module_name] = module  # dataclasses in the file look themselves up there
    try:
        # Not through importlib, which could run stale bytecode of a file that was just edited.
        exec(compile(path.read_bytes(), path, "exec"), module.__dict__)  # noqa: S102 - the owner's code is the point
    except Exception as err:
        del sys.modules[module_name]
        raise ConfigError(
            f"{path.parent.name}/{path.name} does not run: {type(err).__name__}: {err}.",
            why="It has a mistake, or needs a package that is not installed.",
            fix="Run it with python to see the line, and mend it.",
        ) from err
    return module
