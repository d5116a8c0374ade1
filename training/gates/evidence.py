"""The evidence that gates judge by: holdout rows, the scores of both models on them, and measurements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from core.config import ModelConfig
from monitoring.performance import PromotedScore
from monitoring.tasks import Task
from training import data_digest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class CandidateEvidence:
    """Everything that the gates read of a candidate. Arrays have one element for each holdout row.

    `slices`: the category of each row, by column. `example_equal`: the model loaded from its files gives the same
    scores as before. `promoted`: holdout scores of the versions promoted so far, oldest first.
    """

    labels: NDArray[Any]
    times: NDArray[np.datetime64]
    challenger_scores: NDArray[np.float64]
    holdout_digest: str
    example_equal: bool
    latency_p95_ms: float
    size_mb: float
    slices: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    champion_version: int | None = None
    champion_fit_until: dt.datetime | None = None
    champion_scores: NDArray[np.float64] | None = None
    promoted: tuple[PromotedScore, ...] = ()

    @classmethod
    def of(cls, holdout: pd.DataFrame, config: ModelConfig, **measured: Any) -> Self:
        """Return the evidence on the rows of `holdout` (a `labelled_frame`); `measured` are all other fields."""
        columns = config.data.columns
        return cls(
            labels=holdout[columns.label].to_numpy(),
            times=holdout[columns.time].dt.tz_convert(None).to_numpy(),
            slices={name: _categories(holdout[name]) for name in config.gates.slices},
            holdout_digest=data_digest(holdout),
            **measured,
        )

    def later_than(self, *fits: dt.datetime | None) -> Self:
        """Return only the rows later than all `fits`, the instants up to which models were fitted."""
        keep = np.ones(len(self.times), np.bool_)
        for end in (fit for fit in fits if fit is not None):
            keep &= self.times >= np.datetime64(end.astimezone(dt.UTC).replace(tzinfo=None), "us")
        return replace(
            self,
            labels=self.labels[keep],
            times=self.times[keep],
            challenger_scores=self.challenger_scores[keep],
            champion_scores=None if self.champion_scores is None else self.champion_scores[keep],
            slices={name: values[keep] for name, values in self.slices.items()},
        )

    @property
    def days(self) -> NDArray[np.datetime64]:
        """The UTC day of each row."""
        return self.times.astype("datetime64[D]")

    def counts_by_day(
        self, scores: NDArray[np.float64], task: Task, rows: NDArray[np.intp] | None = None
    ) -> NDArray[np.int64]:
        """Return labelled counts by day, of all rows or of those at these positions."""
        labels, days = self.labels, self.days
        if rows is not None:
            labels, scores, days = labels[rows], scores[rows], days[rows]
        counts = [task.counted(labels[days == day], scores[days == day]) for day in np.unique(days)]
        return np.stack(counts) if counts else np.zeros((0, task.shape[0], task.shape[1] - 1), np.int64)

    def rows_by_category(self) -> Iterator[tuple[str, dict[str, NDArray[np.intp]]]]:
        """Yield each slice column with the positions of the rows of each category, in the order of its name."""
        import pandas as pd

        for column, values in self.slices.items():
            codes, categories = pd.factorize(values, sort=True)
            ends = np.cumsum(np.bincount(codes, minlength=len(categories)))
            rows = np.split(np.argsort(codes, kind="stable"), ends)[:-1]
            yield column, dict(zip(map(str, categories), rows, strict=True))


def _categories(column: pd.Series) -> NDArray[np.object_]:
    """Return the category of each row as text."""
    codes, categories = column.factorize()
    texts: NDArray[np.object_] = np.array([*map(str, categories), "(missing)"], object)[codes]  # -1 is a missing value
    return texts
