"""Trigger policies by name: the model's own, those of the template, and files that override them."""

from __future__ import annotations

import difflib
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.config import ModelConfig, check_config, parse_config
from core.errors import ConfigError, UsageError

FOLDER = Path(__file__).parent / "policies"
OWN = "default"
MAIN = "main"
SECTIONS = ("triggers", "gates")


@dataclass(frozen=True)
class Policy:
    """A name, and the model's config with the triggers and gates of that policy."""

    name: str
    config: ModelConfig


def policy_names() -> tuple[str, ...]:
    """Return the names that need no file; the model's own first, then that of the default branch."""
    return (OWN, MAIN, *sorted(path.stem for path in FOLDER.glob("*.toml")))


def policies(names: Sequence[str], config: ModelConfig, main: str | None = None) -> tuple[Policy, ...]:
    """Return the policies of these names or TOML files, in this order, for the model with this config.

    `main` is the text of its `model.toml` on the default branch, for the policy of that name.

    Raises:
        UsageError: no such name or file, or two policies of one name.
        ConfigError: a file is not TOML, or contains other keys than valid ones of [triggers] and [gates].
    """
    result = tuple(_policy(name, config, main) for name in names)
    count = Counter(policy.name for policy in result)
    duplicate = sorted(name for name in count if count[name] > 1)
    if duplicate:
        raise UsageError(
            f"There are several policies named {', '.join(duplicate)}.",
            why="The policy of a file has the name of the file, without its ending.",
            fix="Name each policy once, or rename the file.",
        )
    return result


def _policy(name: str, config: ModelConfig, main: str | None) -> Policy:
    if name == OWN:
        return Policy(OWN, config)
    if name == MAIN:
        return _main_policy(config, main)
    path, shown = Path(name), name
    if name in policy_names():
        path, shown = FOLDER / f"{name}.toml", f"policy {name}"
    elif path.suffix != ".toml" or not path.is_file():
        near = difflib.get_close_matches(name, policy_names(), n=1, cutoff=0.5)
        raise UsageError(
            f"{name!r} is not a policy.",
            why=f"Did you mean {near[0]!r}?" if near else f"The policies are: {', '.join(policy_names())}.",
            fix="Name one of them, or a TOML file with the sections [triggers] and [gates].",
        )
    values = _merged(config.model_dump(mode="json", exclude={"name"}), _overrides(path, shown))
    return Policy(path.stem, check_config(values, config.name, origin=shown))


def _main_policy(config: ModelConfig, text: str | None) -> Policy:
    """Return the triggers and gates of the default branch, with the rows and features of this checkout."""
    if text is None:
        raise UsageError(
            f"The default branch has no model/{config.name}/model.toml to compare with.",
            why="The model is new, or there is no forge yet.",
            fix="Leave out --policy main.",
        )
    old = parse_config(text, config.name, origin=f"model/{config.name}/model.toml on the default branch")
    return Policy(MAIN, config.model_copy(update={"triggers": old.triggers, "gates": old.gates}))


def _overrides(path: Path, shown: str) -> dict[str, Any]:
    """Return the sections of a policy's file."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as err:
        raise ConfigError(f"{shown} is not TOML: {err}.", fix="Fix that line.") from err
    unknown = sorted(set(raw) - set(SECTIONS))
    if unknown:
        near = difflib.get_close_matches(unknown[0], SECTIONS, n=1, cutoff=0.5)
        raise ConfigError(
            f"{shown}: unknown key {unknown[0]!r}.",
            why=f"Did you mean {near[0]!r}?" if near else "A policy defines only when to retrain and what to promote.",
            fix="Write only the sections [triggers] and [gates]; everything else comes from model.toml.",
        )
    return raw


def _merged(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with every key of `overrides` replaced, table by table."""
    replaced = {
        key: _merged(base[key], value) if isinstance(value, Mapping) and isinstance(base.get(key), Mapping) else value
        for key, value in overrides.items()
    }
    return {**base, **replaced}
