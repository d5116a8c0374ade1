"""Settings from the repository folder and the environment: paths, models and outside services."""

from __future__ import annotations

import difflib
import json
import os
import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from core.config.github import GitHubContext
from core.config.model import ModelConfig
from core.config.tracking import require_address
from core.errors import ConfigError, UsageError
from core.records import Record, problems

MODEL_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")


class Settings(Record):
    """Paths and addresses. `root` contains `model/`; everything that is not in git or MLflow is under `local`.

    Proposals are on GitHub if there is a `hub`, otherwise in the bare git repository `forge`.
    """

    root: Path
    local: Path
    tracking_uri: str | None
    artifacts: Path
    monitoring_url: str | None
    forge: Path
    hub: GitHubContext | None

    @classmethod
    def load(cls, root: Path, env: Mapping[str, str] = os.environ) -> Settings:
        """Read the environment for the repository at `root`.

        Raises:
            ConfigError: `MLOPS_FORGE` is not a repository.
        """
        root = root.resolve()
        local = Path(env.get("MLOPS_LOCAL") or root / "local").resolve()
        default = None if env.get("GITHUB_ACTIONS") == "true" else f"sqlite:///{local / 'mlflow.db'}"
        return cls(
            root=root,
            local=local,
            tracking_uri=env.get("MLFLOW_TRACKING_URI") or default,
            artifacts=local / "artifacts",
            monitoring_url=env.get("MONITORING_URL") or None,
            forge=Path(env.get("MLOPS_FORGE") or local / "forge.git").resolve(),
            hub=GitHubContext.load(env),
        )

    @property
    def store(self) -> str:
        """Return the address of the MLflow store.

        Raises:
            ConfigError: in a workflow run without `MLFLOW_TRACKING_URI`, or it cannot be the address of a store.
        """
        if self.tracking_uri is None:
            raise ConfigError(
                "MLFLOW_TRACKING_URI is not set, and this is a workflow run.",
                why="The default registry is a file on this runner: the model would be lost when the job ends.",
                fix="Add the secret MLFLOW_TRACKING_URI to the environments retraining and production: "
                "docs/setup-github.md, step 2.",
            )
        return require_address(self.tracking_uri)

    def source(self, config: ModelConfig) -> str:
        """Return the monitoring source of a model: `MONITORING_URL`, else `data.source` with ${VARIABLES} replaced.

        Raises:
            ConfigError: the config names a variable that is not set.
        """

        def fill(match: re.Match[str]) -> str:
            value = os.environ.get(match[1])
            if value is None:
                raise ConfigError(
                    f"data.source of {config.name} names ${{{match[1]}}}, which is not set.",
                    fix=f"Set {match[1]}, or write the path into model/{config.name}/model.toml.",
                )
            return value

        return self.monitoring_url or VARIABLE.sub(fill, config.data.source)

    def work(self, name: str) -> Path:
        """Return the folder of the records that stages of a model exchange.

        Raises:
            UsageError: `name` is not a valid model name.
        """
        if not MODEL_NAME.fullmatch(name):
            raise UsageError(f"{name!r} is not a valid model name.", fix="Use the name of its folder in model/.")
        return self.local / name


def model_names(root: Path) -> tuple[str, ...]:
    """Return the models of the repository at `root`: every folder `model/NAME` with a `model.toml`, sorted."""
    return tuple(sorted(path.parent.name for path in (root / "model").glob("*/model.toml")))


def load_config(root: Path, name: str) -> ModelConfig:
    """Read `model/NAME/model.toml` below `root`.

    Raises:
        UsageError: there is no such model.
        ConfigError: invalid TOML, an unknown key (the message suggests the nearest one), or a value out of bounds.
    """
    names = model_names(root)
    if name in names and not MODEL_NAME.fullmatch(name):
        raise UsageError(
            f"The folder name {name!r} is not a valid model name.",
            why="Branches and files use it too: lowercase letters, digits and underscores; starts with a letter.",
            fix=f"Rename it: git mv {shlex.quote(f'model/{name}')} model/{re.sub('[^a-z0-9_]+', '_', name.lower())}",
        )
    if name not in names:
        raise UsageError(
            f"There is no model {name!r} in {root / 'model'}.",
            why=f"The models here are: {', '.join(names) or 'none'}.",
            fix="Choose one with --model, or run the command in the folder of the repository.",
        )
    path = root / "model" / name / "model.toml"
    try:
        config = parse_config(path.read_text(encoding="utf-8"), name, origin=f"model/{name}/model.toml")
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"Cannot read {path}: {err}.") from err
    _require_own_registry_name(root, config)
    return config


def _require_own_registry_name(root: Path, config: ModelConfig) -> None:
    """Refuse a registered model that two folders claim: each promotion would undo the other's."""
    for name in model_names(root):
        if name == config.name:
            continue
        try:
            raw = tomllib.loads((root / "model" / name / "model.toml").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue  # its own commands report it
        if raw.get("registry_name") == config.registry_name:
            raise ConfigError(
                f"model/{config.name} and model/{name} have the same registry_name, {config.registry_name!r}.",
                why="Each promotion of one would take the other out of Production.",
                fix="Give one of them another registry_name in its model.toml.",
            )


def parse_config(text: str, name: str, *, origin: str = "model.toml") -> ModelConfig:
    """Return the config in the text of a `model.toml`; errors as in `load_config`."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as err:  # numbers of thousands of digits, thousands of brackets
        raise ConfigError(f"{origin} is not valid TOML: {err}.", fix="Fix that line.") from err
    if "name" in raw:
        raise ConfigError(
            f"{origin}: unknown key 'name'.",
            why="The name of a model is the name of its folder.",
            fix="Delete the line.",
        )
    return check_config(raw, name, origin=origin)


def check_config(raw: Mapping[str, Any], name: str, *, origin: str) -> ModelConfig:
    """Return the config from parsed sections; errors as in `load_config`."""
    try:
        return ModelConfig.model_validate_json(json.dumps({**raw, "name": name}, default=str))
    except RecursionError:
        raise ConfigError(f"{origin}: a key has thousands of parts.", fix="Fix that line.") from None
    except ValidationError as err:
        unknown = next((e["loc"] for e in err.errors(include_url=False) if e["type"] == "extra_forbidden"), None)
        raise ConfigError(
            f"{origin}: {f'unknown key {_dotted(unknown)!r}' if unknown else problems(err)}.",
            why=_nearest(unknown) if unknown else "",
            fix="Fix the value; docs/your-model.md lists every key with its bounds.",
        ) from err


def _dotted(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc)


def _nearest(loc: tuple[int | str, ...]) -> str:
    """Return a sentence with the valid key that is nearest to an unknown one, in the same section."""
    section: Any = ModelConfig
    for part in loc[:-1]:
        section = section.model_fields[str(part)].annotation
    names = [n for n in section.model_fields if n != "name"] if issubclass(section, BaseModel) else []
    near = difflib.get_close_matches(str(loc[-1]), names, n=1, cutoff=0.5)
    return f"Did you mean {_dotted((*loc[:-1], near[0]))!r}?" if near else f"Valid keys here: {', '.join(names)}."
