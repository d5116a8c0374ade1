"""The propose stage: open or update the promotion pull request."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from core.errors import ConfigError, RecordError
from stages import event_log

if TYPE_CHECKING:
    from review.forge import Proposal
    from stages.ports import Run
    from training.gates import Verdict

LOG = logging.getLogger("mlops")


def propose_candidate(run: Run, verdict: Verdict) -> Proposal | None:
    """Return the pull request; None if a gate blocked, or if this version is in Production already."""
    champion = run.champion
    if not verdict.passed or (champion and champion.version == verdict.candidate.version):
        return None
    _require_current(verdict, champion.version if champion else None)
    changed = _require_committed_code(run)
    from registry.promotion import manifest
    from review import pull_request

    forge = run.forge
    forge.ensure(run.settings.root)
    before, previous = run.manifest, forge.open_proposal(run.name)
    _require_newest(verdict, previous)
    declared = pull_request.manifest_for(verdict, before, run.commit)
    proposal = forge.propose(
        run.name,
        pull_request.title(verdict),
        pull_request.render_body(
            verdict, before=before, previous=previous, uncommitted=changed, **_links(run, verdict.candidate.version)
        ),
        {manifest.path(run.name): manifest.dump(declared)},
        run.as_of,
    )
    for note in forge.notes:
        LOG.warning(note)
    _stay_current(run, verdict, proposal)
    event_log.proposal(run, proposal, verdict)
    return proposal


def _stay_current(run: Run, verdict: Verdict, proposal: Proposal) -> None:
    """Close the proposal again if something was promoted while it was opened.

    A promotion after this check finds the open proposal and closes it (`stages/promote.py`).
    """
    champion = run.registry.champion(run.config.registry_name)
    try:
        _require_current(verdict, champion.version if champion else None)
    except RecordError as err:
        run.forge.close(proposal.number, err.what)
        raise


def _require_current(verdict: Verdict, production: int | None) -> None:
    """Make sure that the candidate was compared with the version that is in Production now.

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


def _require_committed_code(run: Run) -> tuple[str, ...]:
    """Return the settings that differ from the commit that the manifest names; code must not.

    Raises:
        ConfigError: code differs.
    """
    changed = run.uncommitted
    code = [file for file in changed if file.endswith(".py")]
    if code:
        raise ConfigError(
            f"{', '.join(code[:3])} is not committed as it is: it differs from commit {run.commit[:12]}.",
            why="The pull request would name a commit that does not hold the code of the training.",
            fix="Commit it, then run mlops train, validate and propose again.",
        )
    if changed:
        LOG.warning("%s is not committed as it is; the pull request says so.", ", ".join(changed))
    return changed


def _require_newest(verdict: Verdict, previous: Proposal | None) -> None:
    """Make sure that the open pull request is not of a later night: a job may be run again days later.

    Raises:
        RecordError: it is.
    """
    if previous is not None and previous.as_of > verdict.as_of:
        raise RecordError(
            f"Pull request {previous.number} of {previous.as_of:%Y-%m-%d} is later than this candidate "
            f"({verdict.as_of:%Y-%m-%d}).",
            why="An old job was run again after a later nightly run had proposed its candidate.",
            fix=f"Decide on pull request {previous.number}. To propose this candidate instead, close it first.",
        )


def _links(run: Run, version: int) -> dict[str, Any]:
    """Return the links of the body, on GitHub also the events, which it draws, and when `version` was rolled back."""
    from review.text import Links, event_text

    hub, events = run.settings.hub, run.registry.events(run.name)
    taken_back = event_text.taken_back(version, events)
    if hub is None:
        return {"report": f"local/{run.name}/report.html", "taken_back": taken_back}
    links = Links(run_url=hub.run_url, report_url=hub.report_url, mlflow_url=hub.mlflow_url, token=hub.identity)
    return {"links": links, "events": events, "taken_back": taken_back}
