"""Simulate nights on which nothing drifts, or one thing does: daily counts of 30 numeric and 5 categorical columns.

Rows are not drawn: given the effect of a night, the counts of its rows are multinomial, and are drawn as such. A
numeric column is normal, its mean moves with the night, and rows of one night correlate by `correlation`. Shares of
categories and of nulls move with the night by as much (Dirichlet, and for two columns all levels along one line). The
effects of successive nights may resemble each other (AR(1)).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtr, ndtri

from monitoring.axes import Axis, CategoricalAxis, NumericAxis
from monitoring.counting import Baseline, ColumnTally, Counts, DayTally, Window

NUMERIC = 30
WITH_NULLS = 5  # of the numeric columns; in a tenth of their rows nothing stands
NULLS = 0.1
LEVELS = {"two": 2, "five": 5, "dozen": 12, "fifty": 50, "many": 200}
ALONG_A_LINE = ("five", "fifty")
BINS = 100
BASELINE, WINDOW = 60, 7
FIRST = dt.date(2013, 1, 1)
DAY = dt.timedelta(days=1)
CUTS = ndtri(np.arange(1, BINS) / BINS)
NUMBERS = NumericAxis(form="edges", origin=0.0, scale=1.0, cuts=(-1e9, *CUTS.tolist()), low=-9.0, high=9.0)
NO_SCORES = Counts.zeros(1000, 3)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """How nights are: rows a night, correlation within a night, and of a night's effect with the one before.

    `rows` is one number, or the smallest and the largest. `shift` moves the first numeric column in the window by so
    many standard deviations; `points` moves this share of the rows from the first level of a column to the third.
    """

    rows: int | tuple[int, int] = 1000
    correlation: float = 0.0
    serial: float = 0.0
    shift: float = 0.0
    points: float = 0.0
    moving: str = "dozen"


def _axes() -> dict[str, Axis]:
    """The cells of all columns."""
    numbers = {f"n{number:02}": NUMBERS for number in range(NUMERIC)}
    towns = {name: CategoricalAxis(levels=tuple(f"v{k:03}" for k in range(size))) for name, size in LEVELS.items()}
    return {**numbers, **towns}


def shares(name: str) -> Floats:
    """How often each level occurs: the first often, the last rarely."""
    weights = np.array([0.7, 0.3]) if name == "two" else 1 / np.arange(1.0, LEVELS[name] + 1)
    found: Floats = weights / weights.sum()
    return found


def effects(rng: np.random.Generator, setting: Setting, *shape: int) -> Floats:
    """Standard normal effects by night, each night like the one before by `serial`."""
    found = rng.standard_normal((BASELINE + WINDOW, *shape))
    for night in range(1, len(found)):
        found[night] = setting.serial * found[night - 1] + np.sqrt(1 - setting.serial**2) * found[night]
    return found


def dirichlet(rng: np.random.Generator, setting: Setting, share: Floats) -> Floats:
    """Shares by night around `share`; of gammas, whose quantiles follow the effects of the nights."""
    if not setting.correlation:
        return np.tile(share, (BASELINE + WINDOW, 1))
    concentration = share * (1 - setting.correlation) / setting.correlation
    drawn = gammaincinv(concentration, ndtr(effects(rng, setting, len(share))))
    found: Floats = (drawn + 1e-300) / (drawn + 1e-300).sum(axis=1, keepdims=True)
    return found


def along_a_line(rng: np.random.Generator, setting: Setting, cuts: Floats, mean: Floats, columns: int) -> Floats:
    """Shares by night, column and interval between `cuts`, of normal values whose mean moves with the night."""
    centre = np.sqrt(setting.correlation) * effects(rng, setting, columns) + mean
    upto = ndtr((cuts - centre[..., None]) / np.sqrt(1 - setting.correlation))
    return np.diff(upto, axis=-1, prepend=0.0, append=1.0)


def level_shares(rng: np.random.Generator, setting: Setting, name: str) -> Floats:
    """Shares by night and level of a categorical column, moved in the window where the setting says so."""
    usual = shares(name)
    if name in ALONG_A_LINE:
        cuts, still = ndtri(np.cumsum(usual)[:-1]), np.zeros((BASELINE + WINDOW, 1))
        found = along_a_line(rng, setting, cuts, still, 1)[:, 0]
    else:
        found = dirichlet(rng, setting, usual)
    if setting.points and name == setting.moving:
        moved = np.minimum(found[BASELINE:, 0], setting.points)
        found[BASELINE:, 0] -= moved
        found[BASELINE:, 2] += moved
    return found


def nights(rng: np.random.Generator, setting: Setting) -> tuple[DayTally, ...]:
    """The tallies of the baseline's nights, then those of the window's."""
    low, high = (setting.rows, setting.rows) if isinstance(setting.rows, int) else setting.rows
    rows = rng.integers(low, high + 1, BASELINE + WINDOW)
    mean = np.zeros((BASELINE + WINDOW, NUMERIC))
    mean[BASELINE:, 0] = setting.shift
    nulls = np.zeros((BASELINE + WINDOW, NUMERIC), np.int64)
    for column in range(NUMERIC - WITH_NULLS, NUMERIC):
        missing = dirichlet(rng, setting, np.array([NULLS, 1 - NULLS]))[:, 0]
        nulls[:, column] = rng.binomial(rows, missing)
    drawn = rng.multinomial(rows[:, None] - nulls, along_a_line(rng, setting, CUTS, mean, NUMERIC))
    numbers = np.zeros((*drawn.shape[:2], NUMBERS.size), np.int64)
    numbers[..., :BINS], numbers[..., NUMBERS.null] = drawn, nulls
    found = {f"n{number:02}": numbers[:, number] for number in range(NUMERIC)}
    for name in LEVELS:
        counted = rng.multinomial(rows, level_shares(rng, setting, name))
        found[name] = np.pad(counted, ((0, 0), (0, 2)))
    return tuple(_day(night, int(rows[night]), {name: c[night] for name, c in found.items()}) for night in range(67))


def _day(night: int, rows: int, counts: Mapping[str, NDArray[np.int64]]) -> DayTally:
    columns = {name: ColumnTally(counts=Counts(c), outside=0, types=()) for name, c in counts.items()}
    return DayTally(
        date=FIRST + night * DAY,
        rows=rows,
        duplicates=0,
        columns=columns,
        scores=NO_SCORES,
        unscored=0,
        bad_labels=0,
    )


def seen(days: Sequence[DayTally], axes: Mapping[str, Axis]) -> tuple[Baseline, Window]:
    """Baseline and window as the nightly job has them."""
    end = FIRST + len(days) * DAY
    window = Window(
        model="bench",
        version=1,
        as_of=dt.datetime.combine(end, dt.time(2), dt.UTC),
        start=FIRST + BASELINE * DAY,
        end=end,
        days=tuple(days[BASELINE:]),
        missing=(),
        future_rows=0,
        quality=None,
    )
    return Baseline(axes=dict(axes), days=tuple(days[:BASELINE])), window


def simulated(setting: Setting, times: int, seed: int) -> Iterator[tuple[DayTally, ...]]:
    """So many independent histories of 67 nights."""
    for child in np.random.SeedSequence(seed).spawn(times):
        yield nights(np.random.default_rng(child), setting)


AXES = _axes()
