"""A reviewer reads models that name a class or say a number as easily as those that give a chance."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import wording
from core.config.metrics import METRICS
from core.replay_result import Alarms, PolicyResult, ReplayResult
from review import alerts, pull_request
from review.pages import event_lines, report, site, timeline
from review.pull_request import charts, promotion_check, replay_comment
from review.text import VerdictView, numbers, scales
from tests.review.browser import chromium, measured
from tests.review.conftest import NIGHT
from tests.review.pages.test_report import Page
from tests.review.pages.test_site import version
from tests.review.pull_request.test_body import HOSTILE, skeleton
from tests.review.tasks import MAE, multiclass, regression
from training.gates.validate import Verdict

UNITS = [1e-5, 1.0, 12345.678]
CAUTION = "Errors are negated: higher is better, and 0 is perfect."
Make = Callable[[float], Verdict]


def nights(events: list[Any], unit: float) -> list[Any]:
    """The life of a model whose errors are multiples of `unit`, from one whose scores are shares."""
    for event in events:
        told = {name: value for name, value in event.metrics.items() if name.startswith("performance")}
        event.metrics = event.metrics | {name: 200 * unit * (value - 1.15) for name, value in told.items()}
    return events


def test_every_metric_has_a_name() -> None:
    """No name has an underscore or a prefix, no two are equal, and an error says that it is negated."""
    names = {key: wording.metric(key) for keys in METRICS.values() for key in keys}

    assert len(names) == len(set(names.values()))
    assert not any("_" in name or name.startswith("neg ") for name in names.values())
    assert ("R²", "mean absolute error (negated)") == (names["r2"], names[MAE])


@pytest.mark.parametrize(
    ("metric", "value", "shown"),
    [
        (MAE, -1234.567, "\u22121,235"),
        (MAE, -101.62, "\u2212101.6"),
        (MAE, -0.00042, "\u22120.0004200"),
        (MAE, -0.0, "0.000"),
        (MAE, None, "\u2013"),
        (MAE, math.nan, "\u2013"),
        ("r2", -1.5, "\u22121.500"),
        ("f1_macro", 0.6123, "0.612"),
    ],
)
def test_a_figure_has_the_digits_that_its_unit_asks_for(metric: str, value: float | None, shown: str) -> None:
    """Shares have three digits after the point; errors, whose unit may be any, four in all."""
    assert shown == numbers.figure(metric, value)


@given(st.floats(1e-5, 1e9), st.sampled_from([1, -1]))
def test_an_error_is_told_to_a_thousandth(size: float, sign: int) -> None:
    """Whatever the unit, a figure is at most 0.05 % off, a difference 0.5 %; sentences say the same as pages."""
    value = size * sign
    pairs = [(wording.figure, numbers.figure, 5e-4), (wording.change, numbers.change, 5e-3)]

    for sentence, page, off in pairs:
        text = sentence(MAE, value)
        assert float(text.replace(",", "")) == pytest.approx(value, rel=1.001 * off)
        assert text == page(MAE, value).replace("\u2212", "-")


@pytest.mark.parametrize("unit", UNITS)
def test_a_regression_is_told_in_its_unit(verdict: Verdict, unit: float) -> None:
    """Title, first line, readings, comparison, gates and slices show the errors, each in one form only."""
    made = regression(verdict, unit)
    body, title = pull_request.render_body(made), pull_request.title(made)
    values, differences = (-101.6, -102.4, -106.0, -104.4, -120.0, -104.5, -108.0), (0.8, -0.1, 1.7, -0.5, -3.5, -20.0)
    told = [numbers.figure(MAE, value * unit) for value in values]
    ours, theirs, limit, seen, floor, before, after = told
    changes = [numbers.change(MAE, value * unit) for value in differences]
    gain, low, high, allowed, lost, margin = changes
    drop = wording.change(MAE, 5 * unit).removeprefix("+")

    assert f"Promote flights version 4: mean absolute error (negated) {ours}, champion {theirs}" == title
    assert (
        f"{gain} (interval {low} to {high}); the gate requires a lower end of at least {allowed}."
        in body.splitlines()[0]
    )
    assert f" minus {drop}). | {seen} | {limit} |" in body
    assert f"| **mean absolute error (negated)** | {theirs} | {ours} | **{gain}** | {low} to {high} |" in body
    assert "| R² | \u2013 | 0.834 | \u2013 | 0.810 to 0.851 |" in body
    said = [wording.change(MAE, value * unit) for value in differences]
    assert (
        f"The difference is {said[0]} and, with 95% confidence, at least {said[1]}. "
        f"The gate requires at least {said[3]}. | {low} | {allowed} |" in body
    )
    assert f"The gate requires at least {wording.figure(MAE, -120.0 * unit)}. | {ours} | {floor} |" in body
    assert f" {said[4]} compared with the champion on this slice and, with 99% confidence, at most " in body
    assert f"The gate blocks under {said[5]} if this bound is under 0. | {lost} | {margin} |" in body
    assert f"| {before} | {after} | {lost} |" in body


@pytest.mark.parametrize(("make", "told"), [(regression, 1), (multiclass, 0)])
def test_what_negated_means_is_said_once(verdict: Verdict, make: Make, told: int) -> None:
    """Every text that a person decides by says it where the main metric is an error, and nowhere else."""
    made = make(verdict)  # type: ignore[arg-type]
    texts = [pull_request.render_body(made), report.render_report(made), alerts.refused(made, None, None).body]

    assert [told] * 3 == [text.count(CAUTION) for text in texts]
    unjudged = made.model_copy(update={"scores": (), "comparison": None})
    assert told == pull_request.render_body(unjudged).count(CAUTION)


@pytest.mark.parametrize("make", [regression, multiclass])
def test_all_evidence_of_any_task_is_shown(verdict: Verdict, events: list[Any], make: Make) -> None:
    """Pull request and report have every metric and the drift of the target, and no Python in their words."""
    made = make(verdict)  # type: ignore[arg-type]
    for text in (pull_request.render_body(made), Page(report.render_report(made, events)).text):
        assert [] == [one.metric for one in made.scores if wording.metric(one.metric) not in text]
        assert "The labels of 1,391 rows from 23 May to 29 May 2013 differ from the holdout labels by 0.182" in text
        assert not re.search(r"\b(?:None|nan|neg|inf)\b|e-\d", re.sub(r"%%\{init.*?\}%%", "", text))


def test_a_multiclass_verdict_reads_as_a_binary_one(verdict: Verdict) -> None:
    """Metrics of several classes are shares: three digits, their names as words."""
    made = multiclass(verdict)

    assert "Promote flights version 4: f1 macro 0.571, champion 0.560" == pull_request.title(made)
    assert "| **f1 macro** | 0.560 | 0.571 | **+0.011** | \u22120.004 to +0.026 |" in pull_request.render_body(made)


@given(name=st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=128)))
@settings(max_examples=30, deadline=None)
def test_text_of_rows_stays_text_in_any_task(verdict: Verdict, name: str) -> None:
    """A class, or a category that looks like markup, adds no block, cell, link or tag."""
    made, quiet = (multiclass(verdict, ("x" + text,)) for text in (name, "x"))

    assert skeleton(pull_request.render_body(quiet)) == skeleton(pull_request.render_body(made))
    shapes = [[(tag, tuple(a)) for tag, a in Page(report.render_report(one)).tags] for one in (made, quiet)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("unit", UNITS)
def test_axes_take_their_range_from_the_errors(verdict: Verdict, events: list[Any], unit: float) -> None:
    """In any unit errors lie at the same places of pictures; what has no unit has an axis of its own."""
    made = regression(verdict, unit)
    groups = [[score.row for score in group] for group in VerdictView(made).scores_by_unit]
    drawn_scales = [scales.rows_scale(group) for group in groups]
    drawn = timeline.timeline(nights(events, unit), MAE)
    assert made.comparison is not None
    assert drawn is not None

    assert [[MAE, "neg_root_mean_squared_error"], ["r2"]] == [[row.metric for row in group] for group in groups]
    assert (83.72, 6.9) == pytest.approx([drawn_scales[0].at(value * unit) for value in (-101.6, -131.07)], abs=0.02)
    gains = scales.difference_scale(made.comparison)
    assert (36.74, 93.1) == pytest.approx([gains.at(value * unit) for value in (0, 1.7)], abs=0.02)
    tops = [float(point.split(",")[1]) for line in drawn.score for point in line.split()]
    assert max(tops) - min(tops) > 30
    assert all(2 <= len({numbers.number(tick, s.digits) for tick in s.ticks}) == len(s.ticks) for s in drawn_scales)


@pytest.mark.parametrize("unit", UNITS)
def test_charts_hold_errors_of_any_size(verdict: Verdict, events: list[Any], unit: float) -> None:
    """The axis of Mermaid's chart is no longer than the errors need, and the text tells the last one."""
    text = charts.over_time(regression(verdict, unit), nights(events, unit))
    low, high = map(float, re.findall(r"y-axis (\S+) --> (\S+)", text)[0])
    values = [float(one) for line in re.findall(r"line \[(.*)\]", text)[:2] for one in line.split(",")]

    assert low < min(values) < max(values) < high < 0
    assert high - low < 1.5 * (max(values) - min(values))
    assert f"the limit {numbers.figure(MAE, events[-1].metrics['performance_limit'])}." in text


def test_an_error_that_never_changes_has_an_axis() -> None:
    """Equal errors, all 0 or the largest that can be, stand in the middle of an axis with ticks."""
    for value in (0.0, -1e-9, -2e9):
        scale = scales.scale([value, value], least=0.05, metric=MAE)
        assert 50 == scale.at(value)
        assert len(scale.ticks) > 1


def test_long_labels_leave_each_other_room() -> None:
    """Every tick of an axis of shares has a label, unless it would stick out; of an axis of millions every second."""
    shares, millions = scales.Scale(0.49, 0.96), scales.Scale(-1_650_000.0, -1_150_000.0)

    assert (0.6, 0.7, 0.8, 0.9) == shares.inner() == shares.ticks[1:]
    assert (-1_600_000, -1_400_000, -1_200_000) == millions.inner() == millions.ticks[::2]


def status(events: list[Any], unit: float, made: Verdict) -> site.Status:
    """The status of a model that says a number, whose last night had the readings of `made`."""
    last = nights(events, unit)[-1]
    found = made.candidate.decision.readings
    last.details = {one.trigger: f"{one.state.replace('_', ' ')}: {one.sentence}" for one in found}
    last.metrics |= {one.trigger: one.value for one in found if one.value is not None}
    last.metrics |= {f"{one.trigger}_limit": one.limit for one in found if one.limit is not None}
    return site.Status(
        name="prices", as_of=NIGHT, events=tuple(events), serving=version(3), metric=MAE, least=0.05,
        drift=made.candidate.decision.drift,
    )  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_the_status_page_is_in_the_unit_too(verdict: Verdict, events: list[Any], unit: float) -> None:
    """The latest error on both pages, what negated means once, a card for the drift of the target."""
    pages = site.render_site([status(events, unit, regression(verdict, unit))], NIGHT)
    latest, page = numbers.figure(MAE, -104.4 * unit), pages["prices/index.html"]

    assert f"<b>{latest}</b><span>mean absolute error (negated) when last measured" in page
    assert f"mean absolute error (negated) {latest}</span>" in pages["index.html"]
    assert 1 == page.count(CAUTION)
    assert '<h3>Target</h3><span class="pill warn">warns</span>' in page
    assert f'aria-label="performance {latest}, limit {numbers.figure(MAE, -106 * unit)}"' in page


def test_the_log_tells_errors_in_their_unit(events: list[Any]) -> None:
    """Quiet nights are told with the lowest and the highest error."""
    for event in events:
        event.trigger = ""
    lines = event_lines.lines(nights(events, 10.0), MAE)

    assert "mean absolute error (negated) \u22121," in lines[0].text


def test_a_reference_of_errors_is_told_in_their_unit(verdict: Verdict) -> None:
    """What a merge does to the reference, in the pull request and in its check."""
    made = regression(verdict, 12.0)
    after = pull_request.manifest_for(made, None, "")
    before = after.model_copy(update={"reference": -1320.0})
    check = promotion_check.reference(after, before, rollback=False)

    assert check is not None
    assert "The reference score rises from \u22121,320 to \u22121,219." == check.sentence
    assert "rises from \u22121,320 to \u22121,219." in pull_request.render_body(made, before=before)


def test_a_replay_in_the_pull_request_names_the_error() -> None:
    """The comment on changed thresholds shows mean and worst week in the unit, and what negated means."""
    one = PolicyResult(
        policy="main", nights=60, alarms=Alarms(performance=0, drift=0, age=0), retrains=0, promotions=0, refusals=0,
        mean=-1234.567, worst_week=-1300.0, share_under_floor=0.0, false_alarms=None, nights_to_first_alarm=None,
    )  # fmt: skip
    text = replay_comment.text("prices", ReplayResult(metric=MAE, policies=(one,)))

    assert "| \u22121,235 | \u22121,300 |" in text
    assert "mean absolute error (negated) of the model" in text
    assert 1 == text.count(CAUTION)


@pytest.mark.skipif(chromium() is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [390, 1012])
def test_long_numbers_fit_into_every_page(verdict: Verdict, events: list[Any], width: int) -> None:
    """In a real browser nothing sticks out, on a phone or on a desk, however long the numbers are."""
    pages = []
    for unit in UNITS[::2]:
        made = regression(verdict, unit)
        pages.append(report.render_report(made, events))
        pages += site.render_site([status(events, unit, made)], NIGHT).values()

    assert [width] * len(pages) == [found["width"] for found in measured(pages, width, dark=False)]
