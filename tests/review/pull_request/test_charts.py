from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from registry.events import Event
from review.pull_request import charts
from tests.review import draw
from training.gates.validate import Verdict

NIGHT = dt.datetime(2013, 6, 1, 4, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
Make = Callable[..., Verdict]

NUMBER = r"-?\d+\.\d+"
LABEL = '"(?:\\d{1,2} [A-Z][a-z]{2}|\u200b+)"'
GRAMMAR = re.compile(
    rf"""{re.escape(charts.SETTINGS)}
xychart-beta
    x-axis \[{LABEL}(?:, {LABEL})*\]
    y-axis {NUMBER} --> {NUMBER}
    line \[{NUMBER}(?:, {NUMBER})*\]
    line \[{NUMBER}(?:, {NUMBER})*\]
"""
)
numbers = st.floats(allow_nan=True, allow_infinity=True)
hostile = st.one_of(
    st.text(max_size=60),
    st.text(alphabet='"`%{}[]:;->\n\r\t initxychart@#<&|\\', max_size=60),
    st.sampled_from(
        ['a" 0 --> 1\n%%{init: {"securityLevel": "loose"}}%%', "x]\n```\n<script>", "```\n@octocat closes #1"]
    ),
)


def night(ago: int, **metrics: float) -> Event:
    """A night that was judged."""
    return Event(timestamp=NIGHT - ago * DAY, model="flights", kind="decision", metrics=metrics)


def scored(ago: int, value: float, limit: float = 0.6) -> Event:
    """A night with a score."""
    return night(ago, performance=value, performance_limit=limit)


def fences(text: str) -> list[Any]:
    """The fenced parts of a text."""
    return [token for token in MarkdownIt("commonmark", {"html": True}).parse(text) if token.type == "fence"]


def moved(ago: int, effect: float, limit: float = 0.2) -> Event:
    """A night with a drift that counts from `limit` on."""
    return night(ago, drift_effect=effect, drift_effect_limit=limit)


def test_a_few_nights_are_drawn_one_by_one(verdict: Verdict) -> None:
    """Up to 13 nights each are a point, in order, with its limit and its day; the text repeats the last one."""
    text = charts.over_time(verdict, [scored(2, 0.7), scored(1, 0.65), scored(0, 0.62, 0.61)])
    chart = fences(text)[0].content.splitlines()

    assert '    x-axis ["30 May", "31 May", "1 Jun"]' == chart[2]
    assert ["    line [0.7000, 0.6500, 0.6200]", "    line [0.6000, 0.6000, 0.6100]"] == chart[4:]
    assert "Each point is one night. On 2013-06-01 the value was **0.620** and the limit 0.610." in text
    assert "Blue: balanced accuracy of the model in service" in text


def test_many_nights_become_weeks_and_the_worst_night_stays() -> None:
    """A quarter is 13 points; the single night on which the score was under its limit is one of them."""
    events = [scored(ago, 0.55 if ago == 40 else 0.7) for ago in reversed(range(91))]
    made = charts.chart(events, "performance", lambda point: (point.limit or 0) - point.value)

    assert made is not None
    assert (13, 7, 0) == (len(made.series.points), made.step, made.missing)
    assert [NIGHT.date() - 35 * DAY] == [point.day for point in made.series.points if point.value == 0.55]
    assert (NIGHT.date(), 0.7) == (made.latest.day, made.latest.value)


def test_no_chart_has_more_than_13_points_and_the_newest_are_kept() -> None:
    """A year is cut to its last 13 weeks."""
    made = charts.chart([scored(ago, ago / 400) for ago in reversed(range(365))], "performance", lambda p: p.value)

    assert made is not None
    assert (13, NIGHT.date() - 84 * DAY) == (len(made.series.points), made.series.points[0].day)


def test_a_gap_is_told() -> None:
    """Weeks in which nothing could be judged are no points, and the text counts them."""
    events = [scored(ago, 0.7) for ago in reversed(range(91)) if not 14 <= ago < 28]
    made = charts.chart(events, "performance", lambda point: -point.value)

    assert made is not None
    assert (11, 2) == (len(made.series.points), made.missing)


def test_one_night_is_no_line(verdict: Verdict) -> None:
    """Fewer than two points, or none in time, give no section at all."""
    assert "" == charts.over_time(verdict, [])
    assert "" == charts.over_time(verdict, [scored(0, 0.7)])
    assert "" == charts.over_time(verdict, [scored(-1, 0.7), scored(-2, 0.7), scored(0, 0.7)])
    assert "" == charts.over_time(verdict, [scored(0, 0.7), scored(0, 0.6)])


def test_drift_is_drawn_against_what_counts(verdict: Verdict) -> None:
    """A second chart: the largest effect of columns that drifted, from zero, and the least that counts."""
    text = charts.over_time(verdict, [moved(2, 0.0), moved(1, 0.3), moved(0, 0.0)])
    chart = fences(text)[0].content.splitlines()

    assert ["    line [0.0000, 0.3000, 0.0000]", "    line [0.2000, 0.2000, 0.2000]"] == chart[4:]
    assert chart[3].startswith("    y-axis 0.000 -->")
    assert "On 2013-06-01 the value was **0.000** and the limit 0.200." in text


def test_promotions_are_told(verdict: Verdict, events: list[Any]) -> None:
    """Those in the time that is drawn, with their days, rollbacks too."""
    text = charts.over_time(verdict, events)

    assert "version 2 promoted on 2013-04-03" in text
    assert "version 2 restored on 2013-05-08" in text
    assert "version 1 promoted" not in text


def test_the_score_is_named_as_the_trigger_measures_it(make_verdict: Make) -> None:
    """Without a judgement of tonight the name is not known."""
    nameless = make_verdict(decision={"performance": None})

    assert "Blue: score of the model in service" in charts.over_time(nameless, [scored(1, 0.7), scored(0, 0.7)])


def spoilt(verdict: Verdict, text: str) -> Verdict:
    """The verdict with a metric of another name."""
    decision = verdict.candidate.decision
    assert decision.performance is not None
    judged = decision.performance.model_copy(update={"metric": text})
    candidate = verdict.candidate.model_copy(update={"decision": decision.model_copy(update={"performance": judged})})
    return verdict.model_copy(update={"candidate": candidate})


@given(text=hostile, values=st.lists(st.tuples(numbers, numbers, st.integers(0, 200)), min_size=2, max_size=30))
@settings(max_examples=200, deadline=None)
def test_no_name_and_no_number_breaks_out_of_a_chart(
    verdict: Verdict, text: str, values: list[tuple[float, float, int]]
) -> None:
    """Whatever is measured under whatever name, a chart has six lines of one form, and nothing else is fenced."""
    events = [
        night(ago, performance=value, performance_limit=limit, drift_effect=limit, drift_effect_limit=value)
        for value, limit, ago in values
    ]
    drawn = charts.over_time(spoilt(verdict, text), events)
    found = fences(drawn)

    assert len(found) <= 2
    kinds = {token.type.partition("_")[0] for token in MarkdownIt("commonmark", {"html": True}).parse(drawn)}
    assert kinds <= {"heading", "paragraph", "inline", "fence"}
    assert None is re.search(r"@\w|<|://", re.sub(r"```mermaid.*?```", "", drawn, flags=re.DOTALL).replace("\\<", ""))
    for fence in found:
        assert "mermaid" == fence.info
        assert GRAMMAR.fullmatch(fence.content)
        labels = re.findall(LABEL, fence.content)
        assert len(labels) == len(set(labels)) == len(re.findall(r"line \[(.*)\]", fence.content)[0].split(","))


tools = pytest.mark.skipif(
    draw.chromium() is None or draw.mermaid_script() is None,
    reason="Chromium, or npm's mermaid in local/tools or $MLOPS_TEST_TOOLS, is not installed",
)


@tools
def test_mermaid_draws_the_charts(verdict: Verdict, events: list[Any]) -> None:
    """The real library draws both charts, in our colours, with as many labels that can be read as we chose."""
    drift = [moved(ago, 0.1 * (ago % 3)) for ago in reversed(range(91))]
    text = charts.over_time(verdict, sorted([*events, *drift], key=lambda event: event.timestamp))
    page = draw.drawn(text)

    assert 2 == page.count('aria-roledescription="xychart"')
    assert {"#2b7de1", "#d9730d"} <= set(re.findall(r"#[0-9a-f]{6}", page))
    assert re.findall(r'"(\d{1,2} [A-Z][a-z]{2})"', text) == re.findall(r">(\d{1,2} [A-Z][a-z]{2})</text>", page)
