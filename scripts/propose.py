"""Open the promotion pull request for a candidate that passed, or update the one that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import GateBlockedError, RecordError
from scripts import log, options, output, runner
from scripts.night import Night
from scripts.repository import head_commit

if TYPE_CHECKING:
    from model.validation import Verdict
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
    from model.validation import Verdict

    night = Night.open(model, as_of)
    with night.stage("propose"):
        judged = night.take(Verdict, "verdict.json", verdict)
        proposal = run(night, judged)
        why = "is in Production already" if judged.passed else "was refused"
        nothing = [f"{night.name}: version {judged.candidate.version} {why}, nothing proposed"]
        told = lines(night, proposal) if proposal else nothing
        output.show(proposal or judged, told, as_json=json, out=out)
        runner.output("url", proposal.url if proposal else "")
        if exit_code and not judged.passed:
            raise blocked(judged)


def run(night: Night, verdict: Verdict) -> Proposal | None:
    """The pull request, or None where a gate blocked, or where this very version is in Production already."""
    champion = night.champion
    if not verdict.passed or (champion and champion.version == verdict.candidate.version):
        return None
    require_current(verdict, champion.version if champion else None)
    from model import manifest
    from review import proposal as text

    night.forge.ensure(night.settings.root)
    before, previous = night.manifest, night.forge.open_proposal(night.name)
    declared = text.manifest_for(verdict, before, head_commit(night.settings.root))
    made = night.forge.propose(
        night.name,
        text.title(verdict),
        text.body(verdict, before=before, previous=previous, **places(night)),
        {manifest.path(night.name): manifest.dump(declared)},
        night.as_of,
    )
    for note in night.forge.notes:
        output.warn(note)
    stay_current(night, verdict, made)
    log.proposal(night, made, verdict)
    return made


def stay_current(night: Night, verdict: Verdict, made: Proposal) -> None:
    """Close a proposal again if something was promoted while it was made.

    What is promoted after this look finds the proposal, and closes it (`scripts/promote.py`).
    """
    champion = night.registry.champion(night.config.registry_name)
    try:
        require_current(verdict, champion.version if champion else None)
    except RecordError as err:
        night.forge.close(made.number, err.what)
        raise


def require_current(verdict: Verdict, production: int | None) -> None:
    """Make sure that the candidate was compared with what is in Production now.

    Raises:
        RecordError: it was not.
    """
    if verdict.champion != production:
        was, now = (f"version {number}" if number else "no version" for number in (verdict.champion, production))
        raise RecordError(
            f"Version {verdict.candidate.version} was compared with {was}, and {now} is in Production now.",
            why="Something was promoted or rolled back since the candidate was judged.",
            fix="Run mlops validate again, then mlops propose; nothing is proposed.",
        )


def places(night: Night) -> dict[str, Any]:
    """What the body links to; on GitHub also the event log, which it draws (the local forge's report does that)."""
    from model.events import read_events
    from review.proposal import Links

    hub = night.settings.hub
    if hub is None:
        return {"report": f"local/{night.name}/report.html"}
    links = Links(run_url=hub.run_url, report_url=hub.report_url, mlflow_url=hub.mlflow_url, token=hub.identity)
    return {"links": links, "events": read_events(night.registry.client, night.name)}


def blocked(verdict: Verdict) -> GateBlockedError:
    """The error for `--exit-code`."""
    said = [gate.sentence for gate in verdict.gates if gate.state != "passes"]
    return GateBlockedError(
        f"Version {verdict.candidate.version} of {verdict.candidate.registry_name} is refused: {'; '.join(said)}.",
        fix="Read the report; the model in service stays in service.",
    )


def lines(night: Night, proposal: Proposal) -> list[str]:
    """The result for a person: where the pull request is, and how to merge it."""
    page = night.forge.page(proposal, night.settings.work(night.name) / "pulls")
    here = f"merge it with: git pull {night.settings.forge} {proposal.branch} && mlops promote --model {night.name}"
    return [
        f"{night.name}: pull request {proposal.number} is open: {output.clean(proposal.title)}",
        f"  read it in a browser: {page}",
        f"  {'merging it promotes, reverting it rolls back' if night.settings.hub else here}",
    ]
