"""Open the promotion pull request for a candidate that passed, or update the one that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.cli import github_runner, options, output
from stages.context import Night
from stages.propose import propose_candidate

if TYPE_CHECKING:
    from review.forge import Proposal


def propose(
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
    verdict: options.From = None,
    exit_code: options.ExitCode = False,
) -> None:
    """Read verdict.json; if every gate passed, put the manifest on branch promote/NAME and open its pull request.

    Example: mlops propose --model flights --as-of 2013-06-01
    """
    from training.gates import Verdict

    night = Night.open(model, as_of)
    with night.stage("propose"):
        judged = night.read_record(Verdict, "verdict.json", verdict)
        proposal = propose_candidate(night, judged)
        why = "is in Production already" if judged.passed else "was refused"
        nothing = [f"{night.name}: version {judged.candidate.version} {why}, nothing proposed"]
        told = lines(night, proposal) if proposal else nothing
        output.show(proposal or judged, told, as_json=json, out=out)
        github_runner.output("url", proposal.url if proposal else "")
        if exit_code:
            judged.require_passed()


def lines(night: Night, proposal: Proposal) -> list[str]:
    """The result for a person: where the pull request is, and how to merge it."""
    page = night.forge.page(proposal, night.settings.work(night.name) / "pulls")
    here = f"merge it with: git pull {night.settings.forge} {proposal.branch} && mlops promote --model {night.name}"
    return [
        f"{night.name}: pull request {proposal.number} is open: {output.clean(proposal.title)}",
        f"  read it in a browser: {page}",
        f"  {'merging it promotes, reverting it rolls back' if night.settings.hub else here}",
    ]
