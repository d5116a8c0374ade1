from __future__ import annotations

import pytest

from core.conceal import conceal
from core.errors import OutsideError
from core.failure import Failure

RUN = {
    "GITHUB_ACTIONS": "true",
    "MLFLOW_TRACKING_URI": "https://bot:hunter2@mlflow.acme.example:5000/base",
    "MONITORING_URL": "postgresql://reader:pa55word@db.acme.example/monitoring",
    "APPRISE_URLS": "slack://AAAAAAAA/BBBBBBBB mailto://me:secret1@mail.acme.example",
}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("store https://mlflow.acme.example:5000/base is down", "store $MLFLOW_TRACKING_URI is down"),
        (
            "HTTPSConnectionPool(host='mlflow.acme.example', port=5000)",
            "HTTPSConnectionPool(host='$MLFLOW_TRACKING_URI'",
        ),
        ("refused by db.acme.example", "refused by $MONITORING_URL"),
        ("password hunter2", "password $MLFLOW_TRACKING_URI"),
        ("slack://AAAAAAAA/BBBBBBBB", "$APPRISE_URLS"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_no_part_of_an_address_is_shown(said: str, shown: str) -> None:
    """In a workflow run the address, its host, its password and its path are told by the variable's name."""
    told = conceal(said, RUN)

    assert shown in told
    assert not any(part in told for part in ("acme.example", "hunter2", "pa55word", "AAAAAAAA"))


def test_on_a_laptop_the_address_is_told() -> None:
    """Outside of a workflow the reader needs to see which server it was."""
    said = "store https://mlflow.acme.example:5000/base is down"

    assert said == conceal(said, {**RUN, "GITHUB_ACTIONS": ""})


def test_a_path_is_hidden_too() -> None:
    """A file that a secret names, such as one below a home folder, is not told."""
    env = {"GITHUB_ACTIONS": "true", "MONITORING_URL": "/data/acme/monitoring.db"}

    assert "$MONITORING_URL is missing" == conceal("/data/acme/monitoring.db is missing", env)


def test_a_failure_is_handed_over_without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes an issue, a chat message and a mark in the report holds no address."""
    import datetime as dt

    for name, value in RUN.items():
        monkeypatch.setenv(name, value)
    err = OutsideError("https://mlflow.acme.example:5000/base is down", why="db.acme.example", fix="hunter2")
    made = Failure.of("flights", dt.datetime(2013, 6, 1, tzinfo=dt.UTC), "pull", err)

    assert "acme" not in made.to_json()
    assert "hunter2" not in made.to_json()
