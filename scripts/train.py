"""The command `mlops train`: train a candidate on labelled rows up to the watermark, and register it once."""

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
    """Read decision.json. If it asks for a retraining, train and register a candidate, and write candidate.json.

    Example: mlops train --model flights --as-of 2013-06-01
    """
    from monitoring.triggers import Decision

    night = Night.open(model, as_of)
    with night.stage("train"):
        decided = night.read_record(Decision, "decision.json", decision)
        if not decided.retrain:
            output.show(
                decided, [f"{night.name}: the decision is not to retrain, so nothing was trained"], as_json=json
            )
            return
        candidate = train_candidate(night, decided, out)
        output.show(candidate, lines(candidate), as_json=json)


def lines(candidate: Candidate) -> list[str]:
    """Return the result as text."""
    span = f"{candidate.fit_from:%Y-%m-%d} to {candidate.fit_until:%Y-%m-%d}"
    holdout = f"holdout of {candidate.holdout_rows:,} rows up to {candidate.data_until:%Y-%m-%d}"
    return [
        f"{candidate.model}: trained version {candidate.version} of {candidate.registry_name}",
        f"  on {candidate.fit_rows:,} rows from {span}, {holdout}",
    ]
