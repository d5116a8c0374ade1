"""Drift rings for what drifted, and stays quiet for nights that only differ as nights do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import chi2_contingency, ks_2samp, kstwo, norm, t

from core.config.model import Columns
from core.config.triggers import DriftTrigger
from core.errors import RecordError
from monitoring.axes.axis import Axis, CategoricalAxis, NumericAxis
from monitoring.counting.column_tally import ColumnTally
from monitoring.counting.counts import Counts
from monitoring.counting.tally import Baseline, DayTally, build_baseline, count
from monitoring.counting.window import Window
from monitoring.drift.comparison import season
from monitoring.drift.report import ColumnDrift, DriftReport, drift_report

FIRST = dt.date(2013, 1, 1)
DAY = dt.timedelta(days=1)
NO_SCORES = Counts.zeros(1000, 3)
CUTS = ndtri(np.arange(1, 50) / 50)
NUMERIC = NumericAxis(form="edges", origin=0.0, scale=1.0, cuts=(-1e9, *CUTS.tolist()), low=-5.0, high=5.0)
TOWNS = CategoricalAxis(levels=("ANC", "BGR", "EYW"))
ONE_NIGHT = {"nights": (1, 1), "min_rows": 1}


def cells(axis: Axis, counts: Sequence[int] | np.ndarray, nulls: int = 0) -> ColumnTally:
    """The tally of a column from the counts of its ordinary bins."""
    padded = np.zeros(axis.size, np.int64)
    padded[: len(counts)] = counts
    padded[axis.null] += nulls
    return ColumnTally(counts=Counts(padded), outside=0, types=("double",))


def tally(number: int, columns: Mapping[str, ColumnTally], rows: int | None = None) -> DayTally:
    """The tally of the day so many days after the first."""
    counted = max((int(column.counts.array.sum()) for column in columns.values()), default=0)
    return DayTally(
        date=FIRST + number * DAY,
        rows=counted if rows is None else rows,
        duplicates=0,
        columns=dict(columns),
        scores=NO_SCORES,
        unscored=0,
        bad_labels=0,
    )


def window(days: Sequence[DayTally], end: int) -> Window:
    """The window that ends before the day so many days after the first."""
    as_of = dt.datetime.combine(FIRST + end * DAY, dt.time(2), dt.UTC)
    return Window(
        model="flights",
        version=1,
        as_of=as_of,
        start=FIRST,
        end=FIRST + end * DAY,
        days=tuple(days),
        missing=(),
        future_rows=0,
        quality=None,
    )


def judge(
    before: Sequence[DayTally], after: Sequence[DayTally], axes: Mapping[str, Axis], **config: Any
) -> DriftReport:
    """The report for days of the baseline, and days that follow them."""
    end = (after[-1].date - FIRST).days + 1
    trigger = DriftTrigger(**{**ONE_NIGHT, **config})
    return drift_report(Baseline(axes=dict(axes), days=tuple(before)), window(after, end), trigger, ())


def tonight(report: DriftReport) -> dict[str, ColumnDrift]:
    """The columns of the last night by name."""
    return {column.column: column for column in report.nights[-1].columns}


def normal_days(
    rng: np.random.Generator, effects: np.ndarray, rows: int | np.ndarray, correlation: float, first: int = 0
) -> list[DayTally]:
    """Days of standard normal columns, whose mean moves with the night by `effects` (days, columns)."""
    days = []
    for number, (means, n) in enumerate(zip(effects, np.broadcast_to(rows, len(effects)), strict=True)):
        upto = ndtr((CUTS - means[:, None]) / np.sqrt(1 - correlation))
        shares = np.diff(upto, axis=1, prepend=0, append=1)
        counts = rng.multinomial(n, shares)
        days.append(tally(first + number, {f"c{i}": cells(NUMERIC, row) for i, row in enumerate(counts)}))
    return days


def normal_axes(columns: int) -> dict[str, Axis]:
    """The axes of so many standard normal columns."""
    return {f"c{i}": NUMERIC for i in range(columns)}


def night_effects(rng: np.random.Generator, days: int, columns: int, correlation: float, serial: float) -> np.ndarray:
    """Night effects with this variance, each night resembling the one before by `serial`."""
    effects = rng.standard_normal((days, columns))
    for day in range(1, days):
        effects[day] = serial * effects[day - 1] + np.sqrt(1 - serial**2) * effects[day]
    return np.sqrt(correlation) * effects


def alarms(nights: int, correlation: float, serial: float, shift: float = 0.0, **config: Any) -> float:
    """On which share of simulated nights anything drifts: 6 columns, 60 days of baseline, 1,000 rows a day."""
    rng = np.random.default_rng(7)
    rung = 0
    for _ in range(nights):
        effects = night_effects(rng, 67, 6, correlation, serial)
        effects[60:, 0] += shift
        days = normal_days(rng, effects, 1000, correlation)
        rung += judge(days[:60], days[60:], normal_axes(6), **config).fired_nights
    return rung / nights


@pytest.mark.parametrize(("correlation", "serial"), [(0.01, 0.0), (0.01, 0.6), (0.05, 0.3), (0.0, 0.0)])
def test_ordinary_nights_ring_nothing(correlation: float, serial: float) -> None:
    """Rows that share their night, and nights that resemble their neighbours, are no drift: at most 3 of 60 ring."""
    assert 0.05 >= alarms(60, correlation, serial, min_effect=0.0)


def test_plain_p_values_ring_on_ordinary_nights() -> None:
    """What the default rule is for: taking rows as independent rings nearly every night without any drift."""
    assert 0.9 <= alarms(20, 0.01, 0.0, rule="plain", min_effect=0.0)


def test_a_shift_of_a_quarter_deviation_is_seen() -> None:
    """On nine nights of ten, through the noise of the nights."""
    assert 0.9 <= alarms(30, 0.01, 0.0, shift=0.25)


def test_days_of_unequal_size_ring_nothing() -> None:
    """Neither in the baseline nor in the window: design effects carry over to other numbers of rows."""
    rng = np.random.default_rng(3)
    rung = 0
    for _ in range(40):
        effects = night_effects(rng, 67, 6, 0.01, 0.0)
        days = normal_days(rng, effects, np.append(rng.integers(100, 3000, 60), np.full(7, 200)), 0.01)
        rung += judge(days[:60], days[60:], normal_axes(6), min_effect=0.0).fired_nights

    assert 2 >= rung


def town_days(
    rng: np.random.Generator, days: int, spread: float, shares: Sequence[float], first: int
) -> list[DayTally]:
    """Days of 500 rows, the shares of towns drawn anew each night."""
    nightly = rng.dirichlet(np.array(shares) / spread, days)
    return [tally(first + i, {"town": cells(TOWNS, rng.multinomial(500, row))}) for i, row in enumerate(nightly)]


def test_categories_are_judged_by_nights_too() -> None:
    """Towns whose share differs from night to night do not ring (plain chi-square does); new habits do."""
    rng = np.random.default_rng(5)
    usual, other = [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]
    rung = {"quiet": 0, "plain": 0, "moved": 0}
    for _ in range(40):
        before, after = town_days(rng, 60, 0.05, usual, 0), town_days(rng, 7, 0.05, usual, 60)
        moved = town_days(rng, 7, 0.05, other, 60)
        rung["quiet"] += judge(before, after, {"town": TOWNS}, min_effect=0.0).fired_nights
        rung["plain"] += judge(before, after, {"town": TOWNS}, min_effect=0.0, rule="plain").fired_nights
        rung["moved"] += judge(before, moved, {"town": TOWNS}).fired_nights

    assert 2 >= rung["quiet"]
    assert 20 <= rung["plain"]
    assert 38 <= rung["moved"]


def test_a_rare_level_that_comes_in_bursts_is_pooled() -> None:
    """What came in three nights is no sample of 150 rows: by nights it goes with another level, plainly it is its own.

    The same with nulls, which then have nothing to be tested against.
    """
    bursts = [50 if night % 10 == 0 else 0 for night in range(30)]
    before = [tally(i, {"town": cells(TOWNS, [600 - rare, 400, rare])}) for i, rare in enumerate(bursts)]
    after = [tally(30 + i, {"town": cells(TOWNS, [600, 400])}) for i in range(7)]
    merged = [tally(i, {"town": cells(TOWNS, [600 - rare, 400 + rare])}) for i, rare in enumerate(bursts)]
    nights, pooled, plain = (
        tonight(judge(days, after, {"town": TOWNS}, rule=rule))["town"]
        for days, rule in ((before, "nights"), (merged, "nights"), (before, "plain"))
    )

    assert pooled.p_value == pytest.approx(nights.p_value)
    assert 0.4 < pooled.p_value  # type: ignore[operator]
    assert chi2_contingency([[17_850, 12_000, 150], [4200, 2800, 0]]).pvalue == pytest.approx(plain.p_value)
    nulls = {
        rule: tonight(judge(missing(0, bursts), missing(30, [0] * 7), {"x": BINARY}, rule=rule))["x"].null_p_value
        for rule in ("nights", "plain")
    }
    expected = chi2_contingency([[29_850, 150], [7000, 0]], correction=False).pvalue
    assert {"nights": 1.0, "plain": pytest.approx(2 * expected)} == nulls


def test_levels_that_move_together_ring_nothing() -> None:
    """Fifty levels that swing along one line move in one direction, not in 49: 5 of 400 nights ring, not 12."""
    rng = np.random.default_rng(12)
    axis = CategoricalAxis(levels=tuple(f"{level:02}" for level in range(50)))
    rung = 0
    for _ in range(400):
        centre = np.sqrt(0.05) * rng.standard_normal((67, 1))
        shares = np.diff(ndtr((CUTS - centre) / np.sqrt(0.95)), axis=1, prepend=0, append=1)
        days = [tally(i, {"town": cells(axis, row)}) for i, row in enumerate(rng.multinomial(20_000, shares))]
        rung += judge(days[:60], days[60:], {"town": axis}, min_effect=0.0).fired_nights

    assert 5 >= rung


BINARY = NumericAxis(form="edges", origin=0.0, scale=1.0, cuts=(-1.0, 0.5), low=0.0, high=1.0)


def binary(first: int, shares: Sequence[float], rows: int = 1000) -> list[DayTally]:
    """Days on which this share of rows is 0 and the others are 1."""
    split = [round(share * rows) for share in shares]
    return [tally(first + i, {"x": cells(BINARY, [n, rows - n])}) for i, n in enumerate(split)]


CALM = binary(0, [0.5] * 30)


def test_the_effect_floor_keeps_trifles_out() -> None:
    """A difference of 0.04 is beyond doubt with 100,000 rows a day, and too small to matter by default."""
    calm, after = binary(0, [0.5] * 30, 100_000), binary(30, [0.46] * 7, 100_000)

    small = tonight(judge(calm, after, {"x": BINARY}))["x"]
    assert (False, "significant, but the effect is under the threshold of 0.05") == (small.drifted, small.note)
    assert small.p_value is not None
    assert 1e-9 > small.p_value
    assert 0.04 == pytest.approx(small.effect)
    assert tonight(judge(calm, after, {"x": BINARY}, min_effect=0.04 - 1e-9))["x"].drifted


def test_p_values_are_read_in_a_t() -> None:
    """With 30 days the noise itself is uncertain: the p-value by hand, from 7 against 30 days without night effect."""
    found = tonight(judge(CALM, binary(30, [0.48] * 7), {"x": BINARY}, min_effect=0.0))["x"]
    root = np.sqrt(7000 * 30_000 / 37_000)
    x = (root + 0.12 + 0.11 / root) * 0.02
    plain = 2 * sum((-1) ** (k - 1) * np.exp(-2 * k * k * x * x) for k in range(1, 20))

    assert 2 * t.sf(norm.isf(plain / 2), 29) == pytest.approx(found.p_value)
    assert 0.0210 == pytest.approx(plain, abs=5e-5)


def test_what_the_baseline_did_itself_is_no_drift() -> None:
    """A week like one inside the baseline stays quiet, however unlikely; one further out than that rings."""
    shares = [0.5] * 40
    shares[20:27] = [0.6] * 7
    lax = {"alpha": 0.99, "min_effect": 0.0}
    before = binary(0, shares)

    same = tonight(judge(before, binary(40, [0.59] * 7), {"x": BINARY}, **lax))["x"]
    assert (False, "significant, but no larger than for 7 consecutive days of the baseline") == (
        same.drifted,
        same.note,
    )
    assert same.own is not None
    assert same.own > same.effect
    assert tonight(judge(before, binary(40, [0.63] * 7), {"x": BINARY}, **lax))["x"].drifted


def test_the_runs_of_any_column_count() -> None:
    """How far nights may go is learnt from all columns together; but not from those that are ignored."""
    shares = [0.5] * 40
    shares[20:27] = [0.65] * 7
    restless, axes = binary(0, shares), {"x": BINARY, "y": BINARY}

    def both(one: list[DayTally], two: list[DayTally]) -> list[DayTally]:
        pairs = zip(one, two, strict=True)
        return [tally((a.date - FIRST).days, {"x": a.columns["x"], "y": b.columns["x"]}) for a, b in pairs]

    before = both(restless, binary(0, [0.5] * 40))
    after = both(binary(40, [0.5] * 7), binary(40, [0.52] * 7))
    lax = {"alpha": 0.99, "min_effect": 0.0, "correction": "none"}

    assert () == judge(before, after, axes, **lax).nights[-1].drifted
    assert ("y",) == judge(before, after, axes, **lax, ignore=("x",)).nights[-1].drifted


def test_own_runs_need_twice_the_days_of_the_window() -> None:
    """With 14 days there are no seven others beside a run and its rest: then they are not used."""
    after = binary(20, [0.5] * 7)

    assert tonight(judge(CALM[:14], after, {"x": BINARY}))["x"].own is None
    assert tonight(judge(CALM[:15], after, {"x": BINARY}))["x"].own == pytest.approx(0)


def test_own_runs_are_scaled_to_the_sizes_of_the_window() -> None:
    """A window of fewer rows strays further by chance: the runs of the baseline are drawn out to match, by hand."""
    before = binary(0, [0.49, 0.51] * 20)
    distance = 0.01 / 7 + 0.01 / 33

    for rows in (100, 1000):
        own = tonight(judge(before, binary(40, [0.5] * 7, rows), {"x": BINARY}))["x"].own
        scale = (1 / (7 * rows) + 1 / 40_000) / (1 / 7000 + 1 / 33_000)
        assert distance * np.sqrt(scale) == pytest.approx(own)


def test_under_eight_days_only_large_effects_count() -> None:
    """The noise of nights is unknown: plain p-values, an effect of 0.1 at least, and the report says so."""
    report = judge(CALM[:7], binary(30, [0.41] * 7), {"x": BINARY})
    small, large = tonight(report)["x"], tonight(judge(CALM[:7], binary(30, [0.39] * 7), {"x": BINARY}))["x"]

    assert not report.adjusted
    assert (False, True) == (small.drifted, large.drifted)
    assert "not adjusted for the variation between days" == large.note
    assert "not adjusted for the variation between days" in small.note
    for rows, adjusted in ((1, True), (0, False)):
        eight = [*CALM[:7], *binary(7, [1.0], rows)]
        assert adjusted == judge(eight, binary(30, [0.41] * 7), {"x": BINARY}).adjusted


def test_holm_is_over_the_columns_tested() -> None:
    """Two columns double the smaller p-value; an ignored one does not count; without correction nothing does."""

    def smallest(columns: Sequence[str], **config: Any) -> float:
        before = [tally(i, dict.fromkeys(columns, day.columns["x"])) for i, day in enumerate(CALM)]
        after = [
            tally(30 + i, {name: cells(BINARY, [480, 520] if name == "x" else [500, 500]) for name in columns})
            for i in range(7)
        ]
        found = tonight(judge(before, after, dict.fromkeys(columns, BINARY), **config))["x"].p_value
        assert found is not None
        return found

    alone = smallest(["x"])
    assert 2 * alone == pytest.approx(smallest(["x", "y"]))
    assert alone == pytest.approx(smallest(["x", "y"], ignore=("y",)))
    assert alone == pytest.approx(smallest(["x", "y"], correction="none"))


COLUMNS = Columns(id="id")
UTC = pa.timestamp("us", "UTC")


def rows_of(values: np.ndarray, first: int, days: int) -> pa.RecordBatch:
    """Values of a column `x`, spread evenly over days."""
    start = np.datetime64(FIRST + first * DAY, "us")
    times = start + (np.arange(len(values)) * days * 86_400_000_000 // len(values)).astype("timedelta64[us]")
    return pa.RecordBatch.from_pydict({"timestamp": pa.array(times).cast(UTC), "x": pa.array(values)})


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.3])
def test_the_plain_rule_is_that_of_scipy(shift: float) -> None:
    """From rows to p-value: the two-sample test that scipy calls asymptotic, on every value of either side."""
    rng = np.random.default_rng(11)
    old, new = rng.gamma(2, 1, 6000), rng.gamma(2, 1, 1500) + shift
    as_of = dt.datetime.combine(FIRST + 37 * DAY, dt.time(), dt.UTC)
    baseline = build_baseline([rows_of(old, 0, 30)], ["x"], [], COLUMNS, as_of)
    after = count([rows_of(new, 30, 7)], baseline.axes, COLUMNS, version=None, as_of=as_of)
    config = DriftTrigger(rule="plain", alpha=0.05, min_effect=0.0, correction="none", nights=(1, 1))
    report = drift_report(baseline, window(after, 37), config, ())
    found, expected = tonight(report)["x"], ks_2samp(old, new, method="asymp")

    assert expected.statistic == pytest.approx(found.effect, abs=0.001)
    assert expected.statistic + 1e-12 >= found.effect
    assert kstwo.sf(found.effect, 1200) == pytest.approx(found.p_value, abs=0.004)
    assert expected.pvalue == pytest.approx(found.p_value, abs=0.02)
    assert (expected.pvalue < 0.05) == found.drifted
    assert (None, False) == (found.own, report.adjusted)


def test_infinite_values_are_compared_and_nulls_are_not() -> None:
    """-inf lies below all bins and +inf above; null shares stand apart and do not change the distance."""
    before = [tally(i, {"x": cells(BINARY, [50, 50], nulls=25)}) for i in range(10)]
    odd = np.zeros(BINARY.size, np.int64)
    odd[[0, BINARY.below, BINARY.above, BINARY.null, BINARY.invalid]] = [65, 30, 5, 300, 100]
    after = [tally(10 + i, {"x": ColumnTally(counts=Counts(odd), outside=0, types=())}) for i in range(7)]
    found = tonight(judge(before, after, {"x": BINARY}))["x"]

    assert 0.45 == pytest.approx(found.effect)
    assert (0.2, 0.6) == (found.null_baseline, found.null_window)
    assert 700 == found.rows


@pytest.mark.parametrize("side", ["baseline", "window"])
@pytest.mark.parametrize("missing", ["null", "absent"])
def test_values_of_a_column_without_any_are_not_tested(side: str, missing: str) -> None:
    """Neither all null nor absent: the note says on which side, and the other columns are judged without them."""
    empty = {"x": cells(BINARY, [0, 0], nulls=100)} if missing == "null" else {}
    full = {"x": cells(BINARY, [50, 50])}
    other = {"y": cells(BINARY, [50, 50])}
    before = [tally(i, {**(empty if side == "baseline" else full), **other}) for i in range(10)]
    after = [tally(10 + i, {**(empty if side == "window" else full), **other}) for i in range(7)]
    found = tonight(judge(before, after, {"x": BINARY, "y": BINARY}))
    shares = "100.0% of the rows instead of 0.0%" if side == "window" else "0.0% of the rows instead of 100.0%"
    gone = f"; missing in {shares}" if missing == "null" else ""

    assert (None, bool(gone), f"not tested: the {side} has no values{gone}") == (
        found["x"].p_value,
        found["x"].drifted,
        found["x"].note,
    )
    assert (0.0, 0.0, ()) == (found["x"].effect, found["x"].psi, found["x"].bars)
    assert 1.0 == found["y"].p_value


@pytest.mark.parametrize(("axis", "counts"), [(BINARY, [0, 100]), (TOWNS, [100])], ids=["number", "town"])
def test_a_constant_column_does_not_drift_but_a_change_of_it_does(axis: Axis, counts: list[int]) -> None:
    """There is no variance to compare with, and none is needed."""
    before = [tally(i, {"x": cells(axis, counts)}) for i in range(20)]
    same = [tally(20 + i, {"x": cells(axis, counts)}) for i in range(7)]
    changed = [tally(20 + i, {"x": cells(axis, [0, *counts] if axis is TOWNS else counts[::-1])}) for i in range(7)]

    assert (0.0, 1.0, False) == _summary(tonight(judge(before, same, {"x": axis}))["x"])
    assert (1.0, 0.0, True) == _summary(tonight(judge(before, changed, {"x": axis}))["x"])


def _summary(column: ColumnDrift) -> tuple[float, float, bool]:
    assert column.p_value is not None
    return column.effect, round(column.p_value, 6), column.drifted


def test_unseen_categories_drift() -> None:
    """A town that the baseline never had is `other`, and as much a change as any."""
    before = [tally(i, {"town": cells(TOWNS, [50, 30, 20])}) for i in range(20)]
    after = [tally(20 + i, {"town": cells(TOWNS, [40, 24, 16, 20])}) for i in range(7)]
    found = tonight(judge(before, after, {"town": TOWNS}))["town"]

    assert found.drifted
    assert 0.2 == pytest.approx(found.effect)
    assert ["ANC", "BGR", "EYW", "(other)"] == [bar.label for bar in found.bars]


def test_days_without_rows_do_not_count() -> None:
    """Empty days in the baseline, missing days in the window: both are as if they were not there."""
    gaps = [*CALM[:15], *(tally(i, {}, 0) for i in range(15, 20)), *(tally(20 + i, CALM[i].columns) for i in range(15))]
    after = binary(40, [0.47] * 7)

    full, holes = judge(CALM, after, {"x": BINARY}), judge(gaps, after, {"x": BINARY})
    assert full == holes
    assert 4000 == judge(CALM, [after[0], *after[4:]], {"x": BINARY}).nights[-1].rows


def test_left_out_days_are_not_looked_at() -> None:
    """A day that quality checks found broken plays no part."""
    after = [*binary(30, [0.5] * 6), *binary(36, [0.0])]
    baseline = Baseline(axes={"x": BINARY}, days=tuple(CALM))
    config = DriftTrigger(nights=(1, 1))

    assert ("x",) == drift_report(baseline, window(after, 37), config, ()).nights[-1].drifted
    left = drift_report(baseline, window(after, 37), config, {FIRST + 36 * DAY}).nights[-1]
    assert ((), 6000) == (left.drifted, left.rows)


def test_too_few_rows_cannot_be_judged() -> None:
    """Such a night has no columns, and does not count as one that fired."""
    after = binary(30, [0.0] * 7, rows=10)

    night = judge(CALM, after, {"x": BINARY}, min_rows=71).nights[-1]
    assert (70, (), ()) == (night.rows, night.drifted, night.columns)
    assert ("x",) == judge(CALM, after, {"x": BINARY}, min_rows=70).nights[-1].drifted


def test_nights_are_counted_from_the_oldest() -> None:
    """After two days of change, the last two of three one-day windows fire."""
    after = binary(30, [0.5, 0.5, 0.5, 0.2, 0.2])
    report = judge(CALM, after, {"x": BINARY}, nights=(2, 3), window_days=1)

    assert [FIRST + i * DAY for i in (33, 34, 35)] == [night.end for night in report.nights]
    assert [(), ("x",), ("x",)] == [night.drifted for night in report.nights]
    assert 2 == report.fired_nights
    assert [0, 0, 2] == [len(night.columns[0].bars) for night in report.nights]


def test_a_night_fires_when_enough_columns_drift() -> None:
    """`min_columns` of one night, not over nights."""
    before = [tally(i, dict.fromkeys("xy", CALM[i].columns["x"])) for i in range(30)]
    after = [tally(30 + i, {"x": cells(BINARY, [200, 800]), "y": cells(BINARY, [500, 500])}) for i in range(9)]
    axes = {"x": BINARY, "y": BINARY}

    assert 3 == judge(before, after, axes, nights=(2, 3)).fired_nights
    assert 0 == judge(before, after, axes, nights=(2, 3), min_columns=2).fired_nights


def test_ignored_columns_are_measured_and_not_tested() -> None:
    """The reader still sees how far the weather is from January's."""
    found = tonight(judge(CALM, binary(30, [0.1] * 7), {"x": BINARY}, ignore=("x",)))["x"]

    assert (True, False, None, "not tested: ignored by triggers.drift.ignore") == (
        found.ignored,
        found.drifted,
        found.p_value,
        found.note,
    )
    assert 0.4 == pytest.approx(found.effect)
    assert 0.8788898 == pytest.approx(found.psi)


def test_pictures_have_few_bars_that_sum_to_one() -> None:
    """Ten groups of equal weight for numbers, twenty at most for categories."""
    many = CategoricalAxis(levels=tuple(f"{i:03}" for i in range(200)))
    rng = np.random.default_rng(1)
    before = normal_days(rng, np.zeros((10, 1)), 5000, 0.0)
    before = [tally(i, {**d.columns, "y": cells(many, rng.integers(0, 9, 200))}) for i, d in enumerate(before)]
    after = [tally(10 + i, day.columns) for i, day in enumerate(before[:7])]
    found = tonight(judge(before, after, {"c0": NUMERIC, "y": many}))

    assert (10, 20) == (len(found["c0"].bars), len(found["y"].bars))
    for column in found.values():
        assert 1.0 == pytest.approx(sum(bar.baseline for bar in column.bars))
        assert 1.0 == pytest.approx(sum(bar.window for bar in column.bars))
    assert all(0.08 <= bar.baseline <= 0.12 for bar in found["c0"].bars)


def test_a_report_survives_its_json() -> None:
    """It is part of the decision that travels between jobs."""
    report = judge(CALM, binary(30, [0.4] * 9), {"x": BINARY}, nights=(2, 3))

    assert report == DriftReport.from_json(report.to_json())


def test_a_window_of_another_baseline_is_refused() -> None:
    """Its cells mean other values: comparing them would be nonsense."""
    with pytest.raises(RecordError, match="'x' was not counted into the 6 cells"):
        judge(CALM, [tally(30, {"x": cells(TOWNS, [500, 500])})], {"x": BINARY})


def missing(first: int, nulls: Sequence[int], rows: int = 1000, values: Sequence[int] = (1, 1)) -> list[DayTally]:
    """Days on which so many rows have no value, and the others are 0 and 1 in these proportions."""
    days = []
    for number, none in enumerate(nulls):
        zeros = (rows - none) * values[0] // sum(values)
        days.append(tally(first + number, {"x": cells(BINARY, [zeros, rows - none - zeros], nulls=none)}))
    return days


def test_nulls_are_tested_as_two_proportions() -> None:
    """On even nights the p-value is that of the pooled test by hand, read in a t, and doubled for two tests.

    Where nulls are only shown, the two kinds of tests do not cost each other power.
    """
    before, after = missing(0, [100] * 30), missing(30, [112] * 7)
    found = tonight(judge(before, after, {"x": BINARY}, min_effect=0.0))["x"]
    pooled = (3000 + 784) / 37_000
    z = 0.012 / np.sqrt(pooled * (1 - pooled) * (1 / 30_000 + 1 / 7000))

    assert 2 * 2 * t.sf(z, 29) == pytest.approx(found.null_p_value)
    shown = tonight(judge(before, after, {"x": BINARY}, min_effect=0.0, nulls="show"))["x"]
    assert 2 * t.sf(z, 29) == pytest.approx(shown.null_p_value)
    assert (0.1, 0.112) == pytest.approx((found.null_baseline, found.null_window))
    assert 1.0 == found.p_value


def test_more_nulls_make_a_column_drift() -> None:
    """Six points more are over the floor and fire; four are not; with `nulls = "show"` neither counts."""
    before = missing(0, [100] * 30)
    more, few = missing(30, [160] * 7), missing(30, [140] * 7)

    found = tonight(judge(before, more, {"x": BINARY}))["x"]
    assert (True, True, "missing in 16.0% of the rows instead of 10.0%") == (
        found.drifted,
        found.null_drifted,
        found.note,
    )
    assert not tonight(judge(before, few, {"x": BINARY}))["x"].drifted
    shown = tonight(judge(before, more, {"x": BINARY}, nulls="show"))["x"]
    assert (False, True) == (shown.drifted, shown.null_drifted)
    assert "missing in 16.0% of the rows instead of 10.0% (shown only: triggers.drift.nulls)" == shown.note


def test_nulls_are_judged_by_nights_too() -> None:
    """Where the share of nulls differs from night to night, a week of many is no news; plain proportions ring."""
    rng = np.random.default_rng(8)
    rung = {"nights": 0, "plain": 0}
    for _ in range(40):
        shares = rng.beta(5, 45, 67) * 1000
        days = missing(0, [round(share) for share in shares])
        for rule in rung:
            report = judge(days[:60], days[60:], {"x": BINARY}, min_effect=0.0, rule=rule)
            rung[rule] += tonight(report)["x"].null_drifted

    assert 1 >= rung["nights"]
    assert 15 <= rung["plain"]


def test_an_outage_in_the_baseline_excuses_only_its_own_column() -> None:
    """A night without values of one column says nothing about nulls of another, nor about values."""
    quiet, noisy = missing(0, [100] * 30), missing(0, [100] * 15 + [1000] + [100] * 14)
    before = [
        tally(i, {"x": a.columns["x"], "y": b.columns["x"]}) for i, (a, b) in enumerate(zip(quiet, noisy, strict=True))
    ]
    after = [tally(30 + i, dict.fromkeys("xy", day.columns["x"])) for i, day in enumerate(missing(30, [160] * 7))]

    found = tonight(judge(before, after, {"x": BINARY, "y": BINARY}))
    assert (True, False) == (found["x"].drifted, found["y"].drifted)


YEAR = [0.5 + 0.3 * np.cos(2 * np.pi * day / 364) for day in range(420)]


def test_a_seasonal_column_is_held_against_last_year() -> None:
    """In a week of winter the mean of a year is far off, last winter is not; a warm winter drifts."""
    before = binary(0, YEAR[:400])
    winter, warm = binary(400, YEAR[400:407]), binary(400, [0.45] * 7)

    assert tonight(judge(before, winter, {"x": BINARY}))["x"].effect > 0.15
    calm = tonight(judge(before, winter, {"x": BINARY}, seasonal_columns=("x",)))["x"]
    assert (False, False, 0.02) == (calm.drifted, calm.ignored, pytest.approx(calm.effect, abs=0.02))
    assert tonight(judge(before, warm, {"x": BINARY}, seasonal_columns=("x",)))["x"].drifted


def test_without_last_year_a_seasonal_column_cannot_be_judged() -> None:
    """It is measured against all that is known, does not fire, and says how much is missing."""
    found = tonight(judge(CALM, binary(30, [0.1] * 7), {"x": BINARY}, seasonal_columns=("x",)))["x"]

    assert (False, True, None) == (found.drifted, found.ignored, found.p_value)
    assert "cannot judge the season: 37 days of history, 385 needed" == found.note
    assert 0.4 == pytest.approx(found.effect)
    before = binary(0, [0.5] * 400)
    assert tonight(judge(before[22:], binary(400, [0.1] * 7), {"x": BINARY}, seasonal_columns=("x",)))["x"].drifted
    assert not tonight(judge(before[23:], binary(400, [0.1] * 7), {"x": BINARY}, seasonal_columns=("x",)))["x"].drifted


def test_the_season_has_the_same_days_of_the_week() -> None:
    """52 weeks ago, with two weeks on either side: 35 days for a window of 7."""
    first, last = season(FIRST + 400 * DAY, 7)

    assert 35 == (last - first).days
    assert FIRST + (400 - 7 - 364 - 14) * DAY == first
    assert first.weekday() == (FIRST + (400 - 7) * DAY).weekday()
