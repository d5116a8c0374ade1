"""Record of a failed stage, for the job that reports it after the runner is gone."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field

from core.errors import MlopsError
from core.records import Record
from core.redaction import redact

Stage = Literal["pull", "check", "train", "validate", "propose", "promote"]


class Failure(Record):
    """A stage that ended with an error: when, which kind of error, and its three parts.

    `kind` is the error's class as words: `data`, `config`, `outside`; `unexpected` for all other errors. Of those only
    the class is kept: the message may contain a row or a secret. `production` says what was in Production afterwards;
    it is empty if the registry could not be asked.
    """

    model: str
    as_of: AwareDatetime
    stage: Stage
    kind: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    what: str
    why: str
    fix: str
    production: str = ""

    @classmethod
    def of(cls, model: str, as_of: dt.datetime, stage: Stage, err: Exception) -> Self:
        """Return the record of an error in a stage."""
        if isinstance(err, MlopsError):
            kind, parts = _words(type(err).__name__), (err.what, err.why, err.fix)
        else:
            name = type(err).__name__
            kind = "unexpected"
            parts = (
                f"{stage} failed with an unexpected {name}.",
                "This is a bug in the template or in pipeline.py, or a library changed.",
                "Read the log of the run. If the bug is in the template, report it with the stack trace.",
            )
        # A file name that is not UTF-8 could not be written.
        what, why, fix = (redact(part).encode(errors="replace").decode() for part in parts)
        return cls(model=model, as_of=as_of, stage=stage, kind=kind, what=what, why=why, fix=fix)

    @property
    def cause(self) -> str:
        """Return the stage and the kind of error; each combination is reported once, however often it happens."""
        return f"{self.stage}-{self.kind}"

    @property
    def file(self) -> str:
        """Return the name of the file for this stage."""
        return f"failure-{self.stage}.json"


def _words(name: str) -> str:
    """Return a class name as words: `GateBlockedError` as `gate-blocked`."""
    base = name.removesuffix("Error")
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in base).strip("-")
