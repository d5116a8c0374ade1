"""Whether scores of fits on several time spans agree, and which `max_drop` `mlops new` may take from them.

A threshold must not be learned from the change that it should find. Spans that differ by more than chance (Cochran
1954) do not widen `max_drop`, and are reported with the place of the change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from monitoring.tasks import tail_probabilities

ALPHA = 0.01  # of Cochran's Q
# Times the standard error. The scores of six spans that agree have a range of 2.53 standard errors on average, and
# today's proposal is 1.5 times the range: 3.8.
REACH = 3.8
LEAST = 0.05


class Agreement(NamedTuple):
    """Cochran's Q and p, whether the spans agree, and the number of spans before the change (None if they agree)."""

    q: float
    p: float
    agree: bool
    change: int | None


def cochran_q(
    scores: Sequence[float], standard_errors: Sequence[float], freedom: float = math.inf
) -> tuple[float, float]:
    """Return Cochran's Q of independent scores and its p-value; (0, 1) for fewer than two scores.

    Q = sum of w (score - mean)² with w = 1 / error² and the mean weighted by w (Cochran 1954, Biometrics 10).
    Errors that were estimated from few days make Q too large. With `freedom`, the degrees of freedom of each error,
    Q is divided by Welch's correction (1951, Biometrika 38) before it is compared with chi-square.

    Raises:
        ValueError: the numbers of scores and errors differ, or an error is not positive.
    """
    if len(scores) != len(standard_errors) or any(not error > 0 for error in standard_errors):
        msg = f"{len(scores)} scores need as many positive standard errors"
        raise ValueError(msg)
    spans = len(scores)
    if spans < 2:  # noqa: PLR2004 - one score agrees with itself
        return 0.0, 1.0
    weights = [error**-2 for error in standard_errors]
    mean, total = _mean(scores, weights), math.fsum(weights)
    q = math.fsum(weight * (score - mean) ** 2 for score, weight in zip(scores, weights, strict=True))
    if not math.isinf(freedom):
        shares = math.fsum((1 - weight / total) ** 2 for weight in weights) / freedom
        q /= 1 + 2 * (spans - 2) / (spans**2 - 1) * shares
    return q, tail_probabilities.chi_square(q, spans - 1)


def agreement(scores: Sequence[float], standard_errors: Sequence[float], freedom: float = math.inf) -> Agreement:
    """Return whether scores agree, oldest span first; where they do not, between which spans the change is."""
    q, p = cochran_q(scores, standard_errors, freedom)
    return Agreement(q, p, p >= ALPHA, None if p >= ALPHA else change_point(scores, standard_errors))


def change_point(scores: Sequence[float], standard_errors: Sequence[float]) -> int:
    """Return the number of spans before the split that leaves the least of Q within the two parts."""
    weights = [error**-2 for error in standard_errors]

    def between(split: int) -> float:
        parts = [(scores[:split], weights[:split]), (scores[split:], weights[split:])]
        means, sums = zip(*((_mean(*part), math.fsum(part[1])) for part in parts), strict=True)
        return float((means[0] - means[1]) ** 2 / (1 / sums[0] + 1 / sums[1]))

    return max(range(1, len(scores)), key=between)


def proposed_max_drop(scores: Sequence[float], standard_errors: Sequence[float], least: float = LEAST) -> float:
    """Return max(least, 3.8 times the median standard error), whether or not the spans agree.

    Where they agree, their range says no more than their errors do. Where they do not, the range is the change that
    the trigger should find.
    """
    if not scores:
        return least
    ordered = sorted(standard_errors)
    half = len(ordered) // 2
    middle = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
    return max(least, REACH * middle)


def _mean(scores: Sequence[float], weights: Sequence[float]) -> float:
    """The weighted mean."""
    return math.fsum(score * weight for score, weight in zip(scores, weights, strict=True)) / math.fsum(weights)
