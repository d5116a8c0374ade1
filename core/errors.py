"""One class for each kind of failure, with its exit code and a message that says what to do next."""

from __future__ import annotations

LONGEST = 1500  # characters of a part: text from a file or an option may be very long


class MlopsError(Exception):
    """An expected failure. Shown without a stack trace, in three parts, each cut if it is very long.

    Args:
        what: what happened, with the values involved.
        why: the likely cause.
        fix: what to type or change next.

    `production` is a sentence about what is in Production, asked after the error; empty if the registry was not asked.
    """

    exit_code = 1
    production = ""

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        self.what, self.why, self.fix = map(_cut, (what, why, fix))
        super().__init__(self.what)

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.fix) if part)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


class UsageError(MlopsError):
    """The command got invalid arguments: an unknown model, a bad date, a missing file."""

    exit_code = 2


class ConfigError(MlopsError):
    """A setting in `model.toml`, `pipeline.py` or the environment is missing or wrong."""

    exit_code = 2


class RecordError(MlopsError):
    """A record of an earlier stage is missing, damaged, or of another version."""

    exit_code = 2


class DataError(MlopsError):
    """Monitoring or training rows cannot be used: unreachable, empty, malformed, or rejected by the suite.

    The message has columns, types and counts, but no value of a row: it goes into logs, issues and chats.
    """

    exit_code = 3


class GateBlockedError(MlopsError):
    """A validation gate blocked. Raised only with `--exit-code`: a verdict is a result, not a failure."""

    exit_code = 4


class RegistryError(MlopsError):
    """Git and registry differ in a way that `promote` does not repair: version missing, changed or not validated."""

    exit_code = 5


class OutsideError(MlopsError):
    """An outside service (MLflow, git, the forge, a database) did not answer or rejected the request, after retries."""

    exit_code = 6


class BusyError(MlopsError):
    """Another run is working on the same model."""

    exit_code = 6
