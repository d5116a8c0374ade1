"""Summary of a monitoring window for the expectation suite: each check by column and day, and how far it is over."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from core.config import ModelConfig
from core.days import DAY
from core.quality_report import Finding
from monitoring.axes import Axis, NumericAxis
from monitoring.counting import Baseline, DayTally, Window
from monitoring.tasks import Task, task_of

Severity = Literal["critical", "warning", "info"]
JUDGED: tuple[Severity, ...] = ("critical",)  # other severities stop nothing
Share = Callable[[DayTally], float | None]


class WindowCheck(NamedTuple):
    """The severity and the sentence of a check that is over its limit."""

    severity: Severity
    sentence: str


class Measure(NamedTuple):
    """A share that is measured on each day (None if it cannot be), and the limit for it.

    `on_top`: the limit is added to the worst day of the baseline. Not for scores, which the baseline does not have.
    """

    check: str
    column: str | None
    allowed: float
    share: Share
    on_top: bool = True


class Cell(NamedTuple):
    """One measurement: of a column on a day, of a day (`column` None), or of the table as a whole (`date` None)."""

    check: str
    column: str | None
    date: dt.date | None
    value: float
    limit: float

    @property
    def severity(self) -> Severity:
        """The severity of being over the limit."""
        return CHECKS[self.check].severity

    @property
    def excess(self) -> float:
        """How far the value is over the limit (for rows: below it), in the unit of the value; at most 0 is fine."""
        over = self.limit - self.value if self.check == "rows" else self.value - self.limit
        return round(over, 9)  # 0.1 + 0.2 must not be over 0.3


LIMIT = " (limit {limit:.1%})"
CHECKS = {
    "missing_column": WindowCheck("critical", "column {column} is absent{when}"),
    "rows": WindowCheck("critical", "{value:,.0f} rows{when}, at least {limit:,.0f} are required"),
    "duplicates": WindowCheck("critical", "{value:.1%} of the rows{when} repeat an id" + LIMIT),
    "future": WindowCheck("critical", "{value:.1%} of the rows are from the future" + LIMIT),
    "bad_labels": WindowCheck("critical", "{value:.1%} of the rows{when} have a label that is not {labels}"),
    "unscored": WindowCheck("critical", "{value:.1%} of the scored rows{when} have no score that is {scores}" + LIMIT),
    "wrong_type": WindowCheck("critical", "{column} is not a number in {value:.1%} of the rows{when}" + LIMIT),
    "null_share": WindowCheck("critical", "{column} is missing in {value:.1%} of the rows{when}" + LIMIT),
    "infinite": WindowCheck("critical", "{column} is infinite in {value:.1%} of the rows{when}" + LIMIT),
    "unseen_share": WindowCheck(
        "critical", "{column} has values unseen in training in {value:.1%} of the rows{when}" + LIMIT
    ),
    "new_values": WindowCheck("info", "{column} has values unseen in training in {value:.1%} of the rows{when}"),
    "out_of_range": WindowCheck(
        "warning", "{column} is outside its range in training in {value:.1%} of the rows{when}" + LIMIT
    ),
}


def measures(axes: dict[str, Axis], config: ModelConfig) -> Iterator[Measure]:
    """Yield what is measured on each day, for the table and for each feature."""
    quality = config.quality
    yield Measure("duplicates", None, quality.max_duplicate_share, lambda day: day.duplicates / day.rows)
    yield Measure("bad_labels", None, 0.0, lambda day: day.bad_labels / day.rows)
    task = task_of(config)
    yield Measure("unscored", None, quality.max_null_share, lambda day: _unscored(day, task), on_top=False)
    for column in config.data.features:
        axis = axes[column]
        yield Measure("null_share", column, quality.max_null_share, _share(column, axis.null))
        if isinstance(axis, NumericAxis):
            allowed = quality.max_out_of_range_share
            yield Measure("wrong_type", column, 0.0, _share(column, axis.invalid))
            yield Measure("infinite", column, allowed, _share(column, axis.below, axis.above))
            yield Measure("out_of_range", column, allowed, _outside(column))
        else:
            yield Measure("unseen_share", column, quality.max_unseen_share, _share(column, axis.other))
            yield Measure("new_values", column, 0.0, _share(column, axis.other))


def _unscored(day: DayTally, task: Task) -> float | None:
    """Return the share of rows without a valid score among those that the model in service had to score."""
    rows = day.unscored + task.rows(day.scores.array)
    return day.unscored / rows if rows else None


def _share(column: str, *cells: int) -> Share:
    def share(day: DayTally) -> float | None:
        tally = day.columns.get(column)
        return None if tally is None else sum(int(tally.counts.array[cell]) for cell in cells) / day.rows

    return share


def _outside(column: str) -> Share:
    def share(day: DayTally) -> float | None:
        tally = day.columns.get(column)
        return None if tally is None else tally.outside / day.rows

    return share


def usual_days(baseline: Baseline) -> tuple[DayTally, ...]:
    """Return the days of the baseline with at least a quarter of the median day's rows; smaller days vary by chance."""
    usual = statistics.median([day.rows for day in baseline.days] or [0])
    return tuple(day for day in baseline.days if day.rows and day.rows >= usual / 4)


def limits(config: ModelConfig, baseline: Baseline) -> dict[tuple[str, str | None], float]:
    """Return the limit by check and column: the share on the worst day of the baseline, plus the allowed share."""
    days = usual_days(baseline)
    return {
        (measure.check, measure.column): measure.allowed
        + worst_day([measure.share(day) or 0.0 for day in days if measure.on_top])
        for measure in measures(baseline.axes, config)
    }


def worst_day(shares: Sequence[float]) -> float:
    """Return the largest share of a day, without days of 100% if most days are below 50%.

    Such days were outages. Counted as usual, they would switch the check off while this model is in service.
    """
    usual = statistics.median(shares) if shares else 0.0
    return max((share for share in shares if share < 1 or usual >= 0.5), default=0.0)  # noqa: PLR2004 - most days


def cells(window: Window, config: ModelConfig, baseline: Baseline) -> Iterator[Cell]:
    """Yield all measurements of a window."""
    quality, by_date = config.quality, {day.date: day for day in window.days}
    rows = sum(day.rows for day in window.days) + window.future_rows
    yield Cell("future", None, None, window.future_rows / max(rows, 1), quality.max_future_share)
    for column in window.missing:
        yield Cell("missing_column", column, None, 1, 0)
    first = min([*by_date, window.end - DAY])
    for date in (first + n * DAY for n in range((window.end - first).days)):  # a day without rows has no tally
        yield Cell("rows", None, date, by_date[date].rows if date in by_date else 0, quality.min_rows_per_day)
    days = [day for day in window.days if day.rows]
    for feature in (name for name in config.data.features if name not in window.missing):
        yield from (Cell("missing_column", feature, day.date, 1, 0) for day in days if feature not in day.columns)
    limit = limits(config, baseline)
    for measure in measures(baseline.axes, config):
        for day in days:
            value = measure.share(day)
            # An older day without any score is from before the service logged its predictions.
            history = measure.check == "unscored" and value == 1 and day.date < window.end - DAY
            if value is not None and not history:
                yield Cell(measure.check, measure.column, day.date, value, limit[measure.check, measure.column])


def findings(over: Iterable[Cell], window: Window, task: Task) -> Iterator[Finding]:
    """Yield a finding for each day with a critical check; of other checks one for each column, on its worst day.

    A critical finding on the newest day or about the whole table stops the run; on an older day, the day is left out.
    """
    newest = window.end - DAY
    order = sorted(over, key=lambda cell: (list(CHECKS).index(cell.check), cell.column or ""))
    for (check, _), group in groupby(order, key=lambda cell: (cell.check, cell.column)):
        worst_first = sorted(group, key=lambda cell: cell.excess, reverse=True)
        if CHECKS[check].severity == "critical":
            for cell in sorted(worst_first, key=lambda cell: cell.date or newest):
                stops = cell.date is None or cell.date == newest
                yield _finding(cell, task, "critical" if stops else "warning", broken=cell.date is not None)
        else:
            days = f" (the worst of {len(worst_first)} days)" if len(worst_first) > 1 else ""
            yield _finding(worst_first[0], task, CHECKS[check].severity, broken=False, more=days)


def _finding(cell: Cell, task: Task, severity: Severity, *, broken: bool, more: str = "") -> Finding:
    preposition = "on" if cell.check == "missing_column" else "of"
    when = f" {preposition} {cell.date}" if cell.date else ""
    values = {"column": cell.column, "value": cell.value, "limit": cell.limit, "when": when}
    sentence = CHECKS[cell.check].sentence.format(**values, labels=task.label_text, scores=task.score_text)
    return Finding(**cell._asdict(), severity=severity, broken=broken, sentence=sentence + more)
