"""Tell the triggers what happened before a night, from when trainings were."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from monitoring.readings import Past

MONTH = dt.timedelta(days=30)


def remember(
    as_of: dt.datetime,
    champion: tuple[int, dt.datetime] | None,
    *,
    reference: float | None,
    trainings: Iterable[dt.datetime],
    candidates: Iterable[tuple[dt.datetime, dt.datetime]],
    open_proposal: str | None,
) -> Past:
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
    return Past(
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
