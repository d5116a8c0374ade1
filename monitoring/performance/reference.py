"""The reference score of the performance trigger, from the holdout scores of the promoted versions.

The reference is the mean of the holdout scores of the last 13 promoted versions, one vote each. Luck in one holdout
therefore moves the reference by a thirteenth after a year. The reference falls if later versions are worse. It is
`lowered` if it is under its own highest value by more than its standard error. That includes a fall in many small
steps, and a pull request says it in its first lines.

Why not something else: measured over a simulated year with `python -m bench.year`. A maximum rises by luck with every
promotion. The best lower bound and the best run of promotions stay on the peak of a season. A single holdout or the
median of few follows a real decay too fast to notice it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

KEEP = 13  # promotions: a year of monthly ones
FEWEST = 3  # promotions before a mean counts as the highest: the mean of one or two is luck


@dataclass(frozen=True)
class Promoted:
    """The holdout of one promoted version.

    `score`: the metric on the holdout. `error`: its standard error by day, never smaller than the one by rows.
    `correlation`: between rows of one day, as the holdout's days estimate it; it may be negative. `days`: days of the
    holdout, at least 2. For a version whose days are unknown (an old manifest) the last three are None.
    """

    score: float
    error: float | None = None
    correlation: float | None = None
    days: int | None = None


class Reference(NamedTuple):
    """A reference: the mean score, its standard error (None if any error is unknown) and the highest it has been."""

    value: float
    error: float | None
    highest: float

    @property
    def lowered(self) -> bool:
        """Whether the reviewer must be told that the reference is lower than it was."""
        return self.highest - self.value > (self.error or 0.0)


def reference(promoted: Sequence[Promoted]) -> Reference | None:
    """Return the reference after the last of `promoted`; None without promotions.

    Args:
        promoted: all promoted versions, oldest first; only the last 13 count.
    """
    kept = promoted[-KEEP:]
    if not kept:
        return None
    means = [math.fsum(one.score for one in kept[:count]) / count for count in range(1, len(kept) + 1)]
    errors = [one.error for one in kept]
    error = _mean_error([one for one in errors if one is not None]) if None not in errors else None
    return Reference(means[-1], error, max(means[FEWEST - 1 :], default=means[-1]))


def _mean_error(errors: Sequence[float]) -> float:
    """The standard error of a mean of independent scores."""
    return math.sqrt(math.fsum(error**2 for error in errors)) / len(errors)


def starts_under(score: float, limit: float) -> bool:
    """Return whether a candidate would start under its own alarm limit.

    The score itself is compared, not a bound: this is a sentence for the reviewer, not an alarm.
    """
    return score < limit


class Spread(NamedTuple):
    """The correlation between rows of one day, pooled over holdouts, and its degrees of freedom."""

    correlation: float
    freedom: int

    def design_effect(self, rows: float) -> float:
        """How many rows of days with `rows` rows are worth one independent row (Kish 1965); at least 1."""
        return max(1.0, 1 + self.correlation * (rows - 1))


def pooled(promoted: Sequence[Promoted], more: Sequence[tuple[float, int]] = ()) -> Spread | None:
    """Return the correlation within days, pooled over holdouts with days - 1 as weights; None if no days are known.

    Pooling is what makes the bounds of a seven-day window narrow enough: 12 days of one holdout leave 11 degrees of
    freedom, those of five promotions 55. The estimates of single holdouts are not cut off at 0 before pooling, because
    the mean of cut-off values is too large.

    Args:
        promoted: promoted versions, oldest first.
        more: correlation and days of other spans of at least 2 days, such as the earlier scored days of the champion.
    """
    known = [(one.correlation, one.days) for one in promoted[-KEEP:] if one.correlation is not None and one.days]
    spans = [(correlation, days - 1) for correlation, days in (*known, *more) if days > 1]
    freedom = sum(weight for _, weight in spans)
    if not freedom:
        return None
    return Spread(math.fsum(correlation * weight for correlation, weight in spans) / freedom, freedom)
