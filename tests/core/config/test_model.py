from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from core.config.model import ModelConfig
from core.config.settings import Settings, load_config, model_names, parse_config
from core.errors import ConfigError, UsageError

MINIMAL = """
task = "binary"
registry_name = "churn"
[data]
source = "local/monitoring.db"
table = "predictions"
numeric = ["age"]
categorical = ["plan"]
"""


def test_a_minimal_config_has_the_defaults_of_the_design() -> None:
    """What is left out takes the documented default."""
    config = parse_config(MINIMAL, "churn")

    assert (0.01, 0.05, (2, 3)) == (
        config.triggers.drift.alpha,
        config.triggers.drift.min_effect,
        config.triggers.drift.nights,
    )
    assert ("age", "plan") == config.data.features
    assert {} == config.gates.floors


def test_the_rules_of_the_seed_article_are_settings() -> None:
    """Accuracy 0.85 on 7 days and 100 labels, KS at 0.05 a column, 7 days of age, accuracy 0.85 and precision 0.83."""
    config = parse_config((Path(__file__).parents[2] / "data" / "seed.toml").read_text(), "seed")

    performance, drift = config.triggers.performance, config.triggers.drift
    assert ("accuracy", 0.85, 7, 100) == (
        performance.metric,
        performance.floor,
        performance.window_days,
        performance.min_labels,
    )
    assert ("plain", "none", 0.05, 0.0) == (drift.rule, drift.correction, drift.alpha, drift.min_effect)
    assert 7 == config.triggers.age.max_days
    assert {"accuracy": 0.85, "precision_weighted": 0.83} == config.gates.floors


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[triggers.drift]\nwindowdays = 7", "'triggers.drift.windowdays'"),
        ("[trigger.drift]\nwindow_days = 7", "'trigger'"),
        ("[gates]\nbalanced_acuracy = 0.5", "'gates.balanced_acuracy'"),
        ("name = 'x'", "unknown key"),
    ],
)
def test_an_unknown_key_is_an_error(line: str, said: str) -> None:
    """A key that we do not know never passes silently."""
    text = f"{line}\n{MINIMAL}" if "=" in line.split("\n", maxsplit=1)[0] else f"{MINIMAL}\n{line}"

    with pytest.raises(ConfigError) as caught:
        parse_config(text, "churn")
    assert said in caught.value.what


@pytest.mark.parametrize("name", ["sepal length (cm)", "Größe", "年齢", "1stFlrSF", "od280/od315", "a.b", "R&D's 5 %"])
def test_a_column_may_be_called_what_tables_call_theirs(name: str) -> None:
    """Letters of any alphabet, digits first, brackets, slashes and percent signs are no reason to refuse a column."""
    assert (name,) == parse_config(MINIMAL.replace('"age"', f'"{name}"'), "churn").data.numeric


@pytest.mark.parametrize("name", ["", " age", "<b>", "a|b", "a`b", "a\\nb", "a\\u0000", 'a\\"b', "x" * 129])
def test_a_column_may_not_be_called_what_changes_a_page(name: str) -> None:
    """Markup, quotes and control characters are refused wherever a column is named."""
    with pytest.raises(ConfigError, match="numeric"):
        parse_config(MINIMAL.replace('"age"', f'"{name}"'), "churn")


def test_an_unknown_key_names_the_nearest() -> None:
    """The error offers the key that was probably meant."""
    with pytest.raises(ConfigError) as caught:
        parse_config(f"{MINIMAL}\n[triggers.drift]\nwindowdays = 7", "churn")
    assert "Did you mean 'triggers.drift.window_days'?" == caught.value.why


def numbers(section: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all numbers in a schema of sections."""
    found = []
    for name, field in section.model_fields.items():  # type: ignore[attr-defined]
        kind = field.annotation
        if hasattr(kind, "model_fields"):
            found += numbers(kind, (*path, name))
        elif kind in (int, float, float | None):
            found.append((*path, name))
    return found


@pytest.mark.parametrize("path", numbers(ModelConfig), ids=".".join)
@pytest.mark.parametrize("value", ["-1", "1e300", "10000000000", "nan", "'1'", "true"])
def test_every_number_has_bounds(path: tuple[str, ...], value: str) -> None:
    """A negative, huge, missing or mistyped value of any number is refused by name."""
    section, key = ".".join(path[:-1]), path[-1]

    with pytest.raises(ConfigError) as caught:
        parse_config(f"{MINIMAL}\n[{section}]\n{key} = {value}", "churn")
    assert key in caught.value.what


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('numeric = ["age"]', 'numeric = ["age", "plan"]'), "plan"),
        (('numeric = ["age"]\ncategorical = ["plan"]', ""), "at least one column"),
        (('"binary"', '"ranking"'), "task"),
        (('"churn"', '"../churn"'), "registry_name"),
    ],
)
def test_a_config_that_cannot_be_meant_is_refused(change: tuple[str, str], said: str) -> None:
    """A column with two roles, no features, an unknown task and a path as a name are errors."""
    with pytest.raises(ConfigError) as caught:
        parse_config(MINIMAL.replace(*change), "churn")
    assert said in caught.value.what


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('correction = "bonferoni"', "correction"),
        ('nulls = "ignore"', "nulls"),
        ('seasonal_columns = ["temp"]', "triggers.drift.seasonal_columns contains columns that are not features: temp"),
        ('ignore = ["age"]\nseasonal_columns = ["age"]', "ignore and seasonal_columns both contain age"),
        ("nights = [3, 2]", "1 <= k <= n <= 30"),
    ],
)
def test_a_drift_trigger_that_cannot_be_meant_is_refused(line: str, said: str) -> None:
    """Unknown words, columns that are no features, and a column that is both ignored and seasonal."""
    with pytest.raises(ConfigError) as caught:
        parse_config(f"{MINIMAL}\n[triggers.drift]\n{line}", "churn")
    assert said in caught.value.what


@pytest.mark.parametrize("address", ["scheduler:8786", "redis://scheduler", "tcp://", "tcp://a b"])
def test_a_cluster_is_the_address_of_a_scheduler(address: str) -> None:
    """It begins with tcp:// or tls://, then comes a host; anything else is an error before any row is read."""
    with pytest.raises(ConfigError, match=r"training\.cluster"):
        parse_config(f'{MINIMAL}\n[training]\ncluster = "{address}"', "churn")
    assert parse_config(f'{MINIMAL}\n[training]\ncluster = "tls://[::1]:8786"', "churn").training.cluster


def test_an_unknown_model_lists_the_known_ones(tmp_path: Path) -> None:
    """A misspelt or hostile model name is a usage error that names what is there."""
    (tmp_path / "model" / "churn").mkdir(parents=True)
    (tmp_path / "model" / "churn" / "model.toml").write_text(MINIMAL)

    assert ("churn",) == model_names(tmp_path)
    assert tomllib.loads(MINIMAL)["registry_name"] == load_config(tmp_path, "churn").registry_name
    for name in ("churm", "../churn", "", "churn\n"):
        with pytest.raises(UsageError) as caught:
            load_config(tmp_path, name)
        assert "churn" in caught.value.why


def test_a_folder_whose_name_cannot_be_one_is_told_apart(tmp_path: Path) -> None:
    """A folder my-model is there, so the error does not say that it is not: it gives the command that renames it."""
    folder = tmp_path / "model" / "my-model"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(MINIMAL)

    with pytest.raises(UsageError) as caught:
        load_config(tmp_path, "my-model")
    assert "git mv model/my-model model/my_model" in caught.value.fix


def test_a_workflow_must_name_its_registry(tmp_path: Path) -> None:
    """Inside a workflow the default registry would die with the runner, so it is refused; on a laptop it is local/."""
    with pytest.raises(ConfigError, match="MLFLOW_TRACKING_URI"):
        _ = Settings.load(tmp_path, {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/demo"}).store

    assert f"sqlite:///{tmp_path}/local/mlflow.db" == Settings.load(tmp_path, {}).store


def test_the_environment_names_the_source(tmp_path: Path) -> None:
    """MONITORING_URL wins over data.source."""
    config = parse_config(MINIMAL, "churn")

    assert "x.db" == Settings.load(tmp_path, {"MONITORING_URL": "x.db"}).source(config)
    assert "local/monitoring.db" == Settings.load(tmp_path, {}).source(config)


MULTICLASS = MINIMAL.replace('"binary"', '"multiclass"', 1) + 'classes = ["a", "b"]\n'
REGRESSION = (
    MINIMAL.replace('"binary"', '"regression"', 1)
    + 'label_range = [0, 10]\n[triggers.performance]\nmetric = "neg_mean_absolute_error"\nfloor = -2.5\n'
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MULTICLASS.replace("classes", "numbers_", 1), "unknown key"),
        (MULTICLASS.replace('classes = ["a", "b"]', ""), "task = 'multiclass' needs data.classes"),
        (MULTICLASS.replace('["a", "b"]', '["a", "a"]'), "data.classes contains a class twice"),
        (MULTICLASS.replace('["a", "b"]', '["a"]'), "data.classes"),
        (MULTICLASS.replace('["a", "b"]', '["a", "b\\n"]'), "data.classes"),
        (MULTICLASS.replace('"multiclass"', '"binary"'), "data.classes is only for task = 'multiclass'"),
        (MULTICLASS + "[gates]\nroc_auc = 0.6", "gates: roc_auc is not a metric of task = 'multiclass'"),
        (MULTICLASS + "[training]\nthreshold = 0.4", "training.threshold is a limit on probabilities"),
        (MULTICLASS + "[gates]\nmax_slice_loss = 1.5", "a loss of 1.5 is impossible"),
        (MULTICLASS + '[triggers.performance]\nmetric = "r2"', "triggers.performance.metric: r2 is not a metric of"),
        (REGRESSION.replace("[0, 10]", "[10, 0]"), "data.label_range is [smallest, largest], found [10.0, 0.0]"),
        (REGRESSION.replace("label_range = [0, 10]", ""), "task = 'regression' needs data.label_range"),
        (REGRESSION.replace("floor = -2.5", "floor = 2.5"), "triggers.performance.floor"),
        (REGRESSION.replace("floor = -2.5", ""), "so a floor of 0 would always fire"),
        (REGRESSION.replace('"neg_mean_absolute_error"', '"accuracy"'), "accuracy is between 0 and 1: floor -2.5"),
        (REGRESSION + "[gates]\nr2 = 1.1", "gates.r2"),
        (REGRESSION + "[gates]\nneg_root_mean_squared_error = 3", "gates.neg_root_mean_squared_error"),
        (MINIMAL + "[triggers.performance]\nmax_drop = 2", "is between 0 and 1: floor 0, max_drop 2"),
    ],
)
def test_what_does_not_fit_the_task_is_refused(text: str, said: str) -> None:
    """Keys, metrics and numbers of another task, each told with what would fit."""
    with pytest.raises(ConfigError) as refused:
        parse_config(text, "churn")

    assert said in f"{refused.value.what} {refused.value.why}"


def test_each_task_has_a_smallest_config() -> None:
    """Classes, or a range and a metric with its floor; losses of a regression may be of any size."""
    assert ("a", "b") == parse_config(MULTICLASS, "churn").data.classes
    config = parse_config(REGRESSION + "[gates]\nmax_loss_to_champion = 500", "churn")
    assert ((0.0, 10.0), -2.5, 500) == (
        config.data.label_range,
        config.triggers.performance.floor,
        config.gates.max_loss_to_champion,
    )
