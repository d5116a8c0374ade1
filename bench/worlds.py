"""Worlds with known truth whose rows of one day resemble each other, written apart from the code that judges them.

`icc` is the correlation between two rows of the same day, of what the metric averages: right or wrong for classes, the
size of the error for numbers, the score of a positive for rankings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from monitoring.tasks import Binary, Multiclass, PairedRows, Regression, Task

Rng = np.random.Generator
NO, YES = 250, 750  # score cells of predicted 0 and 1


class World(Protocol):
    """Draws days of counts, and knows the metrics of infinitely many days."""

    task: ClassVar[Task]

    @property
    def truth(self) -> Mapping[str, float]:
        """Each metric on infinitely many days."""

    def days(self, rng: Rng, days: int, rows: int) -> NDArray[np.int64]:
        """Return known counts by day."""


def shares(rng: Rng, mean: float, icc: float, days: int) -> NDArray[np.float64]:
    """Return one probability a day: beta with this mean, so that rows of a day correlate by `icc`."""
    if icc <= 0 or not 0 < mean < 1:
        return np.full(days, mean)
    size = 1 / icc - 1
    return rng.beta(mean * size, (1 - mean) * size, days)


@dataclass(frozen=True)
class Decisions:
    """A binary model that is right on either class in a beta-binomial share of the rows of a day.

    `shared`: both classes have the same luck on a day, which makes days differ twice as much as if each has its own.
    """

    positives: float = 0.5
    right: float = 0.75
    icc: float = 0.0
    shared: bool = True
    task: ClassVar[Task] = Binary()

    @property
    def truth(self) -> Mapping[str, float]:
        """All classes are predicted equally well."""
        tp, fp = self.positives * self.right, (1 - self.positives) * (1 - self.right)
        return {
            "accuracy": self.right,
            "balanced_accuracy": self.right,
            "recall": self.right,
            "f1": 2 * tp / (tp + fp + self.positives),
        }

    def days(self, rng: Rng, days: int, rows: int) -> NDArray[np.int64]:
        """Return known counts by day."""
        ones = rng.binomial(rows, self.positives, days)
        luck = [shares(rng, self.right, self.icc, days) for _ in range(2)]
        right = rng.binomial(np.stack([rows - ones, ones]), [luck[0], luck[0] if self.shared else luck[1]])
        counts = np.zeros((days, 1000, 2), np.int64)
        counts[:, NO, 0], counts[:, YES, 0] = right[0], rows - ones - right[0]
        counts[:, YES, 1], counts[:, NO, 1] = right[1], ones - right[1]
        return counts


@dataclass(frozen=True)
class Ranks:
    """Normal scores; those of positives move together from day to day."""

    positives: float = 0.1
    area: float = 0.8
    icc: float = 0.0
    task: ClassVar[Task] = Binary()

    @property
    def wander(self) -> float:
        """Standard deviation of the days."""
        return math.sqrt(self.icc / (1 - self.icc))

    @property
    def apart(self) -> float:
        """Distance of the means of both classes that gives the area."""
        return NormalDist().inv_cdf(self.area) * math.sqrt(2 + self.wander**2)

    @property
    def truth(self) -> Mapping[str, float]:
        """Average precision is integrated over 100,001 thresholds."""
        grid = np.linspace(-9, 9 + self.apart, 100_001)
        ones = ndtr((self.apart - grid) / math.sqrt(1 + self.wander**2)) * self.positives
        zeros = ndtr(-grid) * (1 - self.positives)
        precision = ones / np.maximum(ones + zeros, 1e-300)
        average = float(-(np.diff(ones) * (precision[1:] + precision[:-1]) / 2).sum()) / self.positives
        return {"roc_auc": self.area, "average_precision": average}

    def days(self, rng: Rng, days: int, rows: int) -> NDArray[np.int64]:
        """Scores are turned into probabilities, and counted by their thousandth."""
        label = rng.random((days, rows)) < self.positives
        shift = self.apart + self.wander * rng.normal(size=(days, 1))
        score = ndtr((rng.normal(size=(days, rows)) + shift * label) / 2 - 0.5)
        place = 2 * np.minimum((score * 1000).astype(np.intp), 999) + label
        place += 2000 * np.arange(days)[:, None]
        return np.bincount(place.ravel(), minlength=2000 * days).reshape(days, 1000, 2)


@dataclass(frozen=True)
class Classes:
    """A model of four classes, right in a beta-binomial share of the rows of a day; its errors hit all others alike."""

    icc: float = 0.0
    rates: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)
    right: float = 0.7
    task: ClassVar[Task] = Multiclass(("a", "b", "c", "d"))

    @property
    def truth(self) -> Mapping[str, float]:
        """From the expected confusion matrix."""
        rates, wrong = np.array(self.rates), (1 - self.right) / 3
        named = rates * self.right + (1 - rates) * wrong
        return {
            "accuracy": self.right,
            "balanced_accuracy": self.right,
            "f1_macro": float((2 * rates * self.right / (named + rates)).mean()),
        }

    def days(self, rng: Rng, days: int, rows: int) -> NDArray[np.int64]:
        """All classes share the luck of the day."""
        true = rng.multinomial(rows, self.rates, days)
        right = rng.binomial(true, shares(rng, self.right, self.icc, days)[:, None])
        counts = np.zeros((days, 4, 4), np.int64)
        for label in range(4):
            counts[:, label, label] = right[:, label]
            others = [one for one in range(4) if one != label]
            counts[:, others, label] = rng.multinomial(true[:, label] - right[:, label], [1 / 3] * 3)
        return counts


@dataclass(frozen=True)
class Numbers:
    """Normal errors whose size is multiplied by a log-normal factor of the day."""

    icc: float = 0.0
    task: ClassVar[Task] = Regression(0.0, 20.0)

    @property
    def spread(self) -> float:
        """Standard deviation of the logarithm of the factor, for sizes of errors to correlate by `icc`."""
        half = 2 / math.pi  # squared mean of the size of a standard normal
        return math.sqrt(math.log(1 + self.icc * (1 - half) / (half - self.icc)))

    @property
    def truth(self) -> Mapping[str, float]:
        """Moments of the half-normal and of the log-normal."""
        return {
            "neg_mean_absolute_error": -math.sqrt(2 / math.pi) * math.exp(self.spread**2 / 2),
            "neg_root_mean_squared_error": -math.exp(self.spread**2),
        }

    def days(self, rng: Rng, days: int, rows: int) -> NDArray[np.int64]:
        """Labels are uniform, and have nothing to do with the errors."""
        factor = np.exp(self.spread * rng.normal(size=(days, 1)))
        error = rng.normal(size=(days, rows)) * factor
        label = rng.uniform(6, 14, (days, rows))
        size, found = 4000, np.zeros(days * 4000, np.int64)
        for place in self.task.cells((label + error).ravel(), label.ravel()):
            at = place.reshape(days, rows) + size * np.arange(days)[:, None]
            found += np.bincount(at.ravel(), minlength=days * size)
        return found.reshape(days, 1000, 4)[:, :, :-1]


def decided_pair(
    rng: Rng, positives: float, gain: float, icc: float, days: int, rows: int, apart: float = 0.12
) -> PairedRows:
    """Return two models that decide differently on a share `apart` of `rows`; `gain` in accuracy of each class.

    Who wins such a row is beta-binomial by day. `icc` is that of the difference, which is -1, 0 or 1 for each row.
    """
    day = np.sort(rng.integers(days, size=rows))
    labels = (rng.random(rows) < positives).astype(np.int64)
    wins = shares(rng, (1 + gain / apart) / 2, min(icc / apart, 0.9), days)[day]
    differ, won = rng.random(rows) < apart, rng.random(rows) < wins
    alike = rng.random(rows) < 0.7 / (1 - apart)
    one, other = np.where(differ, ~won, alike), np.where(differ, won, alike)
    sides = (np.where(right, labels, 1 - labels) * 0.5 + 0.25 for right in (one, other))
    return PairedRows(labels, *sides, day)


def ranked_pair(rng: Rng, ones: int, rows: int, areas: tuple[float, float], icc: float, days: int) -> PairedRows:
    """Return two models with these areas under the curve; noise correlates by 0.7, positives move by day."""
    day = rng.integers(days, size=rows)
    labels = (np.arange(rows) < ones).astype(np.int64)
    wander = math.sqrt(icc / (1 - icc))
    common, sides = rng.normal(size=rows), []
    for area in areas:
        apart = NormalDist().inv_cdf(area) * math.sqrt(2 + wander**2)
        noise = math.sqrt(0.7) * common + math.sqrt(0.3) * rng.normal(size=rows)
        sides.append(ndtr((noise + labels * (apart + wander * rng.normal(size=days)[day])) / 2 - 0.5))
    return PairedRows(labels, *sides, day)


def named_pair(rng: Rng, gain: float, icc: float, days: int, rows: int, apart: float = 0.12) -> PairedRows:
    """Return two models of four classes; as `decided_pair`."""
    pair = decided_pair(rng, 0.5, gain, icc, days, rows, apart)
    labels, away = rng.integers(4, size=rows), rng.integers(1, 4, rows)
    one, other = (
        np.where((side.round() > 0) == (pair.labels > 0), labels, (labels + away) % 4)
        for side in (pair.champion, pair.challenger)
    )
    return PairedRows(labels, one.astype(np.float64), other.astype(np.float64), pair.days)


def numbered_pair(rng: Rng, gain: float, icc: float, days: int, rows: int) -> PairedRows:
    """Return two regressions of which the challenger's mean absolute error is lower by `gain` (in label units)."""
    day = np.sort(rng.integers(days, size=rows))
    labels = rng.uniform(6, 14, rows)
    size = np.abs(rng.normal(size=rows)) + 1
    sign = np.where(rng.random(rows) < 0.5, -1.0, 1.0)  # noqa: PLR2004 - a coin
    spread = 0.4
    moved = spread * (math.sqrt(1 - icc) * rng.normal(size=rows) + math.sqrt(icc) * rng.normal(size=days)[day])
    other = np.maximum(size - gain - moved, 0.0)
    return PairedRows(labels, labels + sign * size, labels + sign * other, day)
