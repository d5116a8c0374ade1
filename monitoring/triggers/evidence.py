"""Say what a trigger is shown, and in what form it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from core.config import ModelConfig
from core.days import MONTH
from core.records import Record
from monitoring.counting import Holdout
from monitoring.drift import DriftReport
from monitoring.performance import Estimate, PerformanceReport

Name = Literal["performance", "drift", "age", "manual", "score", "target", "estimate"]


class Reading(Record):
    """What one trigger says on one night, in the unit of its limit; no value where it cannot judge.

    Only what is no trigger (`watches`) warns: a person reads it, and nothing follows from it.
    """

    trigger: Name
    state: Literal["fired", "quiet", "cannot_judge", "warns"]
    value: float | None
    limit: float | None
    sentence: str


class History(Record):
    """What happened before this night, as the registry, git and the forge remember it.

    `reference`: best holdout score among promoted versions. `open_proposal`: URL of one that waits for a person.
    `attempts`: trainings after the champion's, none of which replaced it; `first_attempt`: when the first one was;
    `last_fit_until`: before which instant the rows lie that the last one was fitted on.
    """

    champion: int | None
    champion_trained: dt.datetime | None
    reference: float | None
    last_training: dt.datetime | None
    trainings_30_days: int
    open_proposal: str | None
    attempts: int = 0
    first_attempt: dt.datetime | None = None
    last_fit_until: dt.datetime | None = None


class Request(Record):
    """A person asks for a retraining; `force` also over an open proposal."""

    reason: str
    force: bool


@dataclass(frozen=True)
class Evidence:
    """What the triggers judge. A report is None where it could not be made."""

    config: ModelConfig
    as_of: dt.datetime
    past: History
    performance: PerformanceReport | None
    drift: DriftReport | None
    request: Request | None
    holdout: Holdout | None = None
    estimate: Estimate | None = None


Trigger = Callable[[Evidence], Reading]


def cannot_judge(name: Name, sentence: str) -> Reading:
    """The reading of what cannot judge, with what is missing."""
    return Reading(trigger=name, state="cannot_judge", value=None, limit=None, sentence=sentence)


def switched_off(name: Name) -> Trigger:
    """The trigger that stands in for a disabled one."""
    return lambda _: Reading(trigger=name, state="quiet", value=None, limit=None, sentence="Switched off.")


def remember(
    as_of: dt.datetime,
    champion: tuple[int, dt.datetime] | None,
    *,
    reference: float | None,
    trainings: Iterable[dt.datetime],
    candidates: Iterable[tuple[dt.datetime, dt.datetime]],
    open_proposal: str | None,
) -> History:
    """The past of a night.

    Args:
        as_of: the night; later trainings have not happened yet.
        champion: the version in service and when it was trained.
        reference: what the manifest declares.
        trainings: the moments of all trainings, whatever became of their candidates.
        candidates: for each version that was registered, when it was trained, and before when its fitted rows lie.
        open_proposal: the address of one that waits for a person.
    """
    since = champion[1] if champion else as_of
    attempts = sorted(one for one in candidates if since < one[0] <= as_of)
    before = [moment for moment in trainings if moment <= as_of]
    return History(
        champion=champion[0] if champion else None,
        champion_trained=champion[1] if champion else None,
        reference=reference,
        last_training=max(before, default=None),
        trainings_30_days=sum(moment > as_of - MONTH for moment in before),
        open_proposal=open_proposal,
        attempts=len(attempts),
        first_attempt=attempts[0][0] if attempts else None,
        last_fit_until=attempts[-1][1] if attempts else None,
    )
