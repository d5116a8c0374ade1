"""Decide which differences between window and baseline are more than chance and more than the usual run of nights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.config import DriftTrigger
from monitoring.comparison import Comparison
from monitoring.distances import holm
from monitoring.nights import effective_rows, p_value, serial_factor

FEWEST_DAYS = 8  # with fewer, the variance between days says nothing
UNADJUSTED_EFFECT = 0.1  # without that variance, only what is large counts


@dataclass(frozen=True)
class Significance:
    """Of one column: the adjusted p-value, the largest distance of the baseline's own runs, and the verdict."""

    p_value: float
    own: float | None
    drifted: bool
    note: str


@dataclass(frozen=True)
class _Alone:
    """Of one column before the others are looked at; `top` is the largest surprise of the baseline's own runs."""

    adjusted: bool
    surprise: float
    p_value: float
    own: float | None
    top: float


def significance(compared: Mapping[str, Comparison], length: int, config: DriftTrigger) -> dict[str, Significance]:
    """Judge the columns of a window of `length` days together.

    A column drifted when its adjusted p-value is below alpha, its effect reaches the floor, and it surprises more than
    any run of as many days inside the baseline, of any column. Where `config.rule` is "plain" or the baseline has under
    8 days, p-values take rows as independent of their day, and nothing is known of such runs.
    """
    if not compared:
        return {}
    nights = config.rule == "nights"
    adjusted = {name: nights and len(pair.nights.rows) >= FEWEST_DAYS for name, pair in compared.items()}
    serial = serial_factor((pair.nights for name, pair in compared.items() if adjusted[name]), length)
    alone = {name: _alone(pair, length, serial, adjusted=adjusted[name]) for name, pair in compared.items()}
    p_values = np.array([one.p_value for one in alone.values()])
    final = holm(p_values) if config.correction == "holm" else p_values
    top = max(one.top for one in alone.values())
    return {
        name: _verdict(one, float(p), compared[name].effect, top if one.adjusted else -math.inf, length, config)
        for (name, one), p in zip(alone.items(), final, strict=True)
    }


def _alone(pair: Comparison, length: int, serial: float, *, adjusted: bool) -> _Alone:
    correlation = pair.nights.correlation(serial) if adjusted else 0.0
    sides = (effective_rows(part.rows, correlation) for part in (pair.before, pair.after))
    size = 1 / sum(1 / rows for rows in sides)
    surprise = float(pair.test.surprise(pair.differences, size))
    days = len(pair.nights.rows)
    p = float(p_value(surprise, days if adjusted else None))
    if not adjusted or days <= 2 * length:
        return _Alone(adjusted, surprise, p, None, -math.inf)
    distances, surprises, sizes = pair.nights.runs(length, correlation, pair.test)
    own = float((distances * np.sqrt(sizes / size)).max())
    return _Alone(adjusted, surprise, p, own, float(surprises.max()))


def _verdict(one: _Alone, p: float, effect: float, top: float, length: int, config: DriftTrigger) -> Significance:
    fallback = config.rule == "nights" and not one.adjusted
    floor = max(config.min_effect, UNADJUSTED_EFFECT) if fallback else config.min_effect
    notes = ["not adjusted for nights"] if fallback else []
    drifted = False
    if p < config.alpha:
        large, beyond = effect >= floor, one.surprise > top
        drifted = large and beyond
        if not large:
            notes.append(f"significant, but under the effect of {floor:g} that matters")
        elif not beyond:
            notes.append(f"significant, but no further off than {length} days in a row of the baseline")
    return Significance(p, one.own, drifted, "; ".join(notes))
