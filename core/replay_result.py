"""Results of a replay: what each policy did night by night, and its figures."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from core.records import Record

OF_DATA = frozenset({"performance", "drift"})  # age says nothing about the data


class Alarms(Record):
    """On how many nights each trigger fired, also where nothing could follow from it."""

    performance: int
    drift: int
    age: int


class PolicyResult(Record):
    """One policy. Counts leave the first model out, which every policy gets.

    `mean`, `worst_week`: of the metric over the seven days before each night; None where there are no seven days.
    `share_under_floor`: the share of nights whose seven days are under the floor of the model's own config.
    `false_alarms`, `nights_to_first_alarm`: of performance and drift, up to and after the night of the truth; None
    without a truth, the second also where no alarm came.
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
    """What `mlops replay --json` prints."""

    metric: str
    policies: tuple[PolicyResult, ...]


@dataclass(frozen=True)
class NightSummary:
    """One night as it is remembered: which triggers fired, what became of it, and why."""

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
