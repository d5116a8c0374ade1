"""Results of a replay: what each policy did night by night, and its figures."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from core.records import Record

OF_DATA = frozenset({"performance", "drift"})  # age says nothing about the data


class Alarms(Record):
    """On how many nights each trigger fired, whether or not a training followed."""

    performance: int
    drift: int
    age: int


class PolicyResult(Record):
    """Results of one policy. Counts leave out the first model, which every policy gets.

    `mean`, `worst_week`: of the metric over the seven days before each night; None if there are fewer than seven days.
    `share_under_floor`: the share of nights whose seven days are under the floor of the model's own config.
    `false_alarms`, `nights_to_first_alarm`: of performance and drift, up to and after the night of the true change;
    None if that night is not given, the second also if neither fired.
    """

    policy: str
    nights: int
    alarms: Alarms
    retrains: int
    promotions: int
    refusals: int
    mean: float | None
    worst_week: float | None
    share_under_floor: float | None
    false_alarms: int | None
    nights_to_first_alarm: int | None


class ReplayResult(Record):
    """Output of `mlops replay --json`."""

    metric: str
    policies: tuple[PolicyResult, ...]


@dataclass(frozen=True)
class NightSummary:
    """One night of a policy: which triggers fired, what followed, and why."""

    date: dt.date
    first: bool
    fired: tuple[str, ...]
    retrained: bool
    refused: bool
    promoted: int | None
    failed: str
    stopped: bool
    why: str
    week: float | None
