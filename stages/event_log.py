"""Leave one entry in the event log for everything that happens to a model, refusals and failures included."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.errors import MlopsError
from core.failure import Failure

if TYPE_CHECKING:
    from core.config import ModelConfig
    from core.failure import Stage
    from monitoring.triggers import Decision
    from registry import Event, Registry
    from review.forge import Proposal
    from training import Candidate
    from training.gates import Verdict


LOG = logging.getLogger("mlops")


class Run(Protocol):
    """What the log needs of the run that it writes about: a `stages.context.Night`."""

    as_of: dt.datetime

    @property
    def name(self) -> str:
        """The model's folder name."""

    @property
    def config(self) -> ModelConfig:
        """The model."""

    @property
    def registry(self) -> Registry:
        """The store that keeps the log."""

    def file(self, name: str, given: Path | None) -> Path:
        """Return the path of a record."""


def decision(run: Run, made: Decision) -> None:
    """A night was judged."""
    told: dict[str, str] = {r.trigger: f"{r.state.replace('_', ' ')}: {r.sentence}" for r in made.readings}
    _write(
        run,
        "decision",
        trigger=", ".join(r.trigger for r in made.readings if r.state == "fired"),
        success=True,
        version=made.champion,
        metrics={**_readings(made), **_drift(run, made)},
        reasons=(*made.reasons, *made.held_back_by),
        details={"retrain": str(made.retrain).lower(), **told},
    )


def training(run: Run, made: Candidate) -> None:
    """A candidate was trained and registered."""
    _write(
        run,
        "training",
        trigger=fired(made.decision),
        success=True,
        version=made.version,
        metrics={"fit_rows": float(made.fit_rows), "holdout_rows": float(made.holdout_rows)},
        reasons=made.decision.reasons,
    )


def validation(run: Run, made: Verdict) -> None:
    """A candidate was judged: success means that every gate let it pass."""
    _write(
        run,
        "validation",
        trigger=fired(made.candidate.decision),
        success=made.passed,
        version=made.candidate.version,
        metrics={score.metric: score.value for score in made.scores if score.value is not None},
        reasons=tuple(gate.sentence for gate in made.gates if gate.state != "passes"),
    )


def proposal(run: Run, made: Proposal, verdict: Verdict) -> None:
    """A candidate was proposed for Production."""
    _write(
        run,
        "proposal",
        trigger=fired(verdict.candidate.decision),
        success=True,
        version=verdict.candidate.version,
        reasons=(made.title,),
        details={"url": made.url, "number": str(made.number)},
    )


def move(run: Run, *, before: int | None, after: int, commit: str, sentence: str) -> None:
    """Production was made to agree with git: forward is a promotion, back to an older version a rollback."""
    _write(
        run,
        "promotion" if before is None or after > before else "rollback",
        trigger="git",
        success=True,
        version=after,
        reasons=(sentence,),
        details={"commit": commit, "before": str(before or "")},
    )


def failure(run: Run, stage: Stage, err: Exception) -> None:
    """A stage failed: in a file for the job that tells people, and in the log, unless that cannot be reached either."""
    made = Failure.of(run.name, run.as_of, stage, err)
    with contextlib.suppress(MlopsError):
        made.write(run.file(made.file, None))
    with contextlib.suppress(MlopsError):
        _write(run, "failure", trigger=stage, success=False, version=None, reasons=(made.why,), error=made.what)
        return
    LOG.info("The event log could not be reached either: this failure is not in it.")


def fired(made: Decision) -> str:
    """The triggers that led to a training, as one word each."""
    names = [reading.trigger for reading in made.readings if reading.state == "fired"]
    return "first" if made.first else ", ".join(names)


def _readings(made: Decision) -> dict[str, float]:
    values = {f"{reading.trigger}": reading.value for reading in made.readings if reading.value is not None}
    limits = {f"{reading.trigger}_limit": reading.limit for reading in made.readings if reading.limit is not None}
    return {**values, **limits}


def _drift(run: Run, made: Decision) -> dict[str, float]:
    """The largest effect among the columns that drifted tonight, 0 where none did, and the least that counts.

    Effects of columns that did not drift would mislead: large ones are usual in seasons, and mean nothing.
    """
    columns = made.drift.nights[-1].columns if made.drift and made.drift.nights else ()
    if not columns:
        return {}
    effect = max((column.effect for column in columns if column.drifted and not column.ignored), default=0.0)
    return {"drift_effect": effect, "drift_effect_limit": run.config.triggers.drift.min_effect}


def _write(run: Run, kind: str, **fields: object) -> None:
    from registry import Event, record_event

    event: Event = Event.model_validate({"timestamp": run.as_of, "model": run.name, "kind": kind, **fields})
    record_event(run.registry.client, event)
