"""The event log as lines: what was done one by one, what was not drawn together."""

from __future__ import annotations

import datetime as dt
from typing import Any

from registry.events import Event
from review.pages.event_lines import lines


def event(day: int, kind: str, **fields: Any) -> Event:
    """An event of a day in June."""
    at = dt.datetime(2013, 6, day, 4, tzinfo=dt.UTC)
    return Event.model_validate({"timestamp": at, "model": "flights", "kind": kind, **fields})


def night(day: int, value: float | None = None, **fields: Any) -> Event:
    """A judged night, quiet unless told otherwise."""
    metrics = {} if value is None else {"performance": value}
    return event(day, "decision", **{"metrics": metrics, "details": {"retrain": "false"}, **fields})


def texts(*events: Event) -> list[tuple[int, int, str]]:
    """First day, last day and text of each line."""
    return [(one.first.day, one.last.day, one.text) for one in lines(events, "balanced_accuracy")]


def test_quiet_nights_in_a_row_are_one_line() -> None:
    """With how many they are and the range of the score; a night of another kind parts them, the newest come first."""
    failed = event(4, "failure", trigger="pull", success=False, error="no rows")

    assert [
        (5, 5, "1 quiet night, balanced accuracy 0.600"),
        (4, 4, "Pull failed: no rows"),
        (1, 3, "3 quiet nights, balanced accuracy 0.580 to 0.610"),
    ] == texts(night(1, 0.61), night(2), night(3, 0.58), failed, night(5, 0.6))
    assert [(1, 2, "2 quiet nights")] == texts(night(1), night(2))


def test_nights_held_back_say_by_what() -> None:
    """An alarm that leads to no training is no quiet night: the line names the trigger and what stood against it."""
    held = {
        "trigger": "drift",
        "reasons": ("Retraining is due (drift fired) but was postponed.", "A proposal is open: 4."),
    }

    assert [
        (3, 3, "1 quiet night"),
        (1, 2, "2 nights on which drift fired but was postponed: A proposal is open: 4."),
    ] == texts(night(1, **held), night(2, **held), night(3))


def test_a_retraining_is_told_step_by_step() -> None:
    """Why, the rows, the verdict, the proposal with its address, and the move, each in a line of its own."""
    url = "https://example.org/pull/4"
    made = lines(
        [
            night(1, trigger="age", reasons=("Too old.",), details={"retrain": "true"}),
            event(1, "training", version=2, metrics={"fit_rows": 9076.0}),
            event(1, "validation", version=2),
            event(1, "proposal", version=2, reasons=("Promote it",), details={"url": url, "number": "4"}),
            event(2, "promotion", version=2, details={"before": "1"}),
            event(3, "validation", version=3, success=False, reasons=("too weak",)),
            event(4, "rollback", version=1, details={"before": "2"}),
        ],
        "accuracy",
    )

    assert [
        ("rollback", "Version 1 restored, replacing version 2"),
        ("refusal", "Version 3 refused (too weak)"),
        ("promotion", "Version 2 promoted, replacing version 1"),
        ("", "Pull request 4: Promote it"),
        ("", "Version 2 passed all gates"),
        ("training", "Version 2 trained on 9,076 rows"),
        ("", "Training is due: Too old."),
    ] == [(one.kind, one.text) for one in made]
    assert [url] == [one.link for one in made if one.link]


def test_only_addresses_that_others_can_open_are_links() -> None:
    """The file of a local forge, or an address that runs something, is no link."""

    def link(url: str) -> str:
        return lines([event(1, "proposal", details={"url": url})], "accuracy")[0].link

    assert ["", "", ""] == [link(url) for url in ("file:///home/forge.git#1", "javascript:alert(1)", "")]
