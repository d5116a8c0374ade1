"""Reference score of the performance trigger, from the holdout scores of the promoted versions.

The reference is the mean of the holdout scores of the last 13 promoted versions, one vote each. Luck in one holdout
therefore moves the reference by a thirteenth after a year. The reference falls if later versions are worse. It is
`lowered` if it is under its own highest value by more than its standard error. That includes a fall in many small
steps, and a pull request says it in its first lines.

Why not something else: measured over a simulated year with `python -m bench.year`. A maximum rises by luck with every
promotion. The best lower bound and the best run of promotions stay on the peak of a season. A single holdout or the
median of a few follows a real decay too fast to notice it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple, Self

from numpy.typing import NDArray
from pydantic import Field

from core.records import Record
from monitoring.tasks import DaySpread, Task, day_spread, pool

KEPT_PROMOTIONS = 13  # a year of monthly ones
MIN_PROMOTIONS = 3  # before a mean counts as the highest: the mean of one or two is luck
Finite = Annotated[float, Field(allow_inf_nan=False)]


class PromotedScore(Record):
    """The holdout score of a promoted version.

    `error`: its standard error by day, never smaller than the one by rows. `correlation`: between rows of one day, as
    the days of the holdout estimate it; it may be negative. `days`: days of the holdout. `freedom`: degrees of freedom
    of the correlation, at most days - 1. None if unknown, as for versions of earlier releases.
    """

    version: Annotated[int, Field(ge=1)]
    metric: str
    score: Finite
    error: Finite | None = None
    correlation: Finite | None = None
    freedom: Finite | None = None
    days: int | None = None

    @classmethod
    def of_holdout(cls, version: int, task: Task, metric: str, days: NDArray[Any]) -> Self | None:
        """Return the score on labelled counts by day, of shape (days, S, L); None if it is undefined."""
        score = float(task.evaluate(metric, days.sum(axis=0))) if len(days) else math.nan
        if math.isnan(score):
            return None
        spread = day_spread(task, metric, days)
        known = spread.correlation is not None
        return cls(
            version=version,
            metric=metric,
            score=score,
            error=pool(spread, ()).error,
            correlation=spread.correlation,
            freedom=spread.freedom if known else None,
            days=spread.days,
        )

    @property
    def spread(self) -> DaySpread | None:
        """How the days of the holdout vary; None if unknown."""
        if self.correlation is None or self.freedom is None or self.days is None:
            return None
        return DaySpread.of_correlation(self.correlation, self.freedom, self.days)


class Reference(NamedTuple):
    """A reference: the mean score, its standard error (None if any error is unknown) and the highest it has been."""

    value: float
    error: float | None
    highest: float

    @property
    def lowered(self) -> bool:
        """Whether the pull request must say that the reference is lower than it was."""
        return self.highest - self.value > (self.error or 0.0)


def reference_score(promoted: Sequence[PromotedScore]) -> Reference | None:
    """Return the reference after the last of `promoted`; None without promotions.

    Args:
        promoted: promoted versions with scores of one metric, oldest first; only the last 13 count.
    """
    kept = promoted[-KEPT_PROMOTIONS:]
    if not kept:
        return None
    means = [math.fsum(one.score for one in kept[:count]) / count for count in range(1, len(kept) + 1)]
    errors = [one.error for one in kept if one.error is not None]
    error = math.sqrt(math.fsum(error**2 for error in errors)) / len(kept) if len(errors) == len(kept) else None
    return Reference(means[-1], error, max(means[MIN_PROMOTIONS - 1 :], default=means[-1]))


def alarm_limit(floor: float, reference: float | None, max_drop: float) -> float:
    """Return the score under which a model has to be retrained."""
    return floor if reference is None else max(floor, reference - max_drop)
