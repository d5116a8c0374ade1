"""When the performance trigger fires, judged for a year of nights instead of one night.

Each nightly run looks at the last `window_days`, twice and four times as many days of mature labels, because a large
fall shows in a week and a small one only in a month. A look fires if its score is under the limit with the confidence
that its noise requires:

    z = (limit - score) / error                               in normal units (by t with the error's freedom)
    required z = clip(9 * error / (2 * max_drop), z(confidence), z(0.995))

The first part is the log-likelihood ratio of a CUSUM (Page 1954): with `null` the reference and `fallen` the reference
minus twice `max_drop`, both Gaussian, it is log L(fallen) / L(null) = 2 * max_drop * (limit - score) / error squared.
A log-likelihood ratio of 9 appears by chance at most about once in exp(9) = 8,000 nights (Lorden 1971). Precise looks
therefore need `confidence` and noisy ones 99.5%. The overlap of nightly windows is part of the simulation that chose
these numbers (`python -m bench.year`).

Nothing is remembered between runs: the three looks are recomputed from the daily tallies of each nightly run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

from monitoring import tails

EVIDENCE = 9.0  # log-likelihood ratio at which a look fires
SUREST = 0.995  # confidence that is always enough
MULTIPLES = (1, 2, 4)  # of `window_days`
NORMAL = NormalDist()
SMALLEST = 1e-300


@dataclass(frozen=True)
class Look:
    """A score over the last days of mature labels.

    `days`: how many days were asked for. `value`: the score. `error`: its standard error by day, never smaller than the
    one by rows. `freedom`: degrees of freedom of the error; infinite if it is not adjusted for days.
    """

    days: int
    value: float
    error: float
    freedom: float = math.inf


class Judged(NamedTuple):
    """A look and what it proves.

    `confidence`: that the score is under the limit. `required`: the confidence at which the look fires. `high`: the
    one-sided upper bound of the score at the required confidence.
    """

    look: Look
    confidence: float
    required: float
    high: float
    fired: bool


def lengths(window_days: int) -> tuple[int, ...]:
    """Return the days of each look, shortest first."""
    return tuple(multiple * window_days for multiple in MULTIPLES)


def deviation(look: Look, limit: float) -> float:
    """Return how far the score is under the limit, in normal units; negative if it is above.

    A t value is converted to the normal value with the same tail probability.
    """
    if not look.error:
        return math.copysign(math.inf, limit - look.value) if limit != look.value else 0.0
    ratio = (limit - look.value) / look.error
    if math.isinf(look.freedom):
        return ratio
    return math.copysign(_upper(tails.student(ratio, look.freedom) / 2), ratio)


def required(error: float, max_drop: float, confidence: float) -> float:
    """Return the deviation at which a look with this error fires, in normal units.

    A `max_drop` of 0 requires 99.5%, because no error is small compared with it. A `confidence` above 99.5% is always
    required; 0.5 leaves only the evidence to decide.
    """
    surest = NORMAL.inv_cdf(SUREST)
    evidence = EVIDENCE * error / (2 * max_drop) if max_drop > 0 else surest
    return max(min(evidence, surest), NORMAL.inv_cdf(confidence))


def judge(look: Look, limit: float, max_drop: float, confidence: float) -> Judged:
    """Return what one look proves about a limit.

    Args:
        look: the score over some days.
        limit: the larger of the floor and the reference minus `max_drop`.
        max_drop: how far under the reference a score may be.
        confidence: the least confidence at which anything fires.
    """
    found, needed = deviation(look, limit), required(look.error, max_drop, confidence)
    reach = needed if math.isinf(look.freedom) else student_quantile(NORMAL.cdf(needed), look.freedom)
    return Judged(look, NORMAL.cdf(found), NORMAL.cdf(needed), look.value + reach * look.error, found > needed)


def verdict(looks: Iterable[Look], limit: float, max_drop: float, confidence: float) -> Judged | None:
    """Return the shortest look that fired, else the shortest look; None without looks.

    Looks without enough labels, or on which the metric is undefined, must be left out before.
    """
    judged = sorted((judge(look, limit, max_drop, confidence) for look in looks), key=lambda one: one.look.days)
    return next((one for one in judged if one.fired), judged[0] if judged else None)


def student_quantile(probability: float, freedom: float) -> float:
    """Return the t value below which this share of a t distribution with `freedom` degrees of freedom is.

    Found by bisection on `tails.student` to 1e-9, for probabilities of at least 0.5.
    """
    if probability <= 0.5:  # noqa: PLR2004 - the median
        return 0.0
    low, high = 0.0, 1.0
    while tails.student(high, freedom) / 2 > 1 - probability:
        low, high = high, 2 * high
    while high - low > 1e-9:  # noqa: PLR2004 - far below what a score shows
        middle = (low + high) / 2
        low, high = (middle, high) if tails.student(middle, freedom) / 2 > 1 - probability else (low, middle)
    return high


def _upper(tail: float) -> float:
    """The normal value above which this share is."""
    return -NORMAL.inv_cdf(min(max(tail, SMALLEST), 0.5))
