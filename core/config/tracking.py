"""The address of the MLflow store, refused with the reason when it cannot be one."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from core.errors import ConfigError

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")  # what MLflow keeps a store in, before a "+driver"
SERVERS = ("http", "https")
WITHOUT_STAGES = ("databricks-uc", "uc")
SUPPORTED = "sqlite:////absolute/path/mlflow.db, postgresql://... or https://SERVER"
SECRET_PARAMETER = re.compile(r"token|secret|passw|key", re.IGNORECASE)
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def require_address(uri: str) -> str:
    """Return `uri`, if it can be the address of an MLflow store. No message repeats any of it but its scheme.

    Raises:
        ConfigError: no scheme or an unknown one, a password that breaks the address, a token in the address, or a
            registry that has no stages.
    """
    match = SCHEME.match(uri)
    scheme = match[1].lower() if match else ""
    kind = scheme.partition("+")[0]
    if uri == "databricks" or scheme == "databricks":
        return uri
    if uri in WITHOUT_STAGES or scheme in WITHOUT_STAGES:
        raise ConfigError(
            "MLFLOW_TRACKING_URI names Unity Catalog, whose registry has no stages.",
            why="A promotion moves the stage Production, and that registry refuses it.",
            fix="Use a registry with stages: an MLflow server, a database, or the Databricks workspace registry.",
        )
    if kind not in (*DATABASES, *SERVERS):
        raise ConfigError(
            f"MLFLOW_TRACKING_URI has {f'the unknown scheme {scheme!r}' if scheme else 'no scheme'}.",
            why="It is mistyped, or a plain path or host name.",
            fix=f"Write it like {SUPPORTED}.",
        )
    if kind in SERVERS:
        _require_server(uri)
    return uri


def _require_server(uri: str) -> None:
    try:
        parts = urlsplit(uri)
        broken = not parts.hostname or "@" in parts.path
        _ = parts.port
        parameters = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        broken, parameters = True, []
    if broken:
        raise ConfigError(
            "MLFLOW_TRACKING_URI is not a valid address.",
            why="It has no host, or a user name or password with one of the characters / [ ] # ? or : in it.",
            fix="Write such characters as %2F %5B %5D %23 %3F and %3A, or set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD instead.",
        )
    if any(SECRET_PARAMETER.search(name) for name, _value in parameters):
        raise ConfigError(
            "MLFLOW_TRACKING_URI holds a token or password as a parameter.",
            why="MLflow sends no parameters of the address, and prints the address in its messages.",
            fix="Remove it from the address and set MLFLOW_TRACKING_TOKEN.",
        )
