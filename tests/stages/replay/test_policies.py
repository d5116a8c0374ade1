"""Policies are the model's config with other triggers and gates, and wrong ones are refused by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.config.model import ModelConfig
from core.config.settings import parse_config
from core.errors import ConfigError, UsageError
from stages.replay.policies import policies, policy_names

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "tests" / "example"


def test_default_is_the_config_of_the_model(config: ModelConfig) -> None:
    """The policy `default` changes nothing."""
    (own,) = policies(["default"], config)

    assert ("default", config) == (own.name, own.config)


def test_the_named_policies_are_valid_for_the_example(config: ModelConfig) -> None:
    """Every policy that comes with the template can be asked for, and changes only triggers and gates."""
    found = policies(policy_names(), config, (EXAMPLE / "model" / "flights" / "model.toml").read_text(encoding="utf-8"))

    assert ("default", "main", "monthly", "never", "seed", "weekly") == tuple(policy.name for policy in found)
    for policy in found:
        assert config == policy.config.model_copy(update={"triggers": config.triggers, "gates": config.gates})


@pytest.mark.parametrize(("name", "days"), [("weekly", 7), ("monthly", 30)])
def test_calendars_only_ask_for_the_age(name: str, days: int, config: ModelConfig) -> None:
    """Weekly and monthly switch the other triggers off, and try once a period also after a refusal."""
    (policy,) = policies([name], config)
    triggers = policy.config.triggers

    assert (False, False, True) == (triggers.performance.enabled, triggers.drift.enabled, triggers.age.enabled)
    assert (days, days) == (triggers.age.max_days, triggers.limits.cooldown_days)
    assert policy.config.gates == config.gates


def test_the_seed_policy_has_the_rules_of_the_article(config: ModelConfig) -> None:
    """Its triggers are those of tests/data/seed.toml whatever the model's own are, its gates ask for the same."""
    article = parse_config((ROOT / "tests" / "data" / "seed.toml").read_text(), "seed")
    (policy,) = policies(["seed"], config)

    assert article.triggers == policy.config.triggers
    assert article.gates.floors == {metric: floor for metric, floor in policy.config.gates.floors.items() if floor}
    assert (False, ()) == (policy.config.gates.compare, policy.config.gates.slices)


def test_a_file_overrides_key_by_key(config: ModelConfig, tmp_path: Path) -> None:
    """A key in the file counts, all others are the model's own."""
    path = tmp_path / "strict.toml"
    path.write_text("[triggers.age]\nmax_days = 3\n")
    (policy,) = policies([str(path)], config)
    triggers = config.triggers.model_copy(update={"age": policy.config.triggers.age})

    assert ("strict", 3) == (policy.name, policy.config.triggers.age.max_days)
    assert config.model_copy(update={"triggers": triggers}) == policy.config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[triggers.age]\nmax_day = 3\n", "unknown key 'triggers.age.max_day'"),
        ("[trigers]\n", "unknown key 'trigers'"),
        ("[training]\nwindow_days = 3\n", "unknown key 'training'"),
        ("[triggers.age]\nmax_days = -1\n", "triggers.age.max_days"),
        ("[triggers\n", "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused(text: str, said: str, config: ModelConfig, tmp_path: Path) -> None:
    """An unknown key is the same error as in model.toml; so are other sections, values out of bounds, and no TOML."""
    path = tmp_path / "wrong.toml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=re.escape(said)):
        policies([str(path)], config)


def test_a_wrong_name_is_answered_with_the_nearest(config: ModelConfig) -> None:
    """A slip in a name is told with the name that was meant."""
    with pytest.raises(UsageError, match="Did you mean 'monthly'"):
        policies(["montly"], config)


def test_no_two_policies_have_one_name(config: ModelConfig) -> None:
    """Two rows of one name could not be told apart."""
    with pytest.raises(UsageError, match="several policies named never"):
        policies(["never", "never"], config)
