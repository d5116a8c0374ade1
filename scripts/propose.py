"""The command `mlops propose`: open or update the promotion pull request of a candidate that passed."""

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
    """Read verdict.json. If every gate passed, commit the manifest to branch promote/NAME and open its pull request.

    Example: mlops propose --model flights --as-of 2013-06-01
    """
    from training.gates import Verdict

    night = Night.open(model, as_of)
    with night.stage("propose"):
        judged = night.read_record(Verdict, "verdict.json", verdict)
        proposal = propose_candidate(night, judged)
        why = "is already in Production" if judged.passed else "was refused"
        nothing = [f"{night.name}: version {judged.candidate.version} {why}, no pull request opened"]
        output.show(proposal or judged, lines(night, proposal) if proposal else nothing, as_json=json, out=out)
        github_runner.output("url", proposal.url if proposal else "")
        if exit_code:
            judged.require_passed()


def lines(night: Night, proposal: Proposal) -> list[str]:
    """Return the result as text: where the pull request is, and how to merge it."""
    page = night.forge.page(proposal, night.settings.work(night.name) / "pulls")
    here = f"merge it with: git pull {night.settings.forge} {proposal.branch} && mlops promote --model {night.name}"
    return [
        f"{night.name}: pull request {proposal.number} is open: {output.clean(proposal.title)}",
        f"  read it in a browser: {page}",
        f"  {'merging it promotes, reverting it rolls back' if night.settings.hub else here}",
    ]
