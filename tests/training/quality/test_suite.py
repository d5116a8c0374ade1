"""Each expectation is seen failing on rows made for it, and what follows depends on how bad that is and on the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from core.config.gates import Quality
from core.config.model import ModelConfig, Training
from core.quality_report import QualityReport
from monitoring.counting.counts import Counts
from monitoring.counting.tally import Baseline, merge
from monitoring.counting.window import Window
from training.quality.expectations import of_training
from training.quality.suite import check_training, check_window
from training.quality.window_summary import CHECKS, cells, limits

if TYPE_CHECKING:
    import pandas as pd

DAY = dt.timedelta(days=1)
END = dt.date(2013, 3, 11)
NEWEST, OLDER = END - DAY, END - 5 * DAY
At = Callable[..., Window]
Change = Callable[[pa.RecordBatch], pa.RecordBatch]


@pytest.fixture(scope="session")
def fixed(config: ModelConfig) -> ModelConfig:
    """The config of flights with limits that its owner cannot change."""
    return config.model_copy(update={"quality": Quality(min_rows_per_day=50), "training": Training(min_rows=5000)})


def of_day(batch: pa.RecordBatch, date: dt.date) -> np.ndarray[Any, Any]:
    """Which rows are of a day."""
    return np.asarray(pc.equal(batch.column("timestamp").cast(pa.date32()), pa.scalar(date)).to_pylist())


def put(column: str, value: Any, date: dt.date = NEWEST, rows: int = 200) -> Change:
    """Write a value into a column of the first rows of a day."""

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        these = of_day(batch, date)
        these &= np.cumsum(these) <= rows
        old = batch.column(column).to_pylist()
        kind = batch.schema.field(column).type if value is None or not isinstance(value, float) else pa.float64()
        new = pa.array([value if here else was for here, was in zip(these, old, strict=True)], kind)
        return batch.set_column(batch.schema.get_field_index(column), column, new)

    return change


def drop(date: dt.date, keep: int) -> Change:
    """Leave only the first rows of a day."""

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        these = of_day(batch, date)
        return batch.filter(pa.array(~these | (np.cumsum(these) <= keep)))

    return change


def as_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Temperatures as text."""
    place = batch.schema.get_field_index("temp")
    return batch.set_column(place, "temp", batch.column("temp").cast(pa.string()))


def serious(report: QualityReport) -> list[tuple[str, str, str | None, dt.date | None]]:
    """Findings that are more than worth knowing."""
    return [(f.severity, f.check, f.column, f.date) for f in report.findings if f.severity != "info"]


CRITICAL = [
    ("null_share", "temp", put("temp", None)),
    ("null_share", "origin", put("origin", None)),
    ("wrong_type", "temp", as_text),
    ("infinite", "wind_speed", put("wind_speed", float("inf"))),
    ("infinite", "wind_speed", put("wind_speed", float("-inf"), rows=11)),
    ("unseen_share", "origin", put("origin", "PHL", rows=11)),
    ("duplicates", None, put("flight_id", "twice", rows=2)),
    ("unscored", None, put("prediction", None, rows=41)),
    ("unscored", None, put("prediction", 1.5, rows=41)),
    ("rows", None, drop(NEWEST, 49)),
    ("rows", None, drop(NEWEST, 0)),
]


@pytest.mark.parametrize(("check", "column", "change"), CRITICAL)
def test_each_fault_of_the_newest_day_stops_the_night(
    window: At, baseline: Baseline, fixed: ModelConfig, check: str, column: str | None, change: Change
) -> None:
    """A fault made on the newest day is found under its own name, as critical, and nothing else is."""
    report = check_window(window(END, change), fixed, baseline)

    assert ("critical", check, column, NEWEST) in serious(report)
    assert {(check, column)} == {(f.check, f.column) for f in report.findings if f.severity != "info"}
    assert NEWEST in report.broken_days


FINE = [
    put("temp", None, rows=55),
    put("wind_speed", float("inf"), rows=10),
    put("origin", "PHL", rows=10),
    drop(NEWEST, 50),
]


@pytest.mark.parametrize("change", FINE)
def test_up_to_the_limit_all_is_well(window: At, baseline: Baseline, fixed: ModelConfig, change: Change) -> None:
    """A share of exactly the limit is allowed: 7.5 % on the worst day of the baseline and 20 % on top, of 200 rows."""
    assert () == check_window(window(END, change), fixed, baseline).critical


def test_an_outage_in_the_baseline_does_not_switch_its_check_off(
    window: At, baseline: Baseline, fixed: ModelConfig
) -> None:
    """A baseline day on which a column was missing altogether does not raise the limit of what may be missing."""
    day, axis = baseline.days[5], baseline.axes["temp"]
    counts = np.zeros(axis.size, np.int64)
    counts[axis.null] = day.rows
    gone = day.columns["temp"].model_copy(update={"counts": Counts(counts)})
    days = list(baseline.days)
    days[5] = day.model_copy(update={"columns": {**day.columns, "temp": gone}})
    seen = baseline.model_copy(update={"days": tuple(days)})

    report = check_window(window(END, put("temp", None)), fixed, seen)
    assert [("critical", "null_share", "temp", NEWEST)] == serious(report)


def test_just_over_the_limit_is_critical(window: At, baseline: Baseline, fixed: ModelConfig) -> None:
    """One row more than the limit allows is a finding that says the day, the share and the limit."""
    report = check_window(window(END, put("temp", None, rows=56)), fixed, baseline)

    assert ("temp is missing in 28.0% of the rows of 2013-03-10 (limit 27.5%)",) == tuple(
        f.sentence for f in report.critical
    )
    assert (0.28, 0.275) == (report.critical[0].value, pytest.approx(report.critical[0].limit))


@pytest.mark.parametrize(
    ("check", "column", "change"),
    [
        ("null_share", "temp", put("temp", None, OLDER)),
        ("bad_labels", None, put("actual", 7, OLDER, rows=1)),
        ("rows", None, drop(OLDER, 0)),
    ],
)
def test_a_fault_of_an_older_day_only_leaves_that_day_out(
    window: At, baseline: Baseline, fixed: ModelConfig, check: str, column: str | None, change: Change
) -> None:
    """The night goes on without a broken day that lies back: the finding is a warning and the day is named."""
    report = check_window(window(END, change), fixed, baseline)

    assert [("warning", check, column, OLDER)] == serious(report)
    assert {OLDER} == report.broken_days


@pytest.mark.parametrize(
    ("check", "column", "severity", "change"),
    [
        ("out_of_range", "distance", "warning", put("distance", 1e6, rows=11)),
        ("new_values", "origin", "info", put("origin", "PHL", rows=1)),
    ],
)
def test_what_may_be_a_change_of_the_world_is_only_said(
    window: At, baseline: Baseline, fixed: ModelConfig, check: str, column: str | None, severity: str, change: Change
) -> None:
    """Values out of range and single new categories neither stop the night nor break the day."""
    report = check_window(window(END, change), fixed, baseline)

    assert (severity, check, column) in {(f.severity, f.check, f.column) for f in report.findings}
    assert ((), frozenset()) == (report.critical, report.broken_days)


def test_an_older_day_without_any_score_is_history(window: At, baseline: Baseline, fixed: ModelConfig) -> None:
    """Rows from before the service logged its predictions are no fault; a newest day without scores is."""
    assert [] == serious(check_window(window(END, put("prediction", None, OLDER)), fixed, baseline))

    found = check_window(window(END, put("prediction", None)), fixed, baseline)
    assert [("critical", "unscored", None, NEWEST)] == serious(found)


def test_a_missing_column_is_one_critical_finding(window: At, baseline: Baseline, fixed: ModelConfig) -> None:
    """A column that the source no longer has stops the night with one finding, not one a day."""
    seen = window(END, lambda batch: batch.drop_columns(["temp"])).model_copy(update={"missing": ("temp",)})

    assert [("critical", "missing_column", "temp", None)] == serious(check_window(seen, fixed, baseline))


def test_a_column_missing_on_some_days_breaks_those(window: At, baseline: Baseline, fixed: ModelConfig) -> None:
    """Where one file of a folder lacks a column, the newest day is critical and an older one left out."""
    seen = window(END)
    cut = [
        day.model_copy(update={"columns": {n: c for n, c in day.columns.items() if n != "temp"}})
        if day.date in {NEWEST, OLDER}
        else day
        for day in seen.days
    ]
    report = check_window(seen.model_copy(update={"days": tuple(cut)}), fixed, baseline)

    assert [
        ("warning", "missing_column", "temp", OLDER),
        ("critical", "missing_column", "temp", NEWEST),
    ] == serious(report)


def test_rows_of_the_future_stop_the_night(window: At, baseline: Baseline, fixed: ModelConfig) -> None:
    """A row later than the night is critical, unless the config allows a share of them."""
    seen = window(END).model_copy(update={"future_rows": 1})
    lenient = fixed.model_copy(update={"quality": fixed.quality.model_copy(update={"max_future_share": 0.01})})

    assert [("critical", "future", None, None)] == serious(check_window(seen, fixed, baseline))
    assert [] == serious(check_window(seen, lenient, baseline))


def test_an_empty_window_stops_the_night(window: At, baseline: Baseline, fixed: ModelConfig) -> None:
    """When nothing arrived at all, the newest day is critical."""
    empty = window(END).model_copy(update={"days": ()})

    assert [("critical", "rows", None, NEWEST)] == serious(check_window(empty, fixed, baseline))


def test_a_tiny_day_of_the_baseline_raises_no_limit(baseline: Baseline, fixed: ModelConfig) -> None:
    """A day with few rows says little about usual shares: ten rows, all null, leave the limits as they are."""
    tiny = baseline.days[0].model_copy(update={"rows": 10})

    assert limits(fixed, baseline) == limits(fixed, baseline.model_copy(update={"days": (*baseline.days, tiny)}))


@pytest.mark.parametrize(("end", "stopped"), [((2013, 12, 31), set()), ((2014, 1, 1), {"temp", "humid", "visib"})])
def test_the_night_without_weather_is_broken_data(
    window: At, baseline: Baseline, config: ModelConfig, end: tuple[int, int, int], stopped: set[str]
) -> None:
    """2013-12-31 has no weather: the night after is stopped by its columns, the one before is not."""
    report = check_window(window(dt.date(*end)), config, baseline)

    assert stopped <= {f.column for f in report.critical}
    assert bool(stopped) == bool(report.critical)


def test_the_short_last_day_is_no_finding(window: At, baseline: Baseline, config: ModelConfig) -> None:
    """2014-01-01 has 88 rows in UTC: enough, so only its missing weather is found."""
    report = check_window(window(dt.date(2014, 1, 2)), config, baseline)

    assert {"null_share"} == {f.check for f in report.critical}
    assert {dt.date(2013, 12, 31), dt.date(2014, 1, 1)} == report.broken_days


def test_no_other_night_of_the_year_is_stopped(window: At, baseline: Baseline, config: ModelConfig) -> None:
    """Blizzards, new destinations, summer, and pressure null on over 20 % of 89 days are no broken data."""
    nights = [dt.date(2013, 3, 5) + n * 7 * DAY for n in range(43)]
    over = [c for night in nights for c in cells(window(night), config, baseline) if c.excess > 0]

    assert set() == {c.check for c in over if CHECKS[c.check].severity == "critical"}
    assert {"new_values", "out_of_range"} == {c.check for c in over}


def test_a_window_costs_the_same_for_any_number_of_rows(window: At, baseline: Baseline, fixed: ModelConfig) -> None:
    """What is judged is a measure a column and day: twice the rows are twice the count, and as many checks."""
    once = window(END)
    twice = once.model_copy(update={"days": merge((*once.days, *once.days))})
    small, large = check_window(once, fixed, baseline), check_window(twice, fixed, baseline)

    assert (2 * small.rows, small.checks) == (large.rows, large.checks)


def relabelled(rows: pd.DataFrame) -> pd.DataFrame:
    """Every label swapped, as after a wrong join."""
    return rows.assign(actual=1 - rows["actual"])


def some(column: str, value: Any, share: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Write a value into a share of the rows."""

    def change(rows: pd.DataFrame) -> pd.DataFrame:
        here = np.arange(len(rows)) < round(share * len(rows))
        return rows.assign(**{column: rows[column].astype(object).mask(here, value).infer_objects()})

    return change


TRAINING = [
    ("critical", "rows", None, lambda rows: rows.iloc[:4999]),
    ("critical", "missing_column", None, lambda rows: rows.drop(columns="temp")),
    ("critical", "id_missing", "flight_id", some("flight_id", None, 0.001)),
    ("critical", "duplicates", "flight_id", lambda rows: rows.assign(flight_id=rows["flight_id"].shift(1).bfill())),
    ("critical", "bad_labels", "actual", some("actual", 2, 0.001)),
    ("critical", "classes", "actual", lambda rows: rows.assign(actual=0)),
    ("critical", "null_share", "temp", some("temp", np.nan, 0.3)),
    ("critical", "null_share", "origin", some("origin", None, 0.3)),
    ("critical", "type", "temp", lambda rows: rows.assign(temp=rows["temp"].astype("float16"))),
    ("critical", "infinite", "wind_speed", some("wind_speed", np.inf, 0.06)),
    ("warning", "base_rate", "actual", relabelled),
    ("warning", "out_of_range", "distance", some("distance", 1e6, 0.06)),
    ("warning", "unseen_share", "origin", some("origin", "PHL", 0.06)),
]


@pytest.mark.parametrize(("severity", "check", "column", "change"), TRAINING)
def test_each_fault_of_training_rows_is_found(
    rows: pd.DataFrame,
    baseline: Baseline,
    fixed: ModelConfig,
    severity: str,
    check: str,
    column: str | None,
    change: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    """A fault made in training rows is found under its name, as bad as it is."""
    report = check_training(change(rows), fixed, baseline)

    assert (severity, check, column) in {(f.severity, f.check, f.column) for f in report.findings}
    assert (severity == "critical") == bool(report.critical)


def test_good_training_rows_have_no_finding(rows: pd.DataFrame, baseline: Baseline, fixed: ModelConfig) -> None:
    """The first rows pass, with and without a baseline, and more is asked of them where there is one."""
    first, later = (check_training(rows, fixed, known) for known in (None, baseline))

    assert ((), ()) == (first.findings, later.findings)
    assert 43 == first.checks < later.checks == len(list(of_training(fixed, baseline)))
    assert 11_528 == first.rows


def test_no_rows_are_critical(rows: pd.DataFrame, fixed: ModelConfig) -> None:
    """Rules on rows hold for no rows: the count says that there are none."""
    assert {"rows", "classes"} <= {f.check for f in check_training(rows.iloc[:0], fixed, None).critical}


def test_a_finding_says_share_and_limit(rows: pd.DataFrame, fixed: ModelConfig) -> None:
    """A sentence names the column, how much of it fails, and what is allowed."""
    report = check_training(some("distance", np.nan, 0.3)(rows), fixed, None)

    assert ("distance is missing in 30.0% of the rows (limit 20.0%)",) == tuple(f.sentence for f in report.critical)
    assert (pytest.approx(0.3, abs=1e-3), 0.2) == (report.critical[0].value, report.critical[0].limit)


def test_rows_are_not_written_into_a_report(rows: pd.DataFrame, baseline: Baseline, fixed: ModelConfig) -> None:
    """No value of a row leaves in a finding: not the id that occurs twice, nor the category that is new."""
    changed = some("origin", "SECRET", 0.5)(some("flight_id", "SECRET", 0.5)(rows))

    assert "SECRET" not in check_training(changed, fixed, baseline).to_json()
