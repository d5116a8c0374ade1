"""Inputs and outputs of a trigger: Evidence, History, Request and Reading."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Self

from core.config import ModelConfig
from core.days import MONTH
from core.records import Record
from monitoring.counting import Holdout
from monitoring.drift import DriftReport
from monitoring.performance import Estimate, PerformanceReport, PromotedScore

Name = Literal["performance", "drift", "age", "manual", "damage", "score", "target", "estimate"]


class Reading(Record):
    """The result of one trigger or early warning; `value` is in the unit of `limit`, None if it cannot judge.

    Only early warnings have the state `warns`. They are for people and start nothing.
    """

    trigger: Name
    state: Literal["fired", "quiet", "cannot_judge", "warns"]
    value: float | None
    limit: float | None
    sentence: str


class History(Record):
    """What happened before a nightly run, according to registry, git and forge.

    `promoted`: holdout scores of promoted versions, oldest first. `open_proposal`: URL of the proposal that waits for a
    review. `attempts`: trainings after the champion's, none of which replaced it. `first_attempt`: when the first of
    them was. `last_fit_until`: the rows on which the last of them was fitted are from before this instant.
    """

    champion: int | None
    champion_trained: dt.datetime | None
    promoted: tuple[PromotedScore, ...]
    last_training: dt.datetime | None
    trainings_30_days: int
    open_proposal: str | None
    attempts: int = 0
    first_attempt: dt.datetime | None = None
    last_fit_until: dt.datetime | None = None

    @classmethod
    def of(
        cls,
        as_of: dt.datetime,
        champion: tuple[int, dt.datetime] | None,
        *,
        promoted: tuple[PromotedScore, ...],
        trainings: Iterable[dt.datetime],
        candidates: Iterable[tuple[dt.datetime, dt.datetime]],
        open_proposal: str | None,
    ) -> Self:
        """Return the history as of one nightly run.

        Args:
            as_of: trainings and candidates after this instant are left out.
            champion: the version in production and when it was trained.
            promoted: the holdout scores in the manifest.
            trainings: when each training ended, whatever became of its candidate.
            candidates: of each registered version, when it was trained and before when the rows of its fit are.
            open_proposal: URL of the proposal that waits for a review.
        """
        since = champion[1] if champion else as_of
        attempts = sorted(candidate for candidate in candidates if since < candidate[0] <= as_of)
        earlier = [ended for ended in trainings if ended <= as_of]
        return cls(
            champion=champion[0] if champion else None,
            champion_trained=champion[1] if champion else None,
            promoted=promoted,
            last_training=max(earlier, default=None),
            trainings_30_days=sum(ended > as_of - MONTH for ended in earlier),
            open_proposal=open_proposal,
            attempts=len(attempts),
            first_attempt=attempts[0][0] if attempts else None,
            last_fit_until=attempts[-1][1] if attempts else None,
        )


class Request(Record):
    """A request by a person for a retraining; with `force` also if a proposal is open."""

    reason: str
    force: bool


@dataclass(frozen=True)
class Evidence:
    """What the triggers read. A report is None if it could not be made."""

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
    """Return the reading of a trigger that cannot judge; the sentence says what is missing."""
    return Reading(trigger=name, state="cannot_judge", value=None, limit=None, sentence=sentence)


def switched_off(name: Name) -> Trigger:
    """Return the trigger that replaces a disabled one."""
    return lambda _: Reading(trigger=name, state="quiet", value=None, limit=None, sentence="Switched off.")
