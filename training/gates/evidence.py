"""Hold what a candidate is judged by: rows that no model compared has seen, what each says of them, measurements."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from core.config import ModelConfig
from monitoring.performance import PromotedScore
from monitoring.tasks import Task
from training import data_digest, scoring_method

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class CandidateEvidence:
    """All that the gates see of a candidate. Arrays have one element a holdout row, in the numbers of the task.

    `slices`: by column, the category of each row. `example_equal`: the model loaded back from its files says the same
    as before. `promoted`: holdout scores of the versions promoted so far, oldest first.
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
        """Evidence on the rows of `holdout` (as in `rows.frame`); `measured` are the fields that rows do not tell."""
        columns = config.data.columns
        return cls(
            labels=holdout[columns.label].to_numpy(),
            times=holdout[columns.time].dt.tz_convert(None).to_numpy(),
            slices={name: _words(holdout[name]) for name in config.gates.slices},
            holdout_digest=data_digest(holdout),
            **measured,
        )

    def later_than(self, *fits: dt.datetime | None) -> Self:
        """Only the rows that came after every one of `fits`, the instants up to which models were fit."""
        ends = [moment.astimezone(dt.UTC).replace(tzinfo=None) for moment in fits if moment is not None]
        keep = np.ones(len(self.times), np.bool_)
        for end in ends:
            keep &= self.times >= np.datetime64(end, "us")
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
        self, scores: NDArray[np.float64], task: Task, places: NDArray[np.intp] | None = None
    ) -> NDArray[np.int64]:
        """Return labelled counts by day, of all rows or of those at `places`."""
        labels, days = self.labels, self.days
        if places is not None:
            labels, scores, days = labels[places], scores[places], days[places]
        counts = [task.counted(labels[days == day], scores[days == day]) for day in np.unique(days)]
        return np.stack(counts) if counts else np.zeros((0, task.shape[0], task.shape[1] - 1), np.int64)

    def places(self) -> Iterator[tuple[str, dict[str, NDArray[np.intp]]]]:
        """By slice column, the rows of each category, ordered by its name."""
        import pandas as pd

        for column, words in self.slices.items():
            number, found = pd.factorize(words, sort=True)
            ends = np.cumsum(np.bincount(number, minlength=len(found)))
            rows = np.split(np.argsort(number, kind="stable"), ends)[:-1]
            yield column, dict(zip(map(str, found), rows, strict=True))


def _words(column: pd.Series) -> NDArray[np.object_]:
    number, found = column.factorize()
    words: NDArray[np.object_] = np.array([*map(str, found), "(missing)"], object)[number]  # -1 is what is missing
    return words


def latency_p95(estimator: Any, rows: pd.DataFrame, calls: int = 5) -> float:
    """The 95th percentile over `rows` of the time that scoring a single row takes on one core, in milliseconds.

    Each row is scored `calls` times and the fastest counts, so that a busy runner does not refuse a model. A first
    call, which may load and compile, is not counted.
    """
    from threadpoolctl import threadpool_limits

    single = [rows.iloc[[place]] for place in range(len(rows))]
    ask = getattr(estimator, scoring_method(estimator))
    taken = np.empty((len(single), calls))
    with threadpool_limits(1):
        ask(single[0])
        for place, row in enumerate(single):
            for call in range(calls):
                start = time.perf_counter()
                ask(row)
                taken[place, call] = time.perf_counter() - start
    return 1000 * float(np.quantile(taken.min(axis=1), 0.95))
