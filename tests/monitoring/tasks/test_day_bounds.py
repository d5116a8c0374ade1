from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from monitoring.tasks import Binary, Multiclass, Regression, Task
from monitoring.tasks.day_bounds import day_bounds, independent_precision, share_limits
from monitoring.tasks.day_spread import MIN_DAYS, DaySpread, day_spread, errors_away, pool, spread_of_sums
from monitoring.tasks.influence import influence, row_influence
from monitoring.tasks.intervals import wilson
from monitoring.tasks.paired_bounds import MIN_PAIRED_POSITIVES, PairedRows, paired_bounds, slice_bounds
from monitoring.tasks.tail_probabilities import student_quantile

BINARY = Binary()
CASES: list[tuple[Task, str]] = [
    *((BINARY, metric) for metric in BINARY.metrics),
    *((Multiclass(("a", "b", "c")), metric) for metric in Multiclass.metrics),
    *((Regression(0.0, 10.0), metric) for metric in Regression.metrics),
]


def rows_of(task: Task, rows: int, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Labels and scores that a task can count."""
    rng = np.random.default_rng(seed)
    if isinstance(task, Binary):
        labels = (rng.random(rows) < 0.3) * 1.0
        return labels, 1 / (1 + np.exp(-rng.normal(size=rows) - labels + 0.5))
    if isinstance(task, Multiclass):
        labels = rng.integers(3, size=rows) * 1.0
        return labels, np.where(rng.random(rows) < 0.6, labels, rng.integers(3, size=rows))
    labels = rng.uniform(2, 8, rows)
    return labels, labels + rng.normal(size=rows)


def week(rates: list[float], rows: int) -> NDArray[np.int64]:
    """Days of binary counts, half of either class, right at these rates."""
    days = np.zeros((len(rates), 1000, 2), np.int64)
    for day, rate in zip(days, rates, strict=True):
        right = round(rate * rows / 2)
        day[250, 0] = day[750, 1] = right
        day[750, 0] = day[250, 1] = rows // 2 - right
    return days


@pytest.mark.parametrize(("task", "metric"), CASES)
def test_influence_is_the_derivative_of_the_metric(task: Task, metric: str) -> None:
    """The influence of any rows together is the change of the metric when they count a little more."""
    labels, scores = rows_of(task, 400, 1)
    known, some = task.counted(labels, scores), np.arange(400) < 90
    part = task.counted(labels[some], scores[some])
    slope = float(task.evaluate(metric, known + 1e-4 * part) - task.evaluate(metric, known - 1e-4 * part)) / 2e-4
    rows = row_influence(task, metric, known, labels, scores)

    assert slope == pytest.approx(float((influence(task, metric, known) * part).sum()), rel=1e-4, abs=1e-8)
    assert slope == pytest.approx(float(rows[some].sum()), rel=1e-4, abs=1e-8)
    assert float(rows.sum()) == pytest.approx(0, abs=1e-6)


def test_bounds_of_equal_days_are_those_of_a_t_test_of_the_days() -> None:
    """With days of equal size the standard error is that of the mean of the days, and t has days - 1 degrees."""
    rates = [0.6, 0.7, 0.8, 0.74, 0.66, 0.78, 0.72]
    found = day_bounds(BINARY, "accuracy", week(rates, 1000), 0.95, 1)
    error = float(np.std(rates, ddof=1)) / math.sqrt(7)
    value = float(np.mean(rates))
    t = float(stats.t.ppf(0.95, found.freedom))

    assert (value, True, 7) == (pytest.approx(found.value), found.adjusted, found.days)
    assert found.freedom == pytest.approx(6, abs=0.2)
    expected = share_limits(value, value * (1 - value) / error**2, t)
    assert expected == pytest.approx((found.low, found.high), abs=2e-3)
    assert found.value - found.low == pytest.approx(t * error, rel=0.1)


@pytest.mark.parametrize(("task", "metric"), CASES)
def test_no_bound_is_narrower_than_by_rows(task: Task, metric: str) -> None:
    """The interval by rows is inside the interval by days, whatever the days say."""
    for seed in range(3):
        labels, scores = rows_of(task, 350, seed)
        days = np.stack([task.counted(labels[i::7], scores[i::7]) for i in range(7)])
        found = day_bounds(task, metric, days, 0.95, 1)
        low, high = task.interval(metric, days.sum(axis=0), 0.95, 1)
        slack = 0.004 if metric in {"roc_auc", "average_precision"} else 1e-12

        assert found.low <= low + slack
        assert found.high >= high - slack


def test_earlier_days_give_a_narrower_bound_with_more_freedom() -> None:
    """30 earlier days that vary alike raise the degrees of freedom from 6 to about 35, so the bound is narrower."""
    rng = np.random.default_rng(3)
    days = week(list(rng.normal(0.75, 0.04, 37)), 1000)
    alone = day_bounds(BINARY, "accuracy", days[:7], 0.95, 1)
    learned = day_bounds(BINARY, "accuracy", days[:7], 0.95, 1, [day_spread(BINARY, "accuracy", days[7:])])

    assert 35 == pytest.approx(learned.freedom, abs=1)
    assert alone.value == learned.value
    assert (alone.high - alone.low) / math.sqrt(alone.design_effect) > (learned.high - learned.low) / math.sqrt(
        learned.design_effect
    )


def test_the_level_of_earlier_days_does_not_count() -> None:
    """Earlier days at another level of the metric teach how much days vary, not which value is right."""
    now, rates = week([0.70, 0.72, 0.68, 0.71, 0.69, 0.73, 0.67], 1000), np.array([0.02, -0.02, 0.01, -0.01, 0.0] * 6)
    high, low = (week(list(level + rates), 1000) for level in (0.8, 0.6))
    found = [
        day_bounds(BINARY, "accuracy", now, 0.95, 1, [day_spread(BINARY, "accuracy", earlier)])
        for earlier in (high, low)
    ]

    assert found[0].high == pytest.approx(found[1].high, abs=0.005)


def test_few_days_are_not_adjusted() -> None:
    """Under five days the bounds are Wilson's, and the result says that they are not adjusted for days."""
    days = week([0.5, 0.9, 0.6, 0.8], 200)
    found = day_bounds(BINARY, "accuracy", days, 0.95, 1)

    assert MIN_DAYS > found.days
    assert not found.adjusted
    assert wilson(560, 800, 0.95) == pytest.approx((found.low, found.high), abs=1e-9)
    assert day_bounds(BINARY, "accuracy", days, 0.95, 1, [day_spread(BINARY, "accuracy", days)]).adjusted


def test_few_positives_cannot_be_judged() -> None:
    """With 9 positives a ranking has a value and no bounds; with 10 it has both."""
    rng = np.random.default_rng(5)
    for positives in (9, 10):
        labels = (np.arange(210) < positives) * 1.0
        scores = rng.random(210)
        days = np.stack([BINARY.counted(labels[i::7], scores[i::7]) for i in range(7)])
        found = day_bounds(BINARY, "roc_auc", days, 0.95, 1)

        assert not math.isnan(found.value)
        assert ("few_positives" if positives == 9 else None) == found.missing
        assert math.isnan(found.low) == (positives == 9)


def test_without_rows_nothing_is_defined() -> None:
    """Days without rows give no value, and the reason is that the metric is undefined."""
    found = day_bounds(BINARY, "accuracy", np.zeros((7, 1000, 2), np.int64), 0.95, 1)

    assert ("undefined", 0) == (found.missing, found.days)
    assert math.isnan(found.value)


def test_even_confidence_is_the_value() -> None:
    """At confidence 0.5 both bounds are the value."""
    found = day_bounds(BINARY, "accuracy", week([0.7, 0.8] * 4, 100), 0.5, 1)

    assert (0.75, 0.75, 0.75) == (found.value, found.low, found.high)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.995])
@pytest.mark.parametrize("freedom", [1.0, 5.5, 35.0, math.inf])
def test_quantiles_are_those_of_scipy(confidence: float, freedom: float) -> None:
    """Student's t by bisection agrees with scipy to six digits, and infinite freedom is a normal."""
    expected = stats.norm.ppf(confidence) if math.isinf(freedom) else stats.t.ppf(confidence, freedom)

    assert expected == pytest.approx(student_quantile(confidence, freedom), rel=1e-5)


def test_shares_of_effective_rows_are_wilsons() -> None:
    """Share limits with a normal quantile and all rows are Wilson's."""
    z = float(stats.norm.ppf(0.95))

    assert wilson(81, 263, 0.95) == pytest.approx(share_limits(81 / 263, 263, z))


def test_a_day_with_most_of_the_variance_leaves_little_freedom() -> None:
    """Freedom is that of the effective number of days: 1 over the sum of squared shares, less 1."""
    flat, steep = np.ones(7), np.array([20.0, *[1.0] * 6])
    found = [spread_of_sums(np.ones(7), squares, squares, np.full(7, 10.0)) for squares in (flat, steep)]

    assert 6 == pytest.approx(found[0].freedom)
    assert 26**2 / (400 + 6) - 1 == pytest.approx(found[1].freedom)


def test_a_design_effect_is_carried_over_to_other_day_sizes() -> None:
    """A correlation of 0.02 is a design effect of 2.98 at 100 rows a day and of 20.98 at 1,000."""
    own, earlier = DaySpread(1.0, 1.0, 0.0, 1000.0, 7), DaySpread(1.0, 1 + 0.02 * 99, 29.0, 100.0, 30)

    assert (pytest.approx(1 + 0.02 * 999), 29.0) == pool(own, [earlier])[1:3]


def test_by_rows_is_the_least_that_counts() -> None:
    """A design effect below 1 is chance, so the bound is as far away as for independent rows."""
    assert student_quantile(0.95, math.inf) == errors_away(0.95, 0.5, 6.0, math.inf)
    assert 2 * student_quantile(0.95, 6.0) == errors_away(0.95, 4.0, 6.0, math.inf)
    assert student_quantile(0.95, 3.0) == errors_away(0.95, 1.0, 0.0, 4.0)


def test_a_positive_does_not_count_for_its_own_precision() -> None:
    """One positive above one negative: average precision is 1, and without its own row nothing is known to be above."""
    known = np.zeros((1000, 2), np.int64)
    known[900, 1], known[800, 1], known[850, 0] = 1, 1, 1

    assert 0 < independent_precision(known) < float(BINARY.evaluate("average_precision", known))


def pair(rows: int, days: int, seed: int, loss: float = 0.0, positives: float = 0.5) -> PairedRows:
    """Two models that decide 20 % of the rows differently; the challenger loses `loss` of them more."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(rows) < positives) * 1
    differ, won = rng.random(rows) < 0.2, rng.random(rows) < 0.5 - loss / 0.4
    sides = (np.where(np.where(differ, right, True), labels, 1 - labels) * 0.5 + 0.25 for right in (~won, won))
    return PairedRows(labels, *sides, np.arange(rows) % days)


def test_a_paired_difference_by_day_is_a_t_test_of_the_days() -> None:
    """With days of equal size the bounds are the mean difference, and t with days - 1 times its standard error."""
    rows = pair(4900, 7, 4)
    rng = np.random.default_rng(2)
    for day, luck in enumerate(rng.normal(0, 0.1, 7)):
        here = np.flatnonzero(rows.days == day)[: int(700 * abs(luck))]
        rows.challenger[here] = np.where(rows.labels[here] == (luck > 0), 0.75, 0.25)
    found = paired_bounds(BINARY, "accuracy", rows, confidence=0.95, seed=1)
    right = [(side >= 0.5) == (rows.labels == 1) for side in (rows.champion, rows.challenger)]
    by_day = [float((right[1] * 1.0 - right[0])[rows.days == day].mean()) for day in range(7)]
    reach = float(stats.t.ppf(0.95, 6)) * float(np.std(by_day, ddof=1)) / math.sqrt(7)

    assert np.mean(by_day) == pytest.approx(found.value)
    assert found.value - found.low == pytest.approx(reach, rel=0.1)
    assert found.high - found.value == pytest.approx(reach, rel=0.1)


@pytest.mark.parametrize(("task", "metric"), CASES)
def test_a_paired_bound_is_not_narrower_than_by_rows(task: Task, metric: str) -> None:
    """The paired interval by rows is inside the paired interval by days, for every metric of every task."""
    labels, one = rows_of(task, 600, 3)
    _, other = rows_of(task, 600, 3)
    other[::5] = np.roll(other, 1)[::5]
    rows = PairedRows(labels, one, other, np.arange(600) % 10)
    found = paired_bounds(task, metric, rows, confidence=0.95, seed=1)
    _, low, high = task.paired_difference(metric, labels, one, other, confidence=0.95, seed=1)
    slack = 0.004 if metric in {"roc_auc", "average_precision"} else 1e-12

    assert found.low <= low + slack
    assert found.high >= high - slack


def test_a_comparison_needs_positives() -> None:
    """Under 20 positives there is a difference without bounds; accuracy needs none."""
    rows = pair(400, 10, 1, positives=0.02)

    assert MIN_PAIRED_POSITIVES > rows.labels.sum()
    assert "few_positives" == paired_bounds(BINARY, "balanced_accuracy", rows, confidence=0.95, seed=1).missing
    assert paired_bounds(BINARY, "accuracy", rows, confidence=0.95, seed=1).missing is None


def test_slices_share_one_error() -> None:
    """Of three slices with rows enough each bound has confidence 1 - 0.05 / 3; one without positives is not judged."""
    rows = pair(1200, 10, 2)
    places = {str(i): np.flatnonzero(np.arange(1200) % 3 == i) for i in range(3)}
    places["tiny"] = np.flatnonzero(rows.labels == 0)[:30]
    found = slice_bounds(BINARY, "balanced_accuracy", rows, places, margin=0.1, confidence=0.95, seed=1)

    assert 1 - 0.05 / 3 == pytest.approx(found["0"].confidence)
    assert found["tiny"].bounds.missing is not None
    assert not any(one.harmed for one in found.values())


def test_harm_is_a_loss_beyond_the_margin_that_is_shown() -> None:
    """A loss of 0.2 on 600 rows is harm; the same loss within a margin of 0.25 is not."""
    rows = pair(600, 10, 2)
    hurt = np.arange(600) % 4 == 0
    rows.challenger[hurt] = 1 - rows.labels[hurt]
    places = {"all": np.arange(600)}

    for margin, harmed in ((0.1, True), (0.5, False)):
        found = slice_bounds(BINARY, "balanced_accuracy", rows, places, margin=margin, confidence=0.95, seed=1)
        assert harmed == found["all"].harmed
        assert found["all"].bounds.high < 0
