"""Decision whether to retrain, from the readings of the triggers and the limits on trainings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from core.config import ModelConfig
from core.days import DAY
from core.errors import RecordError
from core.quality_report import QualityReport
from core.records import Record
from core.wording import distinct
from monitoring.counting import Baseline, Window
from monitoring.drift import DriftReport, drift_report, with_outcomes
from monitoring.performance import Estimate, PerformanceReport, estimate_report, performance_report
from monitoring.triggers.early_warnings import watch_all
from monitoring.triggers.evidence import Evidence, History, Reading, Request
from monitoring.triggers.rules import TRIGGERS, manual, read_all

STATES = {"quiet": "is quiet", "cannot_judge": "cannot judge"}
AUTOMATIC = TRIGGERS.keys() - {"manual"}


class Decision(Record):
    """Whether to retrain as of one night, and everything that was considered.

    `first`: there is no champion yet. `reasons`: why, or why not. `held_back_by`: what postpones a training that is
    due; empty if nothing does.
    """

    model: str
    as_of: dt.datetime
    champion: int | None
    retrain: bool
    first: bool
    reasons: tuple[str, ...]
    held_back_by: tuple[str, ...]
    readings: tuple[Reading, ...]
    performance: PerformanceReport | None
    drift: DriftReport | None
    quality: QualityReport | None
    estimate: Estimate | None = None


def decide(
    config: ModelConfig,
    window: Window,
    baseline: Baseline | None,
    past: History,
    request: Request | None,
    *,
    compare: Callable[..., DriftReport] = drift_report,
) -> Decision:
    """Return the decision by all triggers.

    A trigger that fires leads to a training, unless the last training was too recent, the budget of 30 days is spent,
    or a proposal is open. The pause is shorter after a training that had too few rows from after the change. A request
    by a person counts as fired and overrides pause and budget, with `force` also an open proposal. Nothing overrides
    broken data. Without a champion the first training is due.
    `compare` makes the drift report; a replay passes one with a cache.

    Raises:
        RecordError: the window was counted for another version than the champion.
    """
    first = past.champion is None
    evidence = _evidence(config, window, baseline, past, request, compare)
    readings = (manual(evidence),) if first else (*read_all(evidence), *watch_all(evidence))
    fired = [reading for reading in readings if reading.state == "fired"]
    due = first or bool(fired)
    again = () if request else _again(config, past, window.as_of, readings)
    held = _held_back(config, window, past, request, again=bool(again)) if due else ()
    return Decision(
        model=config.name,
        as_of=window.as_of,
        champion=past.champion,
        retrain=due and not held,
        first=first,
        reasons=(*_reasons(readings, first=first, held=bool(held)), *(again if due and not held else ())),
        held_back_by=held,
        readings=readings,
        performance=evidence.performance,
        drift=evidence.drift,
        quality=window.quality,
        estimate=evidence.estimate,
    )


def _evidence(
    config: ModelConfig,
    window: Window,
    baseline: Baseline | None,
    past: History,
    request: Request | None,
    compare: Callable[..., DriftReport],
) -> Evidence:
    if past.champion is not None and window.version != past.champion:
        raise RecordError(
            f"The window was counted for version {window.version}, but version {past.champion} is in Production.",
            why="A promotion or a rollback took place after the rows were counted.",
            fix="Run mlops pull, then mlops check.",
        )
    triggers, judged = config.triggers, past.champion is not None
    broken = window.quality.broken_days if window.quality else frozenset()
    performance = judged and triggers.performance.enabled
    drift = judged and triggers.drift.enabled and baseline is not None
    holdout = baseline.scores if baseline and judged else None
    calibration = holdout.calibration if holdout and performance else None
    moved = compare(baseline, window, triggers.drift, broken) if drift and baseline else None
    score = performance_report(window, config, past.promoted, broken, holdout) if performance else None
    days = (score.end - score.start).days if score else None
    return Evidence(
        config=config,
        as_of=window.as_of,
        past=past,
        performance=score,
        drift=with_outcomes(moved, holdout, window, config, broken) if moved and holdout else moved,
        request=request,
        holdout=holdout,
        estimate=estimate_report(window, config, calibration, broken, days) if calibration else None,
    )


def _again(config: ModelConfig, past: History, as_of: dt.datetime, readings: tuple[Reading, ...]) -> tuple[str, ...]:
    """Return why performance may start a training before the pause ends; empty if it may not, or did not fire.

    The first training after a change is fitted on rows from before the change, because the holdout and the days without
    labels come after its rows. The trigger therefore keeps firing, and each later training has more rows from after
    the change. A training that would still have none is not worth it. The time of the first training after the
    champion's stands for the time of the change, which is not known.
    """
    limits, first, fitted, last = config.triggers.limits, past.first_attempt, past.last_fit_until, past.last_training
    fired = any(reading.trigger == "performance" and reading.state == "fired" for reading in readings)
    if not fired or first is None or fitted is None or last is None or past.attempts > limits.again_times:
        return ()
    pause = limits.again_days * DAY
    if fitted >= first + pause or as_of - last < pause or as_of - last >= limits.cooldown_days * DAY:
        return ()
    if fitted + (as_of - last) <= first:  # holdout and missing labels are as long as they were then
        return ()
    times = f"{past.attempts} of at most {limits.again_times} times"
    rows = (
        f"the last training was fitted on rows before {fitted:%-d %b %Y}, and the change was noticed on {first:%-d %b}"
    )
    return (f"Retrained before the end of the pause of {limits.cooldown_days:g} days ({times}): {rows}.",)


def _held_back(
    config: ModelConfig, window: Window, past: History, request: Request | None, *, again: bool
) -> tuple[str, ...]:
    """Return what postpones a training, a sentence each. With `again` the pause does not."""
    limits, causes = config.triggers.limits, []
    if window.quality and window.quality.critical:
        causes.append("The monitoring data is broken.")
    if past.open_proposal is not None and not (request and request.force):
        causes.append(f"A proposal is open: {past.open_proposal}.")
    if request is not None:
        return tuple(causes)
    if past.last_training is not None and not again:
        days = (window.as_of - past.last_training) / DAY
        if days < limits.cooldown_days:
            since, pause = distinct(days, limits.cooldown_days, digits=1)
            causes.append(f"The last training was {since} days ago; the pause is {pause} days.")
    if past.trainings_30_days >= limits.max_per_30_days:
        causes.append(f"{past.trainings_30_days} trainings in the last 30 days; limit {limits.max_per_30_days}.")
    return tuple(causes)


def _reasons(readings: tuple[Reading, ...], *, first: bool, held: bool) -> tuple[str, ...]:
    fired = [reading for reading in readings if reading.state == "fired"]
    why = [*(["No version is in Production yet."] if first else []), *(reading.sentence for reading in fired)]
    if why and not held:
        return tuple(why)
    if why:
        names = ", ".join(reading.trigger for reading in fired)
        due = f"Retraining is due ({names} fired)" if names else "The first training is due"
        return (f"{due} but was postponed.", *why)
    states = [f"{reading.trigger} {STATES[reading.state]}" for reading in readings if reading.trigger in AUTOMATIC]
    return (f"No trigger fired: {', '.join(states)}.",)
