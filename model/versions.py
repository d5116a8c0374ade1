"""Say what the registry knows of a version: where it comes from, where it stands, and how to try it out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, Field, ValidationError

from core.records import Record
from model.manifest import Number, Sha256

if TYPE_CHECKING:
    import pandas as pd


class Origin(Record):
    """What a version was made from. Moments are UTC.

    `trained_at` is the instant the training acted at, `fit_until` that before which all fitted rows lie, `data_until`
    the time of the last row of the holdout; `commit` is that of the code, empty where there was no git.
    """

    training_key: Sha256
    data_digest: Sha256
    trained_at: AwareDatetime
    fit_until: AwareDatetime
    data_until: AwareDatetime
    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40})?$")] = ""

    def tags(self) -> dict[str, str]:
        """As tags of a run or version."""
        return {name: str(value) for name, value in self.model_dump(mode="json").items()}


class ModelVersion(Record):
    """A version of a registered model that one of our trainings made.

    `digest` is that of its files, `validation` what the last verdict said, `promoted_at` when it last became the one
    in Production.
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

    @classmethod
    def of(cls, name: str, version: int, run_id: str, stage: str, tags: Mapping[str, str]) -> Self | None:
        """The version that a registry's entry tells of; None where its tags are not those of our trainings."""
        known = {key: value for key, value in tags.items() if key in cls.model_fields}
        entry = {**known, "name": name, "version": str(version), "run_id": run_id, "stage": stage}
        try:
            return cls.model_validate_strings(entry)
        except ValidationError:
            return None


class Example(Record):
    """Made-up rows of features, and the probabilities that the model gave for them when it was trained."""

    order: tuple[str, ...]
    numeric: dict[str, tuple[float | None, ...]]
    categorical: dict[str, tuple[str | None, ...]]
    scores: tuple[float, ...]

    @classmethod
    def of(cls, rows: pd.DataFrame, scores: NDArray[np.float64]) -> Self:
        """The record of a frame and its scores."""
        numeric = [name for name in rows if rows[name].dtype.kind == "f"]
        lists = {str(name): rows[name].astype(object).where(rows[name].notna(), None).tolist() for name in rows}
        return cls(
            order=tuple(lists),
            numeric={str(name): tuple(lists[str(name)]) for name in numeric},
            categorical={name: tuple(values) for name, values in lists.items() if name not in numeric},
            scores=tuple(scores.tolist()),
        )

    def frame(self) -> pd.DataFrame:
        """The rows as a model takes them."""
        import pandas as pd

        numeric = {name: pd.Series(values, dtype="float64") for name, values in self.numeric.items()}
        categorical = {name: pd.Series(values, dtype=object) for name, values in self.categorical.items()}
        return pd.DataFrame({**numeric, **categorical})[list(self.order)]


def instant(text: str) -> dt.datetime | None:
    """The moment in a tag; None where it holds something else, or a moment without a zone."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


class Judged(Protocol):
    """What a verdict must have to be kept."""

    @property
    def passed(self) -> bool:
        """Whether every gate let the version pass."""

    def to_json(self) -> str:
        """The whole of it."""
