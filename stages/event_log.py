"""Leave one entry in the event log for everything that happens to a model, refusals and failures included."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from core.errors import MlopsError
from core.failure import Failure
from scripts.cli import output

if TYPE_CHECKING:
    from core.failure import Stage
    from monitoring.triggers import Decision
    from registry import Event
    from review.forge import Proposal
    from stages.context import Night
    from training import Candidate
    from training.gates import Verdict


def decision(night: Night, made: Decision) -> None:
    """A night was judged."""
    told: dict[str, str] = {r.trigger: f"{r.state.replace('_', ' ')}: {r.sentence}" for r in made.readings}
    _write(
        night,
        "decision",
        trigger=", ".join(r.trigger for r in made.readings if r.state == "fired"),
        success=True,
        version=made.champion,
        metrics={**_readings(made), **_drift(night, made)},
        reasons=(*made.reasons, *made.held_back_by),
        details={"retrain": str(made.retrain).lower(), **told},
    )


def training(night: Night, made: Candidate) -> None:
    """A candidate was trained and registered."""
    _write(
        night,
        "training",
        trigger=fired(made.decision),
        success=True,
        version=made.version,
        metrics={"fit_rows": float(made.fit_rows), "holdout_rows": float(made.holdout_rows)},
        reasons=made.decision.reasons,
    )


def validation(night: Night, made: Verdict) -> None:
    """A candidate was judged: success means that every gate let it pass."""
    _write(
        night,
        "validation",
        trigger=fired(made.candidate.decision),
        success=made.passed,
        version=made.candidate.version,
        metrics={score.metric: score.value for score in made.scores if score.value is not None},
        reasons=tuple(gate.sentence for gate in made.gates if gate.state != "passes"),
    )


def proposal(night: Night, made: Proposal, verdict: Verdict) -> None:
    """A candidate was proposed for Production."""
    _write(
        night,
        "proposal",
        trigger=fired(verdict.candidate.decision),
        success=True,
        version=verdict.candidate.version,
        reasons=(made.title,),
        details={"url": made.url, "number": str(made.number)},
    )


def move(night: Night, *, before: int | None, after: int, commit: str, sentence: str) -> None:
    """Production was made to agree with git: forward is a promotion, back to an older version a rollback."""
    _write(
        night,
        "promotion" if before is None or after > before else "rollback",
        trigger="git",
        success=True,
        version=after,
        reasons=(sentence,),
        details={"commit": commit, "before": str(before or "")},
    )


def failure(night: Night, stage: Stage, err: Exception) -> None:
    """A stage failed: in a file for the job that tells people, and in the log, unless that cannot be reached either."""
    made = Failure.of(night.name, night.as_of, stage, err)
    with contextlib.suppress(MlopsError):
        made.write(night.file(made.file, None))
    with contextlib.suppress(MlopsError):
        _write(night, "failure", trigger=stage, success=False, version=None, reasons=(made.why,), error=made.what)
        return
    output.note("The event log could not be reached either: this failure is not in it.")


def fired(made: Decision) -> str:
    """The triggers that led to a training, as one word each."""
    names = [reading.trigger for reading in made.readings if reading.state == "fired"]
    return "first" if made.first else ", ".join(names)


def _readings(made: Decision) -> dict[str, float]:
    values = {f"{reading.trigger}": reading.value for reading in made.readings if reading.value is not None}
    limits = {f"{reading.trigger}_limit": reading.limit for reading in made.readings if reading.limit is not None}
    return {**values, **limits}


def _drift(night: Night, made: Decision) -> dict[str, float]:
    """The largest effect among the columns that drifted tonight, 0 where none did, and the least that counts.

    Effects of columns that did not drift would mislead: large ones are usual in seasons, and mean nothing.
    """
    columns = made.drift.nights[-1].columns if made.drift and made.drift.nights else ()
    if not columns:
        return {}
    effect = max((column.effect for column in columns if column.drifted and not column.ignored), default=0.0)
    return {"drift_effect": effect, "drift_effect_limit": night.config.triggers.drift.min_effect}


def _write(night: Night, kind: str, **fields: object) -> None:
    from registry import Event, record_event

    event: Event = Event.model_validate({"timestamp": night.as_of, "model": night.name, "kind": kind, **fields})
    record_event(night.registry.client, event)
