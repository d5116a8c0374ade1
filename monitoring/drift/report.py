"""Drift report: a window compared with the baseline, column by column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Literal

from core.config import DriftTrigger
from core.records import Record
from monitoring.counting import Baseline, DayTally, Window
from monitoring.drift.comparison import ColumnComparison, ColumnDays, ReferenceColumn, column_days, columns, seasonal
from monitoring.drift.damage import ColumnDamage, damage_report
from monitoring.drift.day_effects import FEWEST_DAYS
from monitoring.drift.significance import Significance, significance
from monitoring.drift.statistics import stability_index


class Bar(Record):
    """A group of values for a picture: its share of the baseline's and of the window's rows that have a value."""

    label: str
    baseline: float
    window: float


class ColumnDrift(Record):
    """One column on one night.

    `effect`: distance of Kolmogorov and Smirnov, or total variation. `p_value`: adjusted; None where not tested. `own`:
    the largest such distance of a run of as many days inside the baseline from the rest of it, scaled to the sizes of
    this comparison; None where not used. `drifted`: its values did, or its nulls where the config counts them.
    `ignored`: it never fires, `note` says why. `rows`: rows of the window that have a value. Shares of nulls are of all
    rows. `null_p_value`: adjusted; None where not tested. `bars`: for the last night only.
    """

    column: str
    type: Literal["numeric", "categorical"]
    effect: float
    psi: float
    p_value: float | None
    drifted: bool
    ignored: bool
    own: float | None
    null_baseline: float
    null_window: float
    rows: int
    note: str
    bars: tuple[Bar, ...]
    null_p_value: float | None = None
    null_drifted: bool = False


class DriftNight(Record):
    """The window that ends before `end`. No columns where it has too few rows to judge."""

    end: dt.date
    rows: int
    drifted: tuple[str, ...]
    columns: tuple[ColumnDrift, ...]


class DriftReport(Record):
    """The last nights, oldest first. `adjusted` is False where p-values take rows as independent of their day.

    `damage`: shares of the newest window that are larger than days explain (`damage.damage_report`). `score` and
    `target`: the scores of the model in service and the labels, compared with those of the holdout
    (`outcomes.with_outcomes`). Each is None if it cannot be judged.
    """

    nights: tuple[DriftNight, ...]
    fired_nights: int
    adjusted: bool
    damage: tuple[ColumnDamage, ...] | None = None
    score: ColumnDrift | None = None
    target: ColumnDrift | None = None


def drift_report(
    baseline: Baseline, window: Window, config: DriftTrigger, leave_out: Collection[dt.date]
) -> DriftReport:
    """Judge each of the last `config.nights[1]` nights from its `config.window_days` days but those in `leave_out`.

    Columns of `config.ignore` are measured but not tested, and play no part in judging the others; so are those of
    `config.seasonal_columns` where the baseline has no last year.

    Raises:
        RecordError: the window was counted into other cells than those of this baseline.
    """
    references = columns(baseline, config)
    nights = []
    for ago in reversed(range(config.nights[1])):
        end = window.end - dt.timedelta(days=ago)
        last = [day for day in window.last(config.window_days, end) if day.date not in leave_out and day.rows]
        season = {name: seasonal(baseline, name, end, config.window_days) for name in config.seasonal_columns}
        pasts = [references[name] if name in references else season[name] for name in baseline.axes]
        nights.append(_night(pasts, last, end, config, newest=ago == 0))
    return DriftReport(
        nights=tuple(nights),
        fired_nights=sum(len(night.drifted) >= config.min_columns for night in nights),
        adjusted=config.rule == "nights" and sum(day.rows > 0 for day in baseline.days) >= FEWEST_DAYS,
        damage=damage_report(baseline, window, config, leave_out),
    )


def _night(
    pasts: Sequence[ReferenceColumn], days: Sequence[DayTally], end: dt.date, config: DriftTrigger, *, newest: bool
) -> DriftNight:
    rows = sum(day.rows for day in days)
    if rows < config.min_rows:
        return DriftNight(end=end, rows=rows, drifted=(), columns=())
    judged = judge_columns(
        [(past, column_days(past.axis, past.name, days)) for past in pasts], len(days), config, newest=newest
    )
    drifted = tuple(column.column for column in judged if column.drifted)
    return DriftNight(end=end, rows=rows, drifted=drifted, columns=judged)


def judge_columns(
    sides: Sequence[tuple[ReferenceColumn, ColumnDays]], length: int, config: DriftTrigger, *, newest: bool
) -> tuple[ColumnDrift, ...]:
    """What is found of columns that are judged together."""
    nightly = config.rule == "nights"
    values = {past.name: past.compare(after, nightly=nightly) for past, after in sides}
    tested = {past.name: pair for past, _ in sides if not past.untested and (pair := values[past.name])}
    pairs = [(past, after) for past, after in sides if not past.untested]
    nulls = {past.name: pair for past, after in pairs if (pair := past.compare_nulls(after, nightly=nightly))}
    verdicts, missing = significance(tested, nulls, length, config)
    return tuple(
        _column(past, after, values[past.name], (verdicts.get(past.name), missing.get(past.name)), config, newest)
        for past, after in sides
    )


def _column(
    past: ReferenceColumn,
    after: ColumnDays,
    pair: ColumnComparison | None,
    verdicts: tuple[Significance | None, Significance | None],
    config: DriftTrigger,
    newest: bool,
) -> ColumnDrift:
    bars, psi = _bars(past, after, shown=newest) if pair else ((), 0.0)
    verdict, nulls = verdicts
    empty = "the baseline" if not len(past.before.rows) else "the window"
    why = past.untested or f"not tested: {empty} has no values"
    gone = nulls is not None and nulls.drifted
    notes = [verdict.note if verdict else why, *([_missing(past.before, after, config)] if gone else [])]
    return ColumnDrift(
        column=past.name,
        type=past.axis.type,
        effect=pair.effect if pair else 0.0,
        psi=psi,
        p_value=verdict.p_value if verdict else None,
        drifted=(verdict is not None and verdict.drifted) or (gone and config.nulls == "count"),
        ignored=bool(past.untested),
        own=verdict.own if verdict else None,
        null_baseline=past.before.null_share,
        null_window=after.null_share,
        rows=int(after.rows.sum()),
        note="; ".join(filter(None, notes)),
        bars=bars,
        null_p_value=nulls.p_value if nulls else None,
        null_drifted=gone,
    )


def _missing(before: ColumnDays, after: ColumnDays, config: DriftTrigger) -> str:
    shown = "" if config.nulls == "count" else " (shown only: triggers.drift.nulls)"
    return f"missing in {after.null_share:.1%} of the rows instead of {before.null_share:.1%}{shown}"


def _bars(past: ReferenceColumn, after: ColumnDays, *, shown: bool) -> tuple[tuple[Bar, ...], float]:
    """The groups of the baseline with their shares (where they are shown), and the stability index over them."""
    names, old, new = past.grouped(after)
    shares = zip(names, old.tolist(), new.tolist(), strict=True)
    bars = tuple(Bar(label=name, baseline=b, window=w) for name, b, w in shares if b or w) if shown else ()
    return bars, stability_index(old, new)
