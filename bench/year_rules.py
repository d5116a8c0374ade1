"""The references and nightly rules that `bench.year` compares, each for many years at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.special import ndtri, stdtr

from bench.year_world import HOLDOUT, PROMOTIONS, Floats, World, looks, noise
from core.config.triggers import PerformanceTrigger
from monitoring.performance import KEPT_PROMOTIONS, persistence

FLOOR, MAX_DROP = 0.60, 0.05
LOWER = 1.796  # t with 11 degrees of freedom, 95%
NORMAL = NormalDist()

Reference = Callable[[Floats, Floats], Floats]


def holdout_scores(world: World) -> tuple[Floats, Floats]:
    """Scores of the holdouts and their standard errors by day, each from its own days."""
    score = world.holdouts.mean(-1)
    effect = np.maximum(1.0, noise(world.holdouts, world.rows))
    return score, np.sqrt(effect * score * (1 - score) / (world.rows * HOLDOUT))


def _last(statistic: Callable[..., Floats], k: int) -> Reference:
    """A statistic of the last k holdout scores."""
    return lambda scores, _: np.stack([statistic(scores[:, max(0, i - k) : i], axis=1) for i in _counts()], 1)


def _counts() -> range:
    return range(1, PROMOTIONS + 1)


def _mean_error(errors: Floats) -> Floats:
    found: Floats = np.sqrt((errors**2).sum(1)) / errors.shape[1]
    return found


def held_mean(scores: Floats, errors: Floats) -> Floats:
    """The mean, declared anew only when it has moved by more than its standard error."""
    found = scores.copy()
    for i in range(1, PROMOTIONS):
        mean = scores[:, : i + 1].mean(1)
        moved = np.abs(mean - found[:, i - 1]) > _mean_error(errors[:, : i + 1])
        found[:, i] = np.where(moved, mean, found[:, i - 1])
    return found


def best_run(least: int) -> Reference:
    """The best lower bound of the mean of `least` or more consecutive promotions (of all, while there are fewer)."""

    def found(scores: Floats, errors: Floats) -> Floats:
        result = np.full(scores.shape, -np.inf)
        for i in _counts():
            for start in range(i):
                for stop in range(start + min(least, i), i + 1):
                    reach = LOWER if stop - start == 1 else 1.645
                    low = scores[:, start:stop].mean(1) - reach * _mean_error(errors[:, start:stop])
                    result[:, i - 1] = np.maximum(result[:, i - 1], low)
        return result

    return found


REFERENCES: Mapping[str, Reference] = {
    "mean of 13 (chosen)": _last(np.mean, KEPT_PROMOTIONS),
    "mean of 13, held": held_mean,
    "median of 13": _last(np.median, 13),
    "mean of 5": _last(np.mean, 5),
    "median of 5": _last(np.median, 5),
    "median of 3": _last(np.median, 3),
    "champion's own": lambda scores, _: scores,
    "champion's lower bound": lambda scores, errors: scores - LOWER * errors,
    "best lower bound": lambda scores, errors: np.maximum.accumulate(scores - LOWER * errors, 1),
    "best run of 3, lower": best_run(3),
    "best run of 6, lower": best_run(6),
    "maximum (today)": lambda scores, _: np.maximum.accumulate(scores, 1),
    "the truth (oracle)": lambda scores, _: np.full(scores.shape, 0.70),
}
CHOSEN_REFERENCE, TODAY_REFERENCE = "mean of 13 (chosen)", "maximum (today)"


@dataclass(frozen=True)
class Rule:
    """A nightly rule: which looks, and at how many deviations under the limit one fires.

    `evidence`: the log-likelihood ratio, 0 for none. `surest`: the confidence that is always enough. `nights`: fires on
    k of the last n nights. `by_day`: errors by day instead of by rows. `pooling`: noise of days from all holdouts.
    """

    lengths: tuple[int, ...] = PerformanceTrigger(window_days=7).look_days
    confidence: float = 0.95
    evidence: float = persistence.EVIDENCE
    surest: float = persistence.ENOUGH
    nights: tuple[int, int] = (1, 1)
    by_day: bool = True
    pooling: bool = True

    def fires(self, world: World, reference: Floats) -> np.ndarray:
        """Whether the rule fires, by year, version and number of mature days."""
        limit = np.maximum(FLOOR, np.take_along_axis(reference, world.of, 1) - MAX_DROP)[..., None]
        hit = np.zeros(world.versions.shape, bool)
        for length in self.lengths:
            look = looks(world, length, pooling=self.pooling)
            error = look.by_day if self.by_day else look.by_rows
            ratio = np.nan_to_num((limit - look.value) / error, nan=-9.0)
            if self.by_day:
                far = ratio > 1  # the rest fires nowhere
                ratio[far] = -ndtri(np.maximum(stdtr(look.freedom[far], -ratio[far]), 1e-300))
            hit |= ratio > self.needed(error)
        return k_of_n(hit, *self.nights)

    def needed(self, error: Floats) -> Floats:
        """The deviation at which a look fires."""
        if not self.evidence:
            return np.full(error.shape, NORMAL.inv_cdf(self.confidence))
        needed = self.evidence * error / (2 * MAX_DROP)
        return np.maximum(np.minimum(needed, NORMAL.inv_cdf(self.surest)), NORMAL.inv_cdf(self.confidence))


def k_of_n(hit: np.ndarray, k: int, n: int) -> np.ndarray:
    """Whether a night and k of the last n nights of the same version fired."""
    if n == 1:
        return hit
    upto = np.concatenate([np.zeros((*hit.shape[:-1], n), int), hit.cumsum(-1)], -1)
    found: np.ndarray = hit & (upto[..., n:] - upto[..., :-n] >= k)
    return found


ALWAYS = 1 - 1e-15
RULES: Mapping[str, Rule] = {
    "7, 14, 28 days, evidence 9 (chosen)": Rule(),
    "... evidence 8": Rule(evidence=8),
    "... evidence 10": Rule(evidence=10),
    "... 95% not required": Rule(confidence=0.5),
    "... 97.5%, evidence 8": Rule(confidence=0.975, evidence=8),
    "... 99.5% not enough": Rule(surest=ALWAYS),
    "... noise from one holdout": Rule(pooling=False),
    "2, 7, 14, 28 days, evidence 9": Rule((2, 7, 14, 28)),
    "2, 7, 14, 28 days, 9, 99.5% not enough": Rule((2, 7, 14, 28), surest=ALWAYS),
    "7 days, evidence 9": Rule((7,)),
    "every length to 28 (CUSUM), 9": Rule(tuple(range(1, 29)), 0.5, 9.0, ALWAYS),
    "7 days, 95%": Rule((7,), evidence=0),
    "7 days, 99%": Rule((7,), 0.99, 0),
    "7 days, 99.5%": Rule((7,), 0.995, 0),
    "7, 14, 28 days, 99%": Rule(confidence=0.99, evidence=0),
    "7 days, 97.5%, 2 of 3": Rule((7,), 0.975, 0, nights=(2, 3)),
    "7 days, 95%, 3 of 5": Rule((7,), 0.95, 0, nights=(3, 5)),
    "7 days, 90%, 5 of 7": Rule((7,), 0.90, 0, nights=(5, 7)),
    "14 days, 97.5%, 2 of 2": Rule((14,), 0.975, 0, nights=(2, 2)),
    "7 days, 95% by rows (today)": Rule((7,), evidence=0, by_day=False),
}
CHOSEN, TODAY = "7, 14, 28 days, evidence 9 (chosen)", "7 days, 95% by rows (today)"
