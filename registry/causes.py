"""Known causes of errors of MLflow, its database and its files, each with the step that helps against it."""

from __future__ import annotations

import re
from dataclasses import dataclass

ADDRESS = "MLFLOW_TRACKING_URI is its address"


@dataclass(frozen=True)
class Cause:
    """A cause by a pattern of the error's text."""

    pattern: str
    why: str
    fix: str


CAUSES = (
    Cause(
        r"error code 401\b|UNAUTHENTICATED|password authentication failed",
        "The store does not accept the credentials.",
        "Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (for a database: user and "
        "password in MLFLOW_TRACKING_URI). Workflows read them from the environments: docs/setup-github.md, step 2.",
    ),
    Cause(
        r"error code 403\b|PERMISSION_DENIED|permission denied for",
        "The account is known and may not do this.",
        "Give it the right in MLflow: training needs runs and versions, promotion stages and aliases too "
        "(docs/security.md, Tokens).",
    ),
    Cause(
        r"error code 404\b",
        "A server answers at this address, and it has no MLflow under this path.",
        f"Correct the address: {ADDRESS}, without a page such as /#/models.",
    ),
    Cause(
        r"WRONG_VERSION_NUMBER|record layer failure",
        "The server does not speak TLS: its address begins with http and not https, or names another port.",
        f"Correct the address: {ADDRESS}.",
    ),
    Cause(
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerification|certificate verify failed",
        "The certificate of the server is expired, for another host, or of an authority that is not known here.",
        "Set MLFLOW_TRACKING_SERVER_CERT_PATH to the file of your authority, or have the certificate renewed.",
    ),
    Cause(
        r"NameResolution|Failed to resolve|Name or service not known|could not translate host name|getaddrinfo",
        "The host name in MLFLOW_TRACKING_URI is unknown here.",
        "Correct it, or connect to the network that knows it.",
    ),
    Cause(
        r"Connection refused",
        "No server listens at this address and port.",
        f"Start the server, or correct the address: {ADDRESS}.",
    ),
    Cause(
        r"Expecting value|not a valid JSON|JSONDecodeError|<html",
        "Something other than MLflow answers at this address, such as the login page of a proxy.",
        f"Sign in there, or correct the address: {ADDRESS}.",
    ),
    Cause(
        r"out-of-date database schema|Can't locate revision",
        "The database was written by another version of MLflow.",
        "Install the version of requirements.lock. If that is newer, back the database up, then type: mlflow db "
        "upgrade ADDRESS",
    ),
    Cause(
        r"database is locked",
        "Another process is writing to the database.",
        "Run this again when it has ended.",
    ),
    Cause(
        r"readonly database|unable to open database|disk is full|disk I/O error|Permission denied|No space left",
        "The disk is full, or the folder of the store cannot be written.",
        "Free space, or let this user write there; then run this again.",
    ),
    Cause(
        r"No such file or directory|No such artifact|does not exist",
        "A file of the store is missing: it was deleted, or the folder of the files was moved.",
        "Restore it from a backup, or train again. Running this again does not help.",
    ),
    Cause(
        r"error code (?:429|5\d\d)\b|too many (?:429|5\d\d) error responses|[Tt]imed out|Timeout|reset by peer|aborted",
        "The server is down or overloaded.",
        f"Run this again when it responds; {ADDRESS}.",
    ),
)
UNKNOWN = Cause(
    "",
    "It is down or not reachable, rejects the credentials, has another MLflow version, or lost a file.",
    f"Run this again when it responds; {ADDRESS}.",
)


def cause_of(text: str) -> Cause:
    """Return the cause of an error by its text."""
    return next((cause for cause in CAUSES if re.search(cause.pattern, text)), UNKNOWN)
