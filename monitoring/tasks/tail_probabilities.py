"""Tail probabilities of three distributions, without scipy.special, whose import takes longer than the counting."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from core.arrow import Floats

TERMS = 8  # of both series of Kolmogorov's law, where each is used
MEET = 0.8  # from here on the alternating one is the shorter
STEPS = 10_000  # more than any continued fraction here takes
TINY = 1e-300
NORMAL_FREEDOM = 1e6  # degrees of freedom from which on Student's t is a normal to six digits
CLOSE = 1e-15


def kolmogorov(x: Floats) -> Floats:
    """The chance that Kolmogorov's statistic exceeds x (Kolmogorov 1933; below 0.8 in Jacobi's other form of it)."""
    number = np.arange(1, TERMS + 1).reshape(-1, *([1] * np.ndim(x)))
    far = np.maximum(x, MEET)
    sign = np.where(number % 2, 2.0, -2.0)
    above = (sign * np.exp(-2 * (number * far) ** 2)).sum(axis=0)
    near = np.clip(x, 0.04, MEET)  # below 0.04 nothing is left of the sum
    below = 1 - math.sqrt(2 * math.pi) / near * np.exp(-(((2 * number - 1) * math.pi / near) ** 2) / 8).sum(axis=0)
    found: Floats = np.where(x < MEET, below, above)
    return found


def chi_square(statistic: float, freedom: float) -> float:
    """The chance that a chi-square variable of so many degrees of freedom, whole or not, exceeds the statistic.

    The incomplete gamma function: its power series below the mean, above it Legendre's continued fraction.
    """
    x, a = statistic / 2, freedom / 2
    if x <= 0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for number in range(1, STEPS):
            term *= x / (a + number)
            total += term
            if term < total * CLOSE:
                break
        return 1 - front * total
    return front / _fraction(x + 1 - a, lambda n: -n * (n - a), lambda n: x + 1 - a + 2 * n)


def student(deviation: float, freedom: float) -> float:
    """The chance that a t variable is further from 0 than this, to either side.

    The incomplete beta function of freedom / (freedom + deviation squared), by its continued fraction.
    """
    a, b, square = freedom / 2, 0.5, deviation * deviation
    x, y = freedom / (freedom + square), square / (freedom + square)
    if not y:
        return 1.0
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(scale + a * math.log(x) + b * math.log(y))
    if x < (a + 1) / (a + b + 2):
        return front / a / _beta(a, b, x)
    return 1 - front / b / _beta(b, a, y)


@lru_cache(maxsize=1024)
def student_quantile(probability: float, freedom: float) -> float:
    """Return the t value below which this share of a t distribution is, for a probability of at least 0.5.

    By bisection on `student`; a normal's quantile for more than a million degrees of freedom.
    """
    if freedom > NORMAL_FREEDOM:
        return NormalDist().inv_cdf(probability)
    tails, low, high = 2 * (1 - probability), 0.0, 1.0
    while student(high, freedom) > tails:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student(middle, freedom) > tails else (low, middle)
    return high


def _beta(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function."""

    def above(n: int) -> float:
        m = n // 2
        if n % 2:
            return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))

    return _fraction(1.0, above, lambda _: 1.0)


def _fraction(first: float, above: Callable[[int], float], below: Callable[[int], float]) -> float:
    """The value of first + above(1) / (below(1) + above(2) / (below(2) + ...)), by the method of Lentz (1976)."""
    found = ratio = first or TINY
    inverse = 0.0
    for number in range(1, STEPS):
        top, bottom = above(number), below(number)
        inverse = 1 / ((bottom + top * inverse) or TINY)
        ratio = (bottom + top / ratio) or TINY
        found *= ratio * inverse
        if abs(ratio * inverse - 1) < CLOSE:
            break
    return found
