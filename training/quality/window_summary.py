"""Sum up a monitoring window for the expectation suite: how far each check is over its limit, by column and day."""

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
JUDGED: tuple[Severity, ...] = ("critical",)  # the rest stops nothing
Share = Callable[[DayTally], float | None]


class WindowCheck(NamedTuple):
    """How bad it is to be over the limit, and how that is said."""

    severity: Severity
    sentence: str


class Measure(NamedTuple):
    """What is measured on each day, None where it cannot be, and what is allowed.

    `on_top`: of the worst day of the baseline. Scores are not: the baseline is from before they were made.
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
        """How bad it is to be over the limit."""
        return CHECKS[self.check].severity

    @property
    def excess(self) -> float:
        """How far over the limit (for rows: under it), in the unit of the value. Nothing is wrong up to 0."""
        over = self.limit - self.value if self.check == "rows" else self.value - self.limit
        return round(over, 9)  # sums of shares such as 0.1 + 0.2 must not be over 0.3


MAY = ", at most {limit:.1%} may be"
CHECKS = {
    "missing_column": WindowCheck("critical", "{column} is not there{when}"),
    "rows": WindowCheck("critical", "{value:.0f} rows{when}, at least {limit:.0f} are needed"),
    "duplicates": WindowCheck("critical", "{value:.1%} of the rows{when} repeat an id, at most {limit:.1%} may"),
    "future": WindowCheck("critical", "{value:.1%} of the rows are from the future" + MAY),
    "bad_labels": WindowCheck("critical", "{value:.1%} of the rows{when} have a label that is not {labels}"),
    "unscored": WindowCheck("critical", "{value:.1%} of the scored rows{when} have no score that is {scores}" + MAY),
    "wrong_type": WindowCheck("critical", "{column} is no number in {value:.1%} of the rows{when}" + MAY),
    "null_share": WindowCheck("critical", "{column} is missing in {value:.1%} of the rows{when}" + MAY),
    "infinite": WindowCheck("critical", "{column} is infinite in {value:.1%} of the rows{when}" + MAY),
    "unseen_share": WindowCheck(
        "critical", "{column} has values unknown in training in {value:.1%} of the rows{when}" + MAY
    ),
    "new_values": WindowCheck("info", "{column} has values unknown in training in {value:.1%} of the rows{when}"),
    "out_of_range": WindowCheck(
        "warning", "{column} is beyond its range in training in {value:.1%} of the rows{when}" + MAY
    ),
}


def measures(axes: dict[str, Axis], config: ModelConfig) -> Iterator[Measure]:
    """What is measured on each day, for the table and for each feature."""
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
    """Of the rows that the model in service had to score; None where there are none."""
    rows = day.unscored + task.rows(day.scores.array)
    return day.unscored / rows if rows else None


def _share(column: str, *places: int) -> Share:
    def share(day: DayTally) -> float | None:
        tally = day.columns.get(column)
        return None if tally is None else sum(int(tally.counts.array[place]) for place in places) / day.rows

    return share


def _outside(column: str) -> Share:
    def share(day: DayTally) -> float | None:
        tally = day.columns.get(column)
        return None if tally is None else tally.outside / day.rows

    return share


def usual_days(baseline: Baseline) -> tuple[DayTally, ...]:
    """The days of the baseline that have at least a quarter of the rows of the middle one; others say little."""
    usual = statistics.median([day.rows for day in baseline.days] or [0])
    return tuple(day for day in baseline.days if day.rows and day.rows >= usual / 4)


def limits(baseline: Baseline, config: ModelConfig) -> dict[tuple[str, str | None], float]:
    """By check and column: the share on the worst day of the baseline, plus what is allowed on top."""
    days = usual_days(baseline)
    return {
        (m.check, m.column): m.allowed + worst_day([m.share(day) or 0.0 for day in days if m.on_top])
        for m in measures(baseline.axes, config)
    }


def worst_day(shares: Sequence[float]) -> float:
    """The largest share of a day, but for days on which every row was concerned while most days had few.

    Those were outages; taken as usual, they would switch the check off for as long as the model is in service.
    """
    usual = statistics.median(shares) if shares else 0.0
    return max((share for share in shares if share < 1 or usual >= 0.5), default=0.0)  # noqa: PLR2004 - most days


def cells(window: Window, baseline: Baseline, config: ModelConfig) -> Iterator[Cell]:
    """All measurements of a window."""
    quality, known = config.quality, {day.date: day for day in window.days}
    rows = sum(day.rows for day in window.days) + window.future_rows
    yield Cell("future", None, None, window.future_rows / max(rows, 1), quality.max_future_share)
    for column in window.missing:
        yield Cell("missing_column", column, None, 1, 0)
    first = min([*known, window.end - DAY])
    for date in (first + n * DAY for n in range((window.end - first).days)):  # a day without rows has no tally
        yield Cell("rows", None, date, known[date].rows if date in known else 0, quality.min_rows_per_day)
    days = [day for day in window.days if day.rows]
    for feature in (name for name in config.data.features if name not in window.missing):
        yield from (Cell("missing_column", feature, day.date, 1, 0) for day in days if feature not in day.columns)
    limit = limits(baseline, config)
    for measure in measures(baseline.axes, config):
        for day in days:
            value = measure.share(day)
            # An older day without any score is history from before the service logged its predictions.
            history = measure.check == "unscored" and value == 1 and day.date < window.end - DAY
            if value is not None and not history:
                yield Cell(measure.check, measure.column, day.date, value, limit[measure.check, measure.column])


def findings(over: Iterable[Cell], window: Window, task: Task) -> Iterator[Finding]:
    """A finding for each cell that makes its day useless; one for each check and column of what is only worth knowing.

    What is critical stops the night when it concerns the newest day or the whole table; else that day is left out.
    """
    newest = window.end - DAY
    order = sorted(over, key=lambda cell: (list(CHECKS).index(cell.check), cell.column or ""))
    for (check, _), group in groupby(order, key=lambda cell: (cell.check, cell.column)):
        found = sorted(group, key=lambda cell: cell.excess, reverse=True)
        if CHECKS[check].severity == "critical":
            for cell in sorted(found, key=lambda cell: cell.date or newest):
                stops = cell.date is None or cell.date == newest
                yield _finding(cell, task, "critical" if stops else "warning", broken=cell.date is not None)
        else:
            days = f" (on {len(found)} days, this is the worst)" if len(found) > 1 else ""
            yield _finding(found[0], task, CHECKS[check].severity, broken=False, more=days)


def _finding(cell: Cell, task: Task, severity: Severity, *, broken: bool, more: str = "") -> Finding:
    when = f" of {cell.date}" if cell.date else ""
    if cell.check == "missing_column" and cell.date:
        when = f" on {cell.date}"
    values = {"column": cell.column, "value": cell.value, "limit": cell.limit, "when": when}
    words = CHECKS[cell.check].sentence.format(**values, labels=task.label_text, scores=task.score_text)
    return Finding(**cell._asdict(), severity=severity, broken=broken, sentence=words + more)
