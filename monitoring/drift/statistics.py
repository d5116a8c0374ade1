"""Tests of two samples, corrections for many tests, and the population stability index."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrow import Floats
from monitoring.tasks import tail_probabilities


def holm(p_values: Floats) -> Floats:
    """Rejecting those below alpha has any false one with at most this chance, however tests depend (Holm, 1979)."""
    ordered, back = _sorted(p_values)
    stepped = np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1))
    adjusted: Floats = np.minimum(stepped, 1)[back]
    return adjusted


def bonferroni(p_values: Floats) -> Floats:
    """The same promise as Holm's, in one step: never finds more than that."""
    adjusted: Floats = np.minimum(p_values * len(p_values), 1)
    return adjusted


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Of those below alpha this share is false on average, where tests do not depend (Benjamini, Hochberg, 1995)."""
    ordered, back = _sorted(p_values)
    ranked = ordered * (len(ordered) / np.arange(1, len(ordered) + 1))
    adjusted: Floats = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1)[back]
    return adjusted


def none(p_values: Floats) -> Floats:
    """Each column on its own: with many columns something is always below alpha."""
    return p_values


CORRECTIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "holm": holm,
    "bonferroni": bonferroni,
    "benjamini_hochberg": benjamini_hochberg,
    "none": none,
}


def _sorted(p_values: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The smallest first, and where each of the given ones went."""
    order = np.argsort(p_values, kind="stable")
    back = np.empty(len(order), np.intp)
    back[order] = np.arange(len(order))
    return p_values[order], back


FEWEST_EXPECTED = 5  # rows a category needs in each sample before the chi-square approximation holds (Cochran)
SMALLEST_SHARE = 1e-4  # below it the population stability index would be about one row


@dataclass(frozen=True)
class Kolmogorov:
    """The two-sample test of Kolmogorov and Smirnov; differences are those of two distribution functions."""

    def distance(self, differences: Floats) -> Floats:
        """The largest difference, over the last axis."""
        distances: Floats = np.abs(differences).max(axis=-1)
        return distances

    def needed(self, differences: Floats) -> Floats:
        """Differences of the same distance and surprise, as few as can be: the largest, over the last axis."""
        return self.distance(differences)[..., None]

    def surprise(self, differences: Floats, size: Floats | float) -> Floats:
        """Minus the logarithm of the p-value for samples of harmonic size n * m / (n + m).

        Stephens (1970) brings the limit law of Kolmogorov to finite samples; from 3 on its first term is exact enough,
        and does not underflow.
        """
        root = np.sqrt(size)
        x = (root + 0.12 + 0.11 / root) * self.distance(differences)
        logs: Floats = np.where(x < 3, -np.log(tail_probabilities.kolmogorov(np.minimum(x, 3))), 2 * x * x - np.log(2))  # noqa: PLR2004
        return logs


@dataclass(frozen=True)
class ChiSquare:
    """The chi-square test of homogeneity; differences are those of two samples' shares by category.

    `expected`: the share of each category in both samples together. `directions`: in how many directions the shares
    move by chance where that is fewer than there are categories less one.
    """

    expected: Floats
    directions: float = np.inf

    def distance(self, differences: Floats) -> Floats:
        """The total variation: half the sum of the absolute differences, over the last axis."""
        distances: Floats = np.abs(differences).sum(axis=-1) / 2
        return distances

    def needed(self, differences: Floats) -> Floats:
        """Differences of the same distance and surprise: all of them."""
        return differences

    def surprise(self, differences: Floats, size: Floats | float) -> Floats:
        """Minus the logarithm of the p-value for samples of harmonic size n * m / (n + m).

        With few directions a sum of as many squares has the same mean, and more spread: the second-order correction of
        Rao and Scott (1981). Where the p-value underflows: the first term of Legendre's continued fraction of the
        incomplete gamma function.
        """
        some = self.expected > 0
        most = int(some.sum()) - 1
        if most < 1:
            return np.zeros(differences.shape[:-1])
        freedom = min(max(self.directions, 1.0), most)
        statistic = size * freedom / most * (differences[..., some] ** 2 / self.expected[some]).sum(axis=-1)
        p_value = np.array([tail_probabilities.chi_square(x, freedom) for x in np.ravel(statistic)]).reshape(
            np.shape(statistic)
        )
        x, a = np.maximum(statistic / 2, 1), freedom / 2
        far = x - a * np.log(x) + math.lgamma(a) + np.log(np.maximum(x + 1 - a, 1))
        surprises: Floats = np.where(p_value > 1e-280, -np.log(np.maximum(p_value, 1e-280)), far)  # noqa: PLR2004
        return surprises


Test = Kolmogorov | ChiSquare


def pool_rare(before: Floats, after: Floats) -> NDArray[np.intp]:
    """A group for each category: its own where both samples expect at least five rows of it, else that of the rare.

    If the rare together are still too few, they take in the smallest of the others. Numbered from 0 without gaps.
    """
    both = before + after
    smaller = min(before.sum(), after.sum()) / both.sum()
    order = np.argsort(-both, kind="stable")
    expected = both[order] * smaller
    common = int(np.count_nonzero(expected >= FEWEST_EXPECTED))
    rest = expected[common:].sum()
    if 0 < rest < FEWEST_EXPECTED and common:
        common -= 1
    group = np.empty(len(both), np.intp)
    group[order] = np.minimum(np.arange(len(both)), common)
    return group


def stability_index(before: Floats, after: Floats) -> float:
    """The population stability index of two samples' shares by group, each share at least 0.0001."""
    old, new = np.maximum(before, SMALLEST_SHARE), np.maximum(after, SMALLEST_SHARE)
    return float(((new - old) * np.log(new / old)).sum())
