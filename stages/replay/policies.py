"""Give trigger policies names: the model's own, those that come with the template, and files of overrides."""

from __future__ import annotations

import difflib
import tomllib
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


def known() -> tuple[str, ...]:
    """The names that need no file; the model's own first, then that of the default branch."""
    return (OWN, MAIN, *sorted(path.stem for path in FOLDER.glob("*.toml")))


def policies(asked: Sequence[str], config: ModelConfig, main: str | None = None) -> tuple[Policy, ...]:
    """The policies of these names or TOML files, in this order, for the model with this config.

    `main` is the text of its `model.toml` on the default branch, for the policy of that name.

    Raises:
        UsageError: no such name or file, or two policies of one name.
        ConfigError: a file is not TOML, or holds something else than valid keys of [triggers] and [gates].
    """
    found = tuple(_policy(word, config, main) for word in asked)
    names = [policy.name for policy in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f"There are several policies named {', '.join(twice)}.",
            why="A file's policy is named by the file, without its ending.",
            fix="Ask for each once, or rename the file.",
        )
    return found


def _policy(asked: str, config: ModelConfig, main: str | None) -> Policy:
    if asked == OWN:
        return Policy(OWN, config)
    if asked == MAIN:
        return _of_main(config, main)
    path, shown = Path(asked), asked
    if asked in known():
        path, shown = FOLDER / f"{asked}.toml", f"policy {asked}"
    elif path.suffix != ".toml" or not path.is_file():
        near = difflib.get_close_matches(asked, known(), n=1, cutoff=0.5)
        raise UsageError(
            f"There is no policy {asked!r}.",
            why=f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(known())}.",
            fix="Name a known one, or a TOML file with the sections [triggers] and [gates].",
        )
    whole = _merged(config.model_dump(mode="json", exclude={"name"}), _overrides(path, shown))
    return Policy(path.stem, check_config(whole, config.name, origin=shown))


def _of_main(config: ModelConfig, text: str | None) -> Policy:
    """The triggers and gates that the default branch has, on the rows and features of this checkout."""
    if text is None:
        raise UsageError(
            f"The default branch has no model/{config.name}/model.toml to compare with.",
            why="The model is new, or there is no forge yet.",
            fix="Leave --policy main out.",
        )
    old = parse_config(text, config.name, origin=f"model/{config.name}/model.toml on the default branch")
    return Policy(MAIN, config.model_copy(update={"triggers": old.triggers, "gates": old.gates}))


def _overrides(path: Path, shown: str) -> dict[str, Any]:
    """What the file says."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as err:
        raise ConfigError(f"{shown} is not TOML: {err}.", fix="Mend that line.") from err
    strange = sorted(set(raw) - set(SECTIONS))
    if strange:
        near = difflib.get_close_matches(strange[0], SECTIONS, n=1, cutoff=0.5)
        raise ConfigError(
            f"{shown}: unknown key {strange[0]!r}.",
            why=f"Did you mean {near[0]!r}?" if near else "A policy says when to retrain and what to let pass.",
            fix="Write only the sections [triggers] and [gates] into it; the rest comes from model.toml.",
        )
    return raw


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with every key that `over` holds replaced, table by table."""
    both = {
        key: _merged(base[key], value) if isinstance(value, Mapping) and isinstance(base.get(key), Mapping) else value
        for key, value in over.items()
    }
    return {**base, **both}
