"""Train a candidate on labelled rows up to the watermark, and register it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.cli import options, output
from stages.context import Night
from stages.train import train_candidate

if TYPE_CHECKING:
    from training import Candidate


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
        decided = night.read_record(Decision, "decision.json", decision)
        if not decided.retrain:
            output.show(decided, [f"{night.name}: the decision is not to retrain, nothing done"], as_json=json)
            return
        candidate = train_candidate(night, decided, out)
        output.show(candidate, lines(candidate), as_json=json)


def lines(candidate: Candidate) -> list[str]:
    """The result for a person."""
    span = f"{candidate.fit_from:%Y-%m-%d} to {candidate.fit_until:%Y-%m-%d}"
    apart = f"{candidate.holdout_rows:,} kept apart up to {candidate.data_until:%Y-%m-%d}"
    return [
        f"{candidate.model}: trained version {candidate.version} of {candidate.registry_name}",
        f"  on {candidate.fit_rows:,} rows from {span}, {apart}",
    ]
