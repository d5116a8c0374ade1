"""Give every kind of failure one class, so that exit code and text tell what to do."""

from __future__ import annotations

LONGEST = 1500  # characters of a part: what comes from a file or an option may be as long as it likes


class MlopsError(Exception):
    """A failure that we foresaw. Shown without a stack trace, in three parts, each cut where it is very long.

    Args:
        what: what happened, with the values involved.
        why: the likely cause.
        fix: what to type or change next.
    """

    exit_code = 1

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        self.what, self.why, self.fix = map(_cut, (what, why, fix))
        super().__init__(self.what)

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.fix) if part)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


class UsageError(MlopsError):
    """The command was given what it cannot work with: an unknown model, a bad date, no file."""

    exit_code = 2


class ConfigError(MlopsError):
    """`model.toml`, `pipeline.py` or the environment does not say what is needed, or says it wrongly."""

    exit_code = 2


class RecordError(MlopsError):
    """A record handed over by an earlier stage is missing, damaged, or of another version."""

    exit_code = 2


class DataError(MlopsError):
    """Monitoring or training rows cannot be used: unreachable, empty, malformed, or refused by the suite.

    Its text has columns, types and counts, and no value of a row: it goes into logs, issues and chats.
    """

    exit_code = 3


class GateBlockedError(MlopsError):
    """A validation gate said no. Raised only where `--exit-code` asks for it: a verdict is a result, not a failure."""

    exit_code = 4


class RegistryError(MlopsError):
    """Git and registry differ in a way that `promote` will not repair: no such version, other digest, not validated."""

    exit_code = 5


class OutsideError(MlopsError):
    """An outside service (MLflow, git, the forge, a database) did not answer, or refused, after the retries."""

    exit_code = 6


class BusyError(MlopsError):
    """Another run is working on the same model."""

    exit_code = 6
