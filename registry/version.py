"""What the registry stores of a version: its origin, its state, and example rows with their scores."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, Field, ValidationError

from core.records import Record

if TYPE_CHECKING:
    import pandas as pd


BASELINE, EXAMPLE, DAYS = "baseline.json", "example.json", "days.json"
BOUND = ("data_digest", "data_until", "fit_until", "trained_at", "training_key")


class Origin(Record):
    """What a version was made from. Times are UTC.

    `trained_at`: the instant of the training. `fit_until`: all rows of the fit are from before it. `data_until`: the
    time of the last row of the holdout. `commit`: of the code; empty if it was not under git.
    """

    training_key: Sha256
    data_digest: Sha256
    trained_at: AwareDatetime
    fit_until: AwareDatetime
    data_until: AwareDatetime
    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40})?$")] = ""

    def tags(self) -> dict[str, str]:
        """Return the fields as tags of a run or version."""
        return {name: str(value) for name, value in self.model_dump(mode="json").items()}


class ModelVersion(Record):
    """A version of a registered model that mlops train registered.

    `digest`: of its files. `records_digest`: of the records that it is judged by later; None for versions that are
    older than this digest. `validation`: the result of the last verdict. `promoted_at`: when it last moved to
    Production.
    """

    name: str
    version: Number
    run_id: str
    digest: Sha256
    data_digest: Sha256
    validation: Literal["none", "passed", "blocked"]
    trained_at: AwareDatetime
    data_until: AwareDatetime
    fit_until: AwareDatetime
    training_key: Sha256
    stage: str
    promoted_at: AwareDatetime | None = None
    records_digest: Sha256 | None = None

    @classmethod
    def from_entry(cls, entry: Any) -> Self | None:
        """Return the version of an MLflow entry; None as in `of`."""
        return cls.of(entry.name, int(entry.version), entry.run_id or "", entry.current_stage, entry.tags)

    @classmethod
    def of(cls, name: str, version: int, run_id: str, stage: str, tags: Mapping[str, str]) -> Self | None:
        """Return the version of a registry's entry; None if its tags are not those of mlops train."""
        fields = {key: value for key, value in tags.items() if key in cls.model_fields}
        entry = {**fields, "name": name, "version": str(version), "run_id": run_id, "stage": stage}
        try:
            return cls.model_validate_strings(entry)
        except ValidationError:
            return None


class Example(Record):
    """Synthetic rows of features, and the scores that the model gave them when it was trained."""

    order: tuple[str, ...]
    numeric: dict[str, tuple[float | None, ...]]
    categorical: dict[str, tuple[str | None, ...]]
    scores: tuple[float, ...]

    @classmethod
    def of(cls, rows: pd.DataFrame, scores: NDArray[np.float64]) -> Self:
        """Return the record of a frame and its scores."""
        numeric = [name for name in rows if rows[name].dtype.kind == "f"]
        lists = {str(name): rows[name].astype(object).where(rows[name].notna(), None).tolist() for name in rows}
        return cls(
            order=tuple(lists),
            numeric={str(name): tuple(lists[str(name)]) for name in numeric},
            categorical={name: tuple(values) for name, values in lists.items() if name not in numeric},
            scores=tuple(scores.tolist()),
        )

    def frame(self) -> pd.DataFrame:
        """Return the rows as a model takes them."""
        import pandas as pd

        numeric = {name: pd.Series(values, dtype="float64") for name, values in self.numeric.items()}
        categorical = {name: pd.Series(values, dtype=object) for name, values in self.categorical.items()}
        return pd.DataFrame({**numeric, **categorical})[list(self.order)]


def records_digest(baseline: bytes, example: bytes, of: Origin | ModelVersion) -> str:
    """Return the SHA-256 of what later runs judge a version by: its baseline, its example, its data and its times.

    A change to one of these in MLflow could silence a trigger, or pass another model off as this one.
    """
    fields = of.model_dump(mode="json", include=set(BOUND))
    files = {BASELINE: baseline, EXAMPLE: example}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return hashlib.sha256(json.dumps({**fields, **digests}, sort_keys=True).encode()).hexdigest()


def instant(text: str) -> dt.datetime | None:
    """Return the instant in a tag; None if it is not one, or has no time zone."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


class StoredVerdict(Protocol):
    """What a verdict must have to be stored."""

    @property
    def passed(self) -> bool:
        """Whether every gate let the version pass."""

    def to_json(self) -> str:
        """Return the verdict as JSON."""


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
BY_HAND = "docs/rollback.md, 'A version that the template did not promote', says what to do."
PRODUCTION = "Production"
ALIAS = "production"
