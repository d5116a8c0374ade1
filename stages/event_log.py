"""The event log: one entry for everything that happens to a model, refusals and failures included."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from typing import TYPE_CHECKING

from core.errors import MlopsError
from core.failure import Failure

if TYPE_CHECKING:
    from core.failure import Stage
    from monitoring.triggers import Decision
    from review.forge import Proposal
    from stages.ports import Run
    from training import Candidate
    from training.gates import Verdict


LOG = logging.getLogger("mlops")


def decision(run: Run, decision: Decision) -> None:
    """Record that the triggers were judged."""
    readings: dict[str, str] = {r.trigger: f"{r.state.replace('_', ' ')}: {r.sentence}" for r in decision.readings}
    _record(
        run,
        "decision",
        trigger=", ".join(_fired(decision)),
        success=True,
        version=decision.champion,
        metrics={**_readings(decision), **_drift(run, decision)},
        reasons=(*decision.reasons, *decision.held_back_by),
        details={"retrain": str(decision.retrain).lower(), **readings},
    )


def training(run: Run, candidate: Candidate) -> None:
    """Record that a candidate was trained and registered."""
    _record(
        run,
        "training",
        trigger=_cause(candidate.decision),
        success=True,
        version=candidate.version,
        metrics={"fit_rows": float(candidate.fit_rows), "holdout_rows": float(candidate.holdout_rows)},
        reasons=candidate.decision.reasons,
    )


def validation(run: Run, verdict: Verdict) -> None:
    """Record that a candidate was judged; success means that every gate let it pass."""
    _record(
        run,
        "validation",
        trigger=_cause(verdict.candidate.decision),
        success=verdict.passed,
        version=verdict.candidate.version,
        metrics={score.metric: score.value for score in verdict.scores if score.value is not None},
        reasons=tuple(gate.sentence for gate in verdict.gates if gate.state != "passes"),
    )


def proposal(run: Run, proposal: Proposal, verdict: Verdict) -> None:
    """Record that a candidate was proposed for Production."""
    _record(
        run,
        "proposal",
        trigger=_cause(verdict.candidate.decision),
        success=True,
        version=verdict.candidate.version,
        reasons=(proposal.title,),
        details={"url": proposal.url, "number": str(proposal.number)},
    )


def move(run: Run, moment: dt.datetime, *, before: int | None, after: int, commit: str, sentence: str) -> None:
    """Record that Production moved at `moment`: to a newer version is a promotion, to an older one a rollback."""
    _record(
        run,
        "promotion" if before is None or after > before else "rollback",
        trigger="git",
        success=True,
        version=after,
        reasons=(sentence,),
        details={"commit": commit, "before": str(before or ""), "by": run.author},
        timestamp=moment,
    )


def failure(run: Run, stage: Stage, err: Exception) -> None:
    """Write that a stage failed to a file, for the job that alerts people, and to the log if it can be reached.

    Then the registry is asked what is in Production now: a promotion may have ended halfway.
    """
    failure = Failure.of(run.name, run.as_of, stage, err)
    with contextlib.suppress(MlopsError):
        run.write(failure.file, failure.to_json)
    try:
        _record(run, "failure", trigger=stage, success=False, version=None, reasons=(failure.why,), error=failure.what)
        production = run.registry.state(run.config.registry_name).sentence
    except MlopsError:
        LOG.info("The event log could not be reached either: this failure is not in it.")
        return
    with contextlib.suppress(MlopsError):
        run.write(failure.file, failure.model_copy(update={"production": production}).to_json)
    if isinstance(err, MlopsError):
        err.production = production


def _fired(decision: Decision) -> list[str]:
    return [reading.trigger for reading in decision.readings if reading.state == "fired"]


def _cause(decision: Decision) -> str:
    """Return the triggers that led to a training."""
    return "first" if decision.first else ", ".join(_fired(decision))


def _readings(decision: Decision) -> dict[str, float]:
    values = {f"{reading.trigger}": reading.value for reading in decision.readings if reading.value is not None}
    limits = {f"{reading.trigger}_limit": reading.limit for reading in decision.readings if reading.limit is not None}
    return {**values, **limits}


def _drift(run: Run, decision: Decision) -> dict[str, float]:
    """Return the largest effect among the columns that drifted (0 if none did), and the smallest one that counts.

    Effects of columns that did not drift would mislead: large ones are usual in seasons, and mean nothing.
    """
    columns = decision.drift.nights[-1].columns if decision.drift and decision.drift.nights else ()
    if not columns:
        return {}
    effect = max((column.effect for column in columns if column.drifted and not column.ignored), default=0.0)
    return {"drift_effect": effect, "drift_effect_limit": run.config.triggers.drift.min_effect}


def _record(run: Run, kind: str, **fields: object) -> None:
    from registry import Event

    event: Event = Event.model_validate({"timestamp": run.as_of, "model": run.name, "kind": kind, **fields})
    run.registry.record_event(event)
