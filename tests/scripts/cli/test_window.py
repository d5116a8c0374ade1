"""The text of a window."""

from __future__ import annotations

import datetime as dt

from core.quality_report import Finding, QualityReport
from monitoring.counting.window import Window
from scripts.cli.window import window_lines

FIRST = dt.date(2024, 3, 1)


def finding(column: str, day: int) -> Finding:
    """A column that is missing on one day."""
    date = FIRST + dt.timedelta(days=day)
    return Finding(
        severity="warning",
        check="null_share",
        column=column,
        date=date,
        value=1.0,
        limit=0.2,
        sentence=f"{column} is missing in 100.0% of the rows of {date}",
    )


def test_a_column_that_is_broken_on_many_days_is_one_line() -> None:
    """The line has the newest day and the number of earlier ones; the number of findings is not reduced."""
    findings = (*(finding("wind", day) for day in range(16)), finding("rain", 2), finding("rain", 3))
    window = Window(
        model="own",
        version=1,
        as_of=dt.datetime(2024, 3, 17, tzinfo=dt.UTC),
        start=FIRST,
        end=dt.date(2024, 3, 17),
        days=(),
        missing=(),
        future_rows=0,
        quality=QualityReport(subject="window", rows=0, checks=40, findings=findings),
    )
    head, *lines = window_lines(window)

    assert head.endswith("40 checks, 18 findings")
    assert [
        "wind is missing in 100.0% of the rows of 2024-03-16 (and on 15 earlier days)",
        "rain is missing in 100.0% of the rows of 2024-03-03",
        "rain is missing in 100.0% of the rows of 2024-03-04",
    ] == [line.partition("[/] ")[2] for line in lines]
