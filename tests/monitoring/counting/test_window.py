"""A window hands out its days, and its quality report knows which of them are broken."""

from __future__ import annotations

import datetime as dt

from core.quality_report import Finding, QualityReport
from monitoring.counting.counts import Counts
from monitoring.counting.tally import DayTally
from monitoring.counting.window import Window


def day(number: int) -> DayTally:
    """An empty tally of a day in March."""
    zeros = Counts.zeros(1000, 3)
    date = dt.date(2013, 3, number)
    return DayTally(date=date, rows=1, duplicates=0, columns={}, scores=zeros, unscored=0, bad_labels=0)


def finding(severity: str, number: int | None, *, broken: bool = False) -> Finding:
    """A finding on a day in March, or on the table."""
    return Finding.model_validate(
        {
            "broken": broken,
            "severity": severity,
            "check": "null_share",
            "column": "temp",
            "date": number and dt.date(2013, 3, number),
            "value": 0.5,
            "limit": 0.2,
            "sentence": "Half of it is null.",
        }
    )


REPORT = QualityReport(
    subject="window",
    rows=10,
    checks=5,
    findings=(
        finding("critical", 7),
        finding("critical", None),
        finding("warning", 5, broken=True),
        finding("warning", 6),
        finding("info", 4),
    ),
)
WINDOW = Window(
    model="flights",
    version=3,
    as_of=dt.datetime(2013, 3, 8, 2, tzinfo=dt.UTC),
    start=dt.date(2013, 3, 1),
    end=dt.date(2013, 3, 8),
    days=(day(7), day(5), day(2)),
    missing=("wind",),
    future_rows=0,
    quality=REPORT,
)


def dates(days: tuple[DayTally, ...]) -> list[int]:
    """Days of the month."""
    return [tally.date.day for tally in days]


def test_the_last_days_end_before_the_window_does() -> None:
    """`last` counts calendar days, oldest first; a day without rows is simply absent."""
    assert [5, 7] == dates(WINDOW.last(3))
    assert [2, 5, 7] == dates(WINDOW.last(6))
    assert [7] == dates(WINDOW.last(1))


def test_the_last_days_of_an_earlier_night() -> None:
    """`until` is exclusive: the night of the 7th has not seen the 7th."""
    assert [2, 5] == dates(WINDOW.last(7, until=dt.date(2013, 3, 7)))


def test_a_window_survives_its_json() -> None:
    """What pull writes is what check reads."""
    assert WINDOW == Window.from_json(WINDOW.to_json())


def test_findings_are_sorted_by_severity() -> None:
    """Critical ones stop the night, warnings go to the reviewer."""
    assert (7, None) == tuple(f.date and f.date.day for f in REPORT.critical)
    assert (5, 6) == tuple(f.date and f.date.day for f in REPORT.warnings)


def test_broken_days_are_those_marked_and_those_critical() -> None:
    """A warning alone leaves its day in."""
    assert {dt.date(2013, 3, 5), dt.date(2013, 3, 7)} == REPORT.broken_days
