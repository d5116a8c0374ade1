"""Simulated nights with no drift or one kind of drift: daily counts of 30 numeric and 5 categorical columns.

Counts are drawn and not rows: given the effect of a night, the counts of its rows are multinomial. A numeric column is
normal, its mean varies by night, and rows of one night have the correlation `correlation`. Shares of categories and of
nulls vary by night just as much (Dirichlet; in two columns all levels vary along one line). The effects of successive
nights may be correlated (AR(1)).
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
WITH_NULLS = 5  # of the numeric columns; a tenth of their rows is null
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
    """Settings of the nights: rows per night, and the correlations within a night and between successive nights.

    `rows` is one number, or the smallest and the largest. `shift` moves the first numeric column in the window by this
    many standard deviations; `points` moves this share of the rows from the first level of a column to the third.
    """

    rows: int | tuple[int, int] = 1000
    correlation: float = 0.0
    serial: float = 0.0
    shift: float = 0.0
    points: float = 0.0
    moving: str = "dozen"


def _axes() -> dict[str, Axis]:
    """Return the cells of all columns."""
    numbers = {f"n{number:02}": NUMBERS for number in range(NUMERIC)}
    towns = {name: CategoricalAxis(levels=tuple(f"v{k:03}" for k in range(size))) for name, size in LEVELS.items()}
    return {**numbers, **towns}


def shares(name: str) -> Floats:
    """Return the share of each level: the first is frequent, the last rare."""
    weights = np.array([0.7, 0.3]) if name == "two" else 1 / np.arange(1.0, LEVELS[name] + 1)
    values: Floats = weights / weights.sum()
    return values


def effects(rng: np.random.Generator, setting: Setting, *shape: int) -> Floats:
    """Return standard normal effects by night, whose correlation with the night before is `serial`."""
    values = rng.standard_normal((BASELINE + WINDOW, *shape))
    for night in range(1, len(values)):
        values[night] = setting.serial * values[night - 1] + np.sqrt(1 - setting.serial**2) * values[night]
    return values


def dirichlet(rng: np.random.Generator, setting: Setting, share: Floats) -> Floats:
    """Return shares by night around `share`, from gammas whose quantiles follow the effects of the nights."""
    if not setting.correlation:
        return np.tile(share, (BASELINE + WINDOW, 1))
    concentration = share * (1 - setting.correlation) / setting.correlation
    drawn = gammaincinv(concentration, ndtr(effects(rng, setting, len(share))))
    values: Floats = (drawn + 1e-300) / (drawn + 1e-300).sum(axis=1, keepdims=True)
    return values


def along_a_line(rng: np.random.Generator, setting: Setting, cuts: Floats, mean: Floats, columns: int) -> Floats:
    """Return shares by night, column and interval between `cuts`, of normal values whose mean varies by night."""
    centre = np.sqrt(setting.correlation) * effects(rng, setting, columns) + mean
    upto = ndtr((cuts - centre[..., None]) / np.sqrt(1 - setting.correlation))
    return np.diff(upto, axis=-1, prepend=0.0, append=1.0)


def level_shares(rng: np.random.Generator, setting: Setting, name: str) -> Floats:
    """Return shares by night and level of a categorical column, moved in the window if the setting has `points`."""
    usual = shares(name)
    if name in ALONG_A_LINE:
        cuts, still = ndtri(np.cumsum(usual)[:-1]), np.zeros((BASELINE + WINDOW, 1))
        values = along_a_line(rng, setting, cuts, still, 1)[:, 0]
    else:
        values = dirichlet(rng, setting, usual)
    if setting.points and name == setting.moving:
        moved = np.minimum(values[BASELINE:, 0], setting.points)
        values[BASELINE:, 0] -= moved
        values[BASELINE:, 2] += moved
    return values


def nights(rng: np.random.Generator, setting: Setting) -> tuple[DayTally, ...]:
    """Return the tallies of the baseline's nights, then those of the window."""
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
    values = {f"n{number:02}": numbers[:, number] for number in range(NUMERIC)}
    for name in LEVELS:
        counted = rng.multinomial(rows, level_shares(rng, setting, name))
        values[name] = np.pad(counted, ((0, 0), (0, 2)))
    return tuple(_day(night, int(rows[night]), {name: c[night] for name, c in values.items()}) for night in range(67))


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
    """Return baseline and window in the form that the nightly run uses."""
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
    """Yield independent histories of 67 nights."""
    for child in np.random.SeedSequence(seed).spawn(times):
        yield nights(np.random.default_rng(child), setting)


AXES = _axes()
