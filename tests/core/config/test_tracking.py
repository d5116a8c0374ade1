"""Addresses of MLflow stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config import Settings, load_config
from core.config.tracking import require_address
from core.errors import ConfigError
from core.redaction import redact

TEXT = (Path(__file__).parents[2] / "data" / "seed.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "uri",
    [
        "sqlite:////srv/mlflow.db",
        "postgresql+psycopg2://bot:pa55word@db.example/mlflow",
        "https://bot:p%2Fss@mlflow.example:5000/base?workspace=a",
        "http://[::1]:5000",
        "databricks",
        "databricks://profile",
    ],
)
def test_the_address_of_a_store_is_taken_as_it_is(uri: str) -> None:
    """Databases, servers and Databricks workspaces are passed on to MLflow unchanged."""
    assert uri == require_address(uri)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://bot:pa[ss@mlflow.example", "not a valid address"),
        ("http://bot:pa/ss@mlflow.example", "not a valid address"),
        ("http://bot:pass@mlflow.example:port", "not a valid address"),
        ("https://", "not a valid address"),
        ("https://mlflow.example/?token=passtoken", "a token or password as a parameter"),
        ("htps://bot:pass@mlflow.example", "the unknown scheme 'htps'"),
        ("mlflow.example", "no scheme"),
        ("/srv/mlruns", "no scheme"),
        ("databricks-uc", "no stages"),
        ("databricks-uc://profile", "no stages"),
    ],
)
def test_what_cannot_be_an_address_is_refused_and_not_repeated(uri: str, reason: str) -> None:
    """A wrong address is a config error that says why, with no part of a user name, password or token."""
    with pytest.raises(ConfigError, match=reason) as caught:
        require_address(uri)

    message = f"{caught.value.what} {caught.value.why}"
    assert caught.value.fix
    assert not any(part in message for part in ("bot", "pass@", "pa[ss", "ss@", "passtoken"))


@pytest.mark.parametrize("uri", ["htps://mlflow.example", "http://bot:pa[ss@mlflow.example"])
def test_no_command_reaches_a_wrong_address(tmp_path: Path, uri: str) -> None:
    """The settings give no store to connect to; other settings can still be read."""
    settings = Settings.load(tmp_path, {"MLFLOW_TRACKING_URI": uri})

    assert tmp_path.resolve() == settings.root
    with pytest.raises(ConfigError, match="MLFLOW_TRACKING_URI"):
        _ = settings.store


@pytest.mark.parametrize("password", ["hunter2", "hun/ter2", "hun[ter2", "hun:ter2"])
def test_a_password_is_hidden_on_a_laptop_too(password: str) -> None:
    """Outside of a workflow run an address is shown without its password, also one that is written wrong."""
    assert "store http://bot:***@db.example/x is down" == redact(
        f"store http://bot:{password}@db.example/x is down", {}
    )


def test_two_models_do_not_share_a_registered_model(tmp_path: Path) -> None:
    """A registry_name that two folders have is refused in both, by the names of the folders."""
    for name, registry_name in (("first", "shared"), ("second", "shared"), ("third", "own")):
        folder = tmp_path / "model" / name
        folder.mkdir(parents=True)
        lines = [line for line in TEXT.splitlines() if not line.startswith("registry_name")]
        task, *rest = lines
        (folder / "model.toml").write_text("\n".join([task, f'registry_name = "{registry_name}"', *rest]))

    assert "own" == load_config(tmp_path, "third").registry_name
    for name, other in (("first", "second"), ("second", "first")):
        with pytest.raises(ConfigError, match=f"model/{name} and model/{other} have the same registry_name"):
            load_config(tmp_path, name)
