"""Find the repository, its models and the outside services: what comes from the folder and the environment."""

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
    """Where things are. `root` holds `model/`; everything that is not in git or in MLflow lies under `local`.

    Proposals live on GitHub where there is a `hub`, else in the bare git repository `forge`.
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
            ConfigError: `MLOPS_FORGE` is no repository.
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
        """The MLflow store.

        Raises:
            ConfigError: in a workflow run without `MLFLOW_TRACKING_URI`, or it cannot be the address of a store.
        """
        if self.tracking_uri is None:
            raise ConfigError(
                "MLFLOW_TRACKING_URI is not set, and this is a workflow run.",
                why="The default registry is a file on this runner: the model would be lost with it.",
                fix="Add the secret MLFLOW_TRACKING_URI to the environments retraining and production: "
                "docs/setup-github.md, step 2.",
            )
        return require_address(self.tracking_uri)

    def source(self, config: ModelConfig) -> str:
        """The monitoring source of a model: `MONITORING_URL` where set, else `data.source` with ${VARIABLES} filled in.

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
        """The folder of a model's records between stages.

        Raises:
            UsageError: `name` is no name of a folder below model/.
        """
        if not MODEL_NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name of a model.", fix="Write it as its folder below model/ is called.")
        return self.local / name


def model_names(root: Path) -> tuple[str, ...]:
    """The models of the repository at `root`: every folder `model/NAME` with a `model.toml`, sorted."""
    return tuple(sorted(path.parent.name for path in (root / "model").glob("*/model.toml")))


def load_config(root: Path, name: str) -> ModelConfig:
    """Read `model/NAME/model.toml` below `root`.

    Raises:
        UsageError: there is no such model.
        ConfigError: not TOML, an unknown key (the nearest known one is named), or a value out of its bounds.
    """
    known = model_names(root)
    if name in known and not MODEL_NAME.fullmatch(name):
        raise UsageError(
            f"The model's folder is called {name!r}, which is no name for a model.",
            why="It also names branches, files and groups of runs: small letters, digits and _, a letter first.",
            fix=f"Rename it: git mv {shlex.quote(f'model/{name}')} model/{re.sub('[^a-z0-9_]+', '_', name.lower())}",
        )
    if name not in known:
        raise UsageError(
            f"There is no model {name!r} in {root / 'model'}.",
            why=f"The models here are: {', '.join(known) or 'none'}.",
            fix="Name one of them with --model, or run the command in the repository's folder.",
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
    """Turn the text of a `model.toml` into a config; errors as in `load_config`."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as err:  # numbers of thousands of digits, thousands of brackets
        raise ConfigError(f"{origin} is not TOML: {err}.", fix="Mend that line.") from err
    if "name" in raw:
        raise ConfigError(
            f"{origin}: unknown key 'name'.", why="A model's name is its folder's.", fix="Delete the line."
        )
    return check_config(raw, name, origin=origin)


def check_config(raw: Mapping[str, Any], name: str, *, origin: str) -> ModelConfig:
    """The config that the sections in `raw` make up; errors as in `load_config`."""
    try:
        return ModelConfig.model_validate_json(json.dumps({**raw, "name": name}, default=str))
    except RecursionError:
        raise ConfigError(f"{origin}: a key has thousands of parts.", fix="Mend that line.") from None
    except ValidationError as err:
        unknown = next((e["loc"] for e in err.errors(include_url=False) if e["type"] == "extra_forbidden"), None)
        raise ConfigError(
            f"{origin}: {f'unknown key {_dotted(unknown)!r}' if unknown else problems(err)}.",
            why=_nearest(unknown) if unknown else "",
            fix="Mend it; docs/your-model.md lists every key with its bounds.",
        ) from err


def _dotted(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc)


def _nearest(loc: tuple[int | str, ...]) -> str:
    """A sentence that names the known key nearest to an unknown one, in the same section."""
    section: Any = ModelConfig
    for part in loc[:-1]:
        section = section.model_fields[str(part)].annotation
    names = [n for n in section.model_fields if n != "name"] if issubclass(section, BaseModel) else []
    near = difflib.get_close_matches(str(loc[-1]), names, n=1, cutoff=0.5)
    return f"Did you mean {_dotted((*loc[:-1], near[0]))!r}?" if near else f"Known here: {', '.join(names)}."
