"""Simulate years of daily scores: a model that is right in 70% of rows, promoted 13 times, and what happens to it.

Rows of one day resemble each other: the chance of being right is drawn once a day from a beta distribution. The holdout
of a promotion is the 12 days before it that have labels; its rows share their days' chance with production.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SCORE = 0.70
PROMOTIONS, EVERY, HOLDOUT, MATURITY = 13, 28, 12, 2
NIGHTS = PROMOTIONS * EVERY
BEFORE = HOLDOUT + MATURITY
SEASON, MEMORY, DECAY = 0.02, 45, 0.15
EARLIER = 30  # earlier days of the champion from which the noise of days is learned
MIN_LABELS = 100
CALM, AFTER = 28, 60  # days of a champion before its score falls, and after


@dataclass(frozen=True)
class Setting:
    """A kind of year, rows a day, and the correlation between rows of one day.

    "wander": the score follows an AR(1) process with a memory of 45 days. "decay": it falls by .15 over the year.
    """

    kind: Literal["flat", "season", "wander", "decay"]
    rows: int
    correlation: float = 0.0


class World(NamedTuple):
    """Shares of right rows by day: holdouts (years, promotions, days), and of each version in service.

    `versions`: (years, versions, days); the number of a version in `of` (years, versions) is that of its holdout.
    """

    holdouts: Floats
    versions: Floats
    of: NDArray[np.intp]
    rows: int


def truth(kind: str, years: int, rng: np.random.Generator) -> Floats:
    """The true score by day, from the first holdout's first day on."""
    day = np.arange(-BEFORE, NIGHTS)
    if kind == "season":
        return SCORE + SEASON * np.sqrt(2) * np.sin(2 * np.pi * (day / 365 + rng.random((years, 1))))
    if kind == "wander":
        keep = np.exp(-1 / MEMORY)
        moves = rng.normal(0, SEASON, (years, len(day)))
        moves[:, 1:] *= np.sqrt(1 - keep**2)
        for number in range(1, len(day)):
            moves[:, number] += keep * moves[:, number - 1]
        return SCORE + moves
    fallen = DECAY * np.clip(day, 0, None) / 365 if kind == "decay" else np.zeros(len(day))
    return np.tile(SCORE - fallen, (years, 1))


def shares(chance: Floats, rows: int, correlation: float, rng: np.random.Generator) -> Floats:
    """Shares of right rows by day."""
    return rng.binomial(rows, shocked(chance, correlation, rng)) / rows


def shocked(chance: Floats, correlation: float, rng: np.random.Generator) -> Floats:
    """The chance of each day, so that rows of a day have this correlation."""
    if not correlation:
        return chance
    size = 1 / correlation - 1
    return rng.beta(chance * size, (1 - chance) * size)


def year(setting: Setting, years: int, seed: int) -> World:
    """Years with 13 promotions, whatever happens to the score."""
    rng = np.random.default_rng(seed)
    chance = shocked(truth(setting.kind, years, rng), setting.correlation, rng)
    served, held = (rng.binomial(setting.rows, chance) / setting.rows for _ in range(2))
    holdouts = np.stack([held[:, EVERY * i : EVERY * i + HOLDOUT] for i in range(PROMOTIONS)], 1)
    versions = served[:, BEFORE:].reshape(years, PROMOTIONS, EVERY)
    return World(holdouts, versions, np.tile(np.arange(PROMOTIONS), (years, 1)), setting.rows)


def fall(drop: float, rows: int, correlation: float, years: int, seed: int) -> World:
    """A champion, after a random number of promotions, whose score falls after 28 calm days."""
    rng = np.random.default_rng(seed)
    holdouts = shares(np.full((years, PROMOTIONS, HOLDOUT), SCORE), rows, correlation, rng)
    chance = np.full((years, 1, CALM + AFTER), SCORE)
    chance[:, :, CALM:] -= drop
    return World(holdouts, shares(chance, rows, correlation, rng), rng.integers(0, PROMOTIONS, (years, 1)), rows)


class Looks(NamedTuple):
    """Scores over the last days of mature labels, (years, versions, days); NaN with too few labels.

    `by_rows`, `by_day`: standard errors; `freedom` belongs to the second.
    """

    value: Floats
    by_rows: Floats
    by_day: Floats
    freedom: Floats


def noise(holdouts: Floats, rows: int) -> Floats:
    """Design effects of holdouts, not cut off at 1."""
    mean = holdouts.mean(-1)
    return holdouts.var(-1, ddof=1) * rows / np.maximum(mean * (1 - mean), 0.02)


def looks(world: World, length: int, *, pooling: bool = True) -> Looks:
    """All looks of a length. `pooling`: learn the noise of days from the holdouts of all versions so far."""
    rows, days = world.rows, np.arange(1, world.versions.shape[2] + 1)
    start = np.maximum(days - length, 0)
    early = np.maximum(start - EARLIER, 0)
    upto, squares = (np.concatenate([np.zeros_like(one[..., :1]), one.cumsum(-1)], -1) for one in _powers(world))
    value = (upto[..., days] - upto[..., start]) / (days - start)
    one = noise(world.holdouts, rows) * (HOLDOUT - 1)
    found = np.take_along_axis(one.cumsum(1) if pooling else one, world.of, 1)[..., None]
    freedom = ((world.of + 1 if pooling else np.ones_like(world.of)) * (HOLDOUT - 1.0))[..., None]
    count = np.where(start - early > 1, start - early, 1)
    mean = (upto[..., start] - upto[..., early]) / count
    spread = squares[..., start] - squares[..., early] - count * mean**2
    extra = np.where(count > 1, spread * rows / np.maximum(mean * (1 - mean), 0.02), 0.0)
    freedom = freedom + (count - 1)
    effect = np.maximum(1.0, (found + extra) / freedom)
    labels = rows * (days - start)
    usual = np.clip(value, 0.5 / labels, 1 - 0.5 / labels)
    by_rows = np.sqrt(usual * (1 - usual) / labels)
    value = np.where(labels >= MIN_LABELS, value, np.nan)
    return Looks(value, by_rows, by_rows * np.sqrt(effect), np.broadcast_to(freedom, value.shape))


def _powers(world: World) -> tuple[Floats, Floats]:
    """Shares and their squares."""
    return world.versions, world.versions**2
