"""What commands print of any task: warnings of what is no trigger, and errors in their unit."""

from __future__ import annotations

import datetime as dt

from core.replay_result import Alarms, PolicyResult
from registry.events import Event
from scripts import status
from scripts.replay import output


def test_the_status_shows_what_warns() -> None:
    """Triggers are always shown, what only watches where it warns."""
    details = {
        "performance": "quiet: Good.",
        "score": "quiet: As ever.",
        "target": "warns: Labels moved.",
        "retrain": "false",
    }
    when = dt.datetime(2013, 6, 1, tzinfo=dt.UTC)
    event = Event(timestamp=when, model="prices", kind="decision", details=details)

    assert {
        "last judged": "2013-06-01",
        "performance": "quiet: Good.",
        "target": "warns: Labels moved.",
    } == status.readings([event])


def test_a_replay_shows_errors_in_their_unit() -> None:
    """Mean and worst week have the digits of the metric; without seven days there is nothing."""
    none = {"share_under_floor": None, "false_alarms": None, "nights_to_first_alarm": None}
    counts = {"nights": 60, "retrains": 1, "promotions": 1, "refusals": 0}
    one = PolicyResult(
        policy="default",
        alarms=Alarms(performance=0, drift=0, age=0),
        mean=-1234.567,
        worst_week=-0.00042,
        **counts,
        **none,
    )
    early = one.model_copy(update={"mean": None, "worst_week": None})

    assert ["-1,235", "-0.0004200"] == output.row(one, "neg_mean_absolute_error", None)[8:10]
    assert ["", ""] == output.row(early, "neg_mean_absolute_error", None)[8:10]
