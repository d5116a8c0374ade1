"""The page of a replay shows what each policy did where it did it, and nothing from the data can break it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from core.config.settings import load_config
from core.config.triggers import PerformanceTrigger
from core.replay_result import NightSummary
from review.pages.replay_page import picture, render_replay
from stages.replay.result import PolicyHistory

FIRST = dt.date(2013, 3, 1)
DAY = dt.timedelta(days=1)
EXAMPLE = Path(__file__).parents[2] / "example"


def told(number: int, **more: object) -> NightSummary:
    """A quiet night with a score of 0.6."""
    quiet = {
        "date": FIRST + number * DAY, "first": False, "fired": (), "retrained": False, "refused": False,
        "promoted": None, "failed": "", "stopped": False, "why": "", "week": 0.6,
    }  # fmt: skip
    return NightSummary(**{**quiet, **more})  # type: ignore[arg-type]


def tale(*nights: NightSummary, policy: str = "default") -> PolicyHistory:
    """The nights of a policy of the example model."""
    return PolicyHistory(policy, load_config(EXAMPLE, "flights"), list(nights))


@pytest.fixture
def eventful() -> PolicyHistory:
    """Ten nights with everything that can be drawn."""
    return tale(
        told(0, first=True, retrained=True, week=None),
        told(1, promoted=1, week=None),
        told(2, fired=("drift",)),
        told(3, fired=("drift", "age")),
        told(4),
        told(5, fired=("performance",), retrained=True, refused=True, why="too <weak>"),
        told(6, week=None),
        told(7, stopped=True, why="humid is missing"),
        told(8, fired=("age",), retrained=True, why="old"),
        told(9),
    )


def test_marks_stand_on_their_nights(eventful: PolicyHistory) -> None:
    """A promotion, a refusal, a broken night and a proposal that still waits, in order and in words."""
    (row,) = picture([eventful], None).rows
    found = [(mark.kind, mark.title) for mark in row.marks]

    assert [
        ("promotion", "2013-03-02: version 1 promoted"),
        ("refusal", "2013-03-06: refused: too <weak>"),
        ("failure", "2013-03-08: humid is missing"),
        ("training", "2013-03-09: proposed: old"),
    ] == found
    assert sorted(mark.x for mark in row.marks) == [mark.x for mark in row.marks]


def test_alarms_of_following_nights_are_one_stretch(eventful: PolicyHistory) -> None:
    """Two nights in a row ring as one stretch of two nights, nights apart each for themselves."""
    (row,) = picture([eventful], None).rows
    night = 100 / 11  # nine nights from first to last, and one more at either end

    assert [2 * night, night, night] == pytest.approx([width for _, width in row.alarms], abs=0.02)


def test_the_line_breaks_where_there_is_no_score(eventful: PolicyHistory) -> None:
    """A night without a score parts the line in two, of four and of three nights."""
    (row,) = picture([eventful], None).rows

    assert [4, 3] == [len(line.split()) for line in row.lines]


def test_all_policies_share_one_scale() -> None:
    """Scores, and the floor, of all policies lie inside the axis, so that heights can be compared."""
    made = picture([tale(told(0), told(1)), tale(told(0, week=0.9), told(1, week=0.2), policy="bad")], None)

    assert made.y.low < 0.2
    assert made.y.high > 0.9
    assert len({line.split()[0].split(",")[1] for row in made.rows for line in row.lines}) == 2


def test_the_truth_is_drawn_where_it_was(eventful: PolicyHistory) -> None:
    """With a truth there is a line at its date and two more columns; without, neither."""
    with_it, without = (render_replay("flights", [eventful], truth) for truth in (FIRST + 4 * DAY, None))

    assert 1 == with_it.count('class="truth"') + without.count('class="truth"')
    assert "nights to the first alarm" in with_it
    assert "nights to the first alarm" not in without


def test_the_page_is_closed_and_escaped() -> None:
    """No script, nothing loaded, and the name of a policy (a file's) stays text."""
    page = render_replay("flights", [tale(told(0), told(1), policy='<b onclick="x">')], None)

    assert not re.search(r"<script|https?://|url\(|<b onclick", page)
    assert "&lt;b onclick=" in page


def test_errors_have_room_and_a_word_on_what_they_mean() -> None:
    """In the unit of the label: labels of the axis are not cut, the floor has their digits, negated is explained."""
    one = tale(told(0, week=-1_300_000.0), told(1, week=-1_100_000.0))
    trigger = PerformanceTrigger(metric="neg_mean_absolute_error", floor=-1_600_000.0)
    triggers = one.config.triggers.model_copy(update={"performance": trigger})
    one.config = one.config.model_copy(update={"triggers": triggers})
    page = render_replay("prices", [one], None)

    assert "Mean absolute error (negated) over time" in page
    assert 1 == page.count("higher is better, and 0 is perfect")
    assert "floor \u22121,600,000</span>" in page
    (room,) = map(int, re.findall(r"margin-left: (\d+)px", page))
    assert room > 6 * len("-1,600,000")
    assert "margin-left: 38px" in render_replay("flights", [tale(told(0), told(1))], None)
