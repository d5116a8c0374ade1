"""Small damage is named, and what days explain is not."""

from __future__ import annotations

import numpy as np
import pytest

from bench.damage import DAMAGE, damaged, named
from bench.flights import shuffled, year
from bench.nights import AXES, NUMBERS, Setting, nights, seen, simulated
from core.config import DriftTrigger
from monitoring.counting import ColumnTally, Counts, DayTally
from monitoring.drift import ColumnDamage, damage_report

CONFIG = DriftTrigger()
SETTING = Setting(1000, 0.01)


def history(seed: int = 1) -> tuple[DayTally, ...]:
    """Return 67 days without damage."""
    return nights(np.random.default_rng(seed), SETTING)


def report(days: tuple[DayTally, ...], **config: object) -> tuple[ColumnDamage, ...] | None:
    """Return the damage of the last seven days."""
    baseline, window = seen(days, AXES)
    return damage_report(baseline, window, CONFIG.model_copy(update=config), ())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        ("nulls 0% to 3%", "null"),
        ("a wrong unit (x 1,000)", "out of range"),
        ("text in a column of numbers", "not a number"),
        ("a new category", "new"),
        ("a sensor that repeats a value", "repeated"),
    ],
)
def test_damage_on_three_rows_in_a_hundred_is_named(damage: str, kind: str, seed: int) -> None:
    """After seven days the column and the kind of damage are named, and nothing else."""
    days = damaged(history(seed), damage, 7, np.random.default_rng(seed))
    found = report(days)

    assert found is not None
    assert [(DAMAGE[damage][0], kind)] == [(item.column, item.kind) for item in found]
    assert 0.02 < found[0].share < 0.06
    assert found[0].largest < 0.02


@pytest.mark.parametrize(
    "setting", [Setting(1000), Setting(1000, 0.02, serial=0.5), Setting(50, 0.02), Setting(1000, 0.01, shift=0.5)]
)
def test_days_that_differ_as_days_do_are_not_damage(setting: Setting) -> None:
    """Correlated days, few rows, and a column that drifts as a whole: nothing is named in 10 histories."""
    assert [set()] * 10 == [named(days) for days in simulated(setting, 10, 3)]


def test_real_days_in_random_order_are_not_damage() -> None:
    """Real flights share the weather of an hour, and stations fail for a day: nothing is named in 10 draws."""
    assert [set()] * 10 == [named(days, year().axes) for days in shuffled(10, 3)]


def test_a_burst_on_three_days_is_not_damage() -> None:
    """The median of seven days decides, so that a failure of three days is left to the checks of the night."""
    days = damaged(history(), "nulls 0% to 3%", 3, np.random.default_rng(1))

    assert () == report(days)


def test_what_is_ignored_or_seasonal_is_left_out() -> None:
    """Columns that the drift trigger does not test are not compared here either."""
    days = damaged(history(), "nulls 0% to 3%", 7, np.random.default_rng(1))

    assert () == report(days, ignore=("n00",)) == report(days, seasonal_columns=("n00",))


def test_too_few_days_or_rows_cannot_be_judged() -> None:
    """Seven days of baseline, or fewer rows than the trigger needs, give no report."""
    days = history()
    baseline, window = seen(days, AXES)
    short = baseline.model_copy(update={"days": baseline.days[-7:]})

    assert damage_report(short, window, CONFIG, ()) is None
    assert report(days, min_rows=7001) is None
    assert report(days, min_rows=7000) == ()


def test_days_that_are_left_out_do_not_count() -> None:
    """Damage on four days is named, and not if one of these days was broken."""
    days = damaged(history(), "nulls 0% to 3%", 4, np.random.default_rng(1))
    baseline, window = seen(days, AXES)

    assert ["n00"] == [item.column for item in damage_report(baseline, window, CONFIG, ()) or ()]
    assert () == damage_report(baseline, window, CONFIG, {window.days[-1].date})


def test_the_largest_increase_comes_first() -> None:
    """Two damaged columns are ordered by how far they are above the baseline's largest share."""
    rng = np.random.default_rng(1)
    days = damaged(damaged(history(), "nulls 0% to 3%", 7, rng), "a new category", 7, rng)
    worse = [
        day.model_copy(update={"columns": {**day.columns, "n00": _nulls(day.columns["n00"])}}) for day in days[-7:]
    ]

    assert ["n00", "dozen"] == [item.column for item in report((*days[:-7], *worse)) or ()]


def _nulls(tally: ColumnTally) -> ColumnTally:
    """Return a column in which a tenth of the rows became null."""
    cells = tally.counts.array
    taken = cells // 10
    cells = cells - taken
    cells[NUMBERS.null] += taken.sum()
    return tally.model_copy(update={"counts": Counts(cells)})
