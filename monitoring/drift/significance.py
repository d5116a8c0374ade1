"""Significance of differences between window and baseline, compared with chance and with the baseline's own days."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.config import DriftTrigger
from monitoring.drift.comparison import ColumnComparison
from monitoring.drift.day_effects import FEWEST_DAYS, effective_rows, p_value, serial_factor
from monitoring.drift.statistics import CORRECTIONS, ChiSquare

UNADJUSTED_EFFECT = 0.1  # without that variance, only what is large counts


@dataclass(frozen=True)
class Significance:
    """Of one column, or of its nulls: adjusted p-value, largest distance of the baseline's own runs, verdict."""

    p_value: float
    own: float | None
    drifted: bool
    note: str


@dataclass(frozen=True)
class _Unadjusted:
    """Of one column before the others are looked at; `top` is the largest surprise of the baseline's own runs."""

    adjusted: bool
    surprise: float
    p_value: float
    own: float | None
    top: float


def significance(
    values: Mapping[str, ColumnComparison], nulls: Mapping[str, ColumnComparison], length: int, config: DriftTrigger
) -> tuple[dict[str, Significance], dict[str, Significance]]:
    """Judge the columns of a window of `length` days together: their values, and apart from them their shares of nulls.

    Something drifted when its adjusted p-value is below alpha (the correction is over all tests that may fire), its
    effect reaches the floor, and it surprises more than any run of as many days inside the baseline: of any column for
    values, of the same column for nulls, because one outage in the baseline must not mask other columns. Where
    `config.rule` is "plain" or the baseline has under 8 days, p-values take rows as independent of their day, and
    nothing is known of such runs.
    """
    alone, gone = _each(values, length, config), _each(nulls, length, config)
    if config.nulls == "count":
        adjusted = _adjusted([*alone.values(), *gone.values()], config)
    else:  # what cannot fire must not cost the others power
        adjusted = _adjusted([*alone.values()], config) + _adjusted([*gone.values()], config)
    top = max((unadjusted.top for unadjusted in alone.values()), default=-math.inf)
    of_values, of_nulls = adjusted[: len(alone)], adjusted[len(alone) :]
    return (
        {
            name: _verdict(unadjusted, p, values[name].effect, top, length, config)
            for (name, unadjusted), p in zip(alone.items(), of_values, strict=True)
        },
        {
            name: _verdict(unadjusted, p, nulls[name].effect, unadjusted.top, length, config)
            for (name, unadjusted), p in zip(gone.items(), of_nulls, strict=True)
        },
    )


def _adjusted(tests: Sequence[_Unadjusted], config: DriftTrigger) -> list[float]:
    adjusted = CORRECTIONS[config.correction](np.array([test.p_value for test in tests])) if tests else np.empty(0)
    return [float(p) for p in adjusted]


def _each(compared: Mapping[str, ColumnComparison], length: int, config: DriftTrigger) -> dict[str, _Unadjusted]:
    """Columns of one kind, which share what is learnt of how nights resemble their neighbours."""
    nights = config.rule == "nights"
    adjusted = {name: nights and len(pair.nights.rows) >= FEWEST_DAYS for name, pair in compared.items()}
    serial = serial_factor((pair.nights for name, pair in compared.items() if adjusted[name]), length)
    return {name: _alone(pair, length, serial, adjusted=adjusted[name]) for name, pair in compared.items()}


def _alone(pair: ColumnComparison, length: int, serial: float, *, adjusted: bool) -> _Unadjusted:
    correlation = pair.nights.correlation(serial) if adjusted else 0.0
    sides = (effective_rows(part.rows, correlation) for part in (pair.before, pair.after))
    size = 1 / sum(1 / rows for rows in sides)
    test = pair.test
    if adjusted and isinstance(test, ChiSquare):
        test = replace(test, directions=pair.nights.directions)
    surprise = float(test.surprise(pair.differences, size))
    days = len(pair.nights.rows)
    p = p_value(surprise, days if adjusted else None)
    if not adjusted or days <= 2 * length:
        return _Unadjusted(adjusted, surprise, p, None, -math.inf)
    distances, surprises, sizes = pair.nights.runs(length, correlation, test)
    own = float((distances * np.sqrt(sizes / size)).max())
    return _Unadjusted(adjusted, surprise, p, own, float(surprises.max()))


def _verdict(test: _Unadjusted, p: float, effect: float, top: float, length: int, config: DriftTrigger) -> Significance:
    top = top if test.adjusted else -math.inf
    fallback = config.rule == "nights" and not test.adjusted
    floor = max(config.min_effect, UNADJUSTED_EFFECT) if fallback else config.min_effect
    notes = ["not adjusted for the variation between days"] if fallback else []
    drifted = False
    if p < config.alpha:
        large, beyond = effect >= floor, test.surprise > top
        drifted = large and beyond
        if not large:
            notes.append(f"significant, but the effect is under the threshold of {floor:g}")
        elif not beyond:
            notes.append(f"significant, but no larger than for {length} consecutive days of the baseline")
    return Significance(p, test.own, drifted, "; ".join(notes))
