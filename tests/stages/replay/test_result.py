"""The figures of a replay are exact on nights that are written down by hand."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from core.config.model import ModelConfig
from core.replay_result import ReplayResult
from monitoring.counting.counts import Counts
from monitoring.counting.tally import DayTally
from monitoring.triggers.decision import Decision
from monitoring.triggers.evidence import Reading
from stages.replay.replay import NightOutcome
from stages.replay.result import PolicyHistory, summarize

FIRST = dt.date(2013, 3, 1)
DAY = dt.timedelta(days=1)


def outcome(date: dt.date, right: int) -> DayTally:
    """A day with ten rows of either label; of the late ones so many were predicted right, of the others all."""
    scores = np.zeros((1000, 3), np.int64)
    scores[100, 0], scores[900, 1], scores[100, 1] = 10, right, 10 - right
    return DayTally(date=date, rows=20, duplicates=0, columns={}, scores=Counts(scores), unscored=0, bad_labels=0)


def decision(date: dt.date, *fired: str, first: bool = False) -> Decision:
    """A decision on which these triggers fired."""
    as_of = dt.datetime.combine(date, dt.time(), dt.UTC)
    readings = [Reading(trigger=name, state="fired", value=1, limit=0, sentence=f"{name} rang.") for name in fired]  # type: ignore[arg-type]
    return Decision(
        model="flights", as_of=as_of, champion=None if first else 1, retrain=bool(fired) or first, first=first,
        reasons=(), held_back_by=(), readings=tuple(readings), performance=None, drift=None, quality=None,
    )  # fmt: skip


def tale(
    config: ModelConfig, right: list[int], fired: dict[int, tuple[str, ...]], policy: str = "default"
) -> PolicyHistory:
    """Nights of which the nth day has so many late rows predicted right; the first one brings the model."""
    made = PolicyHistory(policy, config)
    for number, count in enumerate(right):
        date = FIRST + number * DAY
        made.add(
            NightOutcome(
                date,
                decision=decision(date, *fired.get(number, ()), first=number == 0),
                promoted=1 if number == 0 else None,
                outcome=outcome(date, count),
            )
        )
    return made


def test_weeks_are_the_seven_days_before_each_night(config: ModelConfig) -> None:
    """Balanced accuracy is (1 + r / 10) / 2 of a day: ten days of 4 and then 0 right give nights of 0.7 and less."""
    result = tale(config, [4] * 8 + [0, 0], {}).result(None)
    weeks = [0.7, 0.7, (1 + 24 / 70) / 2]  # the nights after 7, 8 and 9 days

    assert 10 == result.nights
    assert sum(weeks) / 3 == pytest.approx(result.mean)
    assert weeks[-1] == pytest.approx(result.worst_week)
    assert 0 == result.share_under_floor


def test_the_share_under_the_floor_counts_nights(config: ModelConfig) -> None:
    """With nothing predicted right every week has 0.5, which is under the floor of 0.55, on every night."""
    assert 1 == tale(config, [0] * 9, {}).result(None).share_under_floor


def test_fewer_than_seven_days_have_no_week(config: ModelConfig) -> None:
    """A span too short for a week gives no score rather than a noisy one."""
    result = tale(config, [4] * 6, {}).result(None)

    assert (None, None, None) == (result.mean, result.worst_week, result.share_under_floor)


def test_alarms_are_nights_by_trigger(config: ModelConfig) -> None:
    """A night counts for every trigger that fired on it."""
    fired = {2: ("performance", "age"), 3: ("performance",), 5: ("drift",)}
    alarms = tale(config, [4] * 8, fired).result(None).alarms

    assert (2, 1, 1) == (alarms.performance, alarms.drift, alarms.age)


@pytest.mark.parametrize(("truth", "false", "delay"), [(3, 1, 2), (4, 1, 1), (5, 2, None), (1, 0, 1)])
def test_a_truth_parts_false_alarms_from_found_ones(
    config: ModelConfig, truth: int, false: int, delay: int | None
) -> None:
    """Up to the night of the change alarms are false, because it sees only days before; age never counts."""
    fired: dict[int, tuple[str, ...]] = {2: ("drift",), 3: ("age",), 5: ("performance",), 6: ("age",)}
    result = tale(config, [4] * 8, fired).result(FIRST + truth * DAY)

    assert (false, delay) == (result.false_alarms, result.nights_to_first_alarm)


def test_the_record_has_exactly_the_agreed_fields(config: ModelConfig) -> None:
    """What `--json` prints can be read back, and holds the fields of the issue and no other."""
    record = summarize([tale(config, [4] * 8, {}), tale(config, [0] * 8, {}, "never")], None)
    policy = record.model_dump()["policies"][0]

    assert record == ReplayResult.from_json(record.to_json())
    assert ["metric", "policies"] == list(record.model_dump())
    assert [
        "policy", "nights", "alarms", "retrains", "promotions", "refusals", "mean", "worst_week",
        "share_under_floor", "false_alarms", "nights_to_first_alarm",
    ] == list(policy)  # fmt: skip
    assert ["performance", "drift", "age"] == list(policy["alarms"])
