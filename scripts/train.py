"""Train a candidate on labelled rows up to the watermark, and register it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts import options, output
from scripts.night import Night

if TYPE_CHECKING:
    from model.training import Candidate
    from monitoring.triggers import Decision


def train(
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
    decision: options.From = None,
) -> None:
    """Read decision.json; if it says so, train on the labelled rows, register the candidate, write candidate.json.

    Example: mlops train --model flights --as-of 2013-06-01
    """
    from monitoring.triggers import Decision

    night = Night.open(model, as_of)
    with night.stage("train"):
        decided = night.take(Decision, "decision.json", decision)
        if not decided.retrain:
            output.show(decided, [f"{night.name}: the decision is not to retrain, nothing done"], as_json=json)
            return
        candidate = run(night, decided)
        candidate.write(night.file("candidate.json", out))
        output.show(candidate, lines(candidate), as_json=json)


def run(night: Night, decision: Decision) -> Candidate:
    """Train and register; the same rows, config and pipeline give the version that is already there.

    Raises:
        DataError: the rows do not suffice, or the expectation suite refuses them.
    """
