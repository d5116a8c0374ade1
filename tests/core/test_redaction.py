from __future__ import annotations

import pytest

from core.errors import OutsideError
from core.failure import Failure
from core.redaction import redact

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
    told = redact(said, RUN)

    assert shown in told
    assert not any(part in told for part in ("acme.example", "hunter2", "pa55word", "AAAAAAAA"))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wJalr/XUtn+FEMI", "wJalr/XUtn+FEMI"),
        ("MY_DB_PASSWORD", "hunter2", "hunter2"),
        ("RETRAINING_APP_KEY", "-----BEGIN KEY-----\nMIIEpAIBAA\n-----END KEY-----", "MIIEpAIBAA"),
        ("WAREHOUSE", "snowflake://me:p%40ssword@host/db", "p@ssword"),
        ("MONITORING_URL", "postgresql://h.example/db?sslpassword=hunter2", "sslpassword=hunter2"),
    ],
)
def test_a_variable_is_secret_by_its_name_or_by_the_password_in_it(name: str, value: str, said: str) -> None:
    """Keys, tokens and passwords of any service, and the password in any address, written or decoded, are not told."""
    assert f"key ${name}" == redact(f"key {said}", {"GITHUB_ACTIONS": "true", name: value})


def test_a_word_that_is_no_secret_stays() -> None:
    """A short or missing value of such a variable does not take words out of texts."""
    env = {"GITHUB_ACTIONS": "true", "USE_TOKEN": "true", "EMPTY_TOKEN": "", "HOME": "/root"}

    assert "true, in /root" == redact("true, in /root", env)


def test_on_a_laptop_the_address_is_told() -> None:
    """Outside of a workflow the reader needs to see which server it was."""
    said = "store https://mlflow.acme.example:5000/base is down"

    assert said == redact(said, {**RUN, "GITHUB_ACTIONS": ""})


def test_a_path_is_hidden_too() -> None:
    """A file that a secret names, such as one below a home folder, is not told."""
    env = {"GITHUB_ACTIONS": "true", "MONITORING_URL": "/data/acme/monitoring.db"}

    assert "$MONITORING_URL is missing" == redact("/data/acme/monitoring.db is missing", env)


def test_a_failure_is_handed_over_without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes an issue, a chat message and a mark in the report holds no address."""
    import datetime as dt

    for name, value in RUN.items():
        monkeypatch.setenv(name, value)
    err = OutsideError("https://mlflow.acme.example:5000/base is down", why="db.acme.example", fix="hunter2")
    made = Failure.of("flights", dt.datetime(2013, 6, 1, tzinfo=dt.UTC), "pull", err)

    assert "acme" not in made.to_json()
    assert "hunter2" not in made.to_json()
