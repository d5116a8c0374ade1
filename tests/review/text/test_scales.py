from __future__ import annotations

import datetime as dt
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.pages import timeline
from review.text import VerdictView, event_text, scales
from training.gates.validate import Verdict

numbers = st.floats(-1e6, 1e6)


def test_positions_are_percents_of_the_axis() -> None:
    """The ends of the axis are 0 and 100; what is outside stands at an end."""
    scale = scales.Scale(0.5, 0.9)

    assert (0.0, 25.0, 100.0, 0.0, 100.0) == tuple(map(scale.at, (0.5, 0.6, 0.9, 0.1, 7.0)))
    assert (25.0, 50.0) == scale.span(0.6, 0.8)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.5, 0.9, (0.5, 0.6, 0.7, 0.8, 0.9)), (-0.02, 0.05, (-0.02, 0.0, 0.02, 0.04)), (0, 35, (0, 10, 20, 30))],
)
def test_ticks_are_round(low: float, high: float, ticks: tuple[float, ...]) -> None:
    """Ticks are multiples of 1, 2 or 5 times a power of ten."""
    assert ticks == scales.Scale(low, high).ticks


@given(st.lists(st.one_of(st.none(), numbers), max_size=5))
def test_a_scale_holds_all_its_values_with_room(values: list[float | None]) -> None:
    """No value stands at an end, however few or equal they are, and there are ticks to read by."""
    scale = scales.scale(values)

    assert all(0 < scale.at(value) < 100 for value in values if value is not None)
    assert 2 <= len(scale.ticks) <= 8
    assert len(scale.ticks) == len({f"{tick:.{scale.digits}f}" for tick in scale.ticks})


def test_the_difference_shows_what_is_allowed(verdict: Verdict) -> None:
    """No difference, the margin and the whole interval are inside the picture."""
    assert verdict.comparison is not None
    scale = scales.difference_scale(verdict.comparison)

    places = [scale.at(value) for value in (-0.01, 0.0, 0.011, 0.029, 0.047)]
    assert places == sorted(places)
    assert 0 < places[0] < places[-1] < 100


def test_metrics_meet_their_floor_and_their_champion(verdict: Verdict) -> None:
    """The floor comes from the gate of that name, the champion's value from the comparison."""
    rows = {score.row.name: score.row for score in VerdictView(verdict).scores}

    assert (0.612, 0.58) == (rows["balanced_accuracy"].champion, rows["balanced_accuracy"].floor)
    assert (None, 0.3) == (rows["precision"].champion, rows["precision"].floor)
    assert (None, None) == (rows["recall"].champion, rows["recall"].floor)


def test_bars_fill_the_picture(verdict: Verdict) -> None:
    """The highest bar is 100 percent high, and the bars stand side by side."""
    drift = verdict.candidate.decision.drift
    assert drift is not None
    bars = scales.bars(drift.nights[-1].columns[0])

    assert 100.0 == max(max(bar.baseline, bar.window) for bar in bars)
    assert [5.0 * i for i in range(20)] == [bar.left for bar in bars]
    assert [] == scales.bars(drift.nights[-1].columns[0].model_copy(update={"bars": ()}))


def night(day: int, value: float | None, **fields: Any) -> Any:
    """An event of a day in June."""
    metrics = {} if value is None else {"performance": value, "performance_limit": 0.5}
    known = {"kind": "decision", "version": None, "success": True, "reasons": (), "error": None, "metrics": metrics}
    return SimpleNamespace(timestamp=dt.datetime(2013, 6, day, tzinfo=dt.UTC), **{**known, **fields})


def test_the_line_is_broken_where_nothing_could_be_judged() -> None:
    """Nights without a score leave a gap, and do not look like a straight line."""
    days = [1, 2, 3, 12, 13]
    made = timeline.timeline([night(day, 0.6) if day != 12 else night(day, 0.58) for day in days])

    assert made is not None
    assert [3, 2] == [len(line.split()) for line in made.score]
    assert (0.58, 0.6) == (made.lowest, made.latest)


def test_without_scores_there_is_no_line() -> None:
    """No events, or nights that could not be judged, give no picture."""
    assert None is timeline.timeline([])
    assert None is timeline.timeline([night(1, None), night(2, 0.6)])


def test_marks_tell_what_happened(events: list[Any]) -> None:
    """Promotions, rollbacks, trainings, refusals and failures are marked; a validation that passed is not."""
    made = timeline.timeline(events)

    assert made is not None
    kinds = [mark.kind for mark in made.marks]
    assert {"promotion": 4, "rollback": 1, "training": 4, "refusal": 1, "failure": 1} == {
        kind: kinds.count(kind) for kind in kinds
    }
    assert "2013-05-19: failed (Weather is missing in all rows of 2013-05-19.)" in [mark.title for mark in made.marks]
    labels = [mark.x for mark in made.marks if mark.label]
    assert all(after - before >= timeline.NEAR for before, after in pairwise(labels))


def test_history_is_newest_first_and_short(events: list[Any]) -> None:
    """The list beside the picture holds what happened last, without quiet nights."""
    found = timeline.history(events)

    assert ["failure", "promotion", "rollback"] == [kind for kind, _ in found[:3]]
    assert [
        "2013-05-19: failed (Weather is missing in all rows of 2013-05-19.)",
        "2013-05-10: version 3 promoted, replacing version 2",
        "2013-05-08: version 2 restored, replacing version 3",
    ] == [event_text.dated(event) for _, event in found[:3]]
    assert "2013-03-03: version 1 promoted" == event_text.dated(found[-1][1])
    assert 3 == len(timeline.history(events, most=3))
