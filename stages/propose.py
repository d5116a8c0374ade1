"""The propose stage: open or update the promotion pull request."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from core.errors import RecordError
from stages import event_log
from stages.context import Night
from stages.repository import head_commit

if TYPE_CHECKING:
    from review.forge import Proposal
    from training.gates import Verdict

LOG = logging.getLogger("mlops")


def run(night: Night, verdict: Verdict) -> Proposal | None:
    """The pull request, or None where a gate blocked, or where this very version is in Production already."""
    champion = night.champion
    if not verdict.passed or (champion and champion.version == verdict.candidate.version):
        return None
    require_current(verdict, champion.version if champion else None)
    from registry.promotion import manifest
    from review import pull_request

    night.forge.ensure(night.settings.root)
    before, previous = night.manifest, night.forge.open_proposal(night.name)
    declared = pull_request.manifest_for(verdict, before, head_commit(night.settings.root))
    made = night.forge.propose(
        night.name,
        pull_request.title(verdict),
        pull_request.render_body(verdict, before=before, previous=previous, **places(night)),
        {manifest.path(night.name): manifest.dump(declared)},
        night.as_of,
    )
    for note in night.forge.notes:
        LOG.warning(note)
    stay_current(night, verdict, made)
    event_log.proposal(night, made, verdict)
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
    from registry import read_events
    from review.text import Links

    hub = night.settings.hub
    if hub is None:
        return {"report": f"local/{night.name}/report.html"}
    links = Links(run_url=hub.run_url, report_url=hub.report_url, mlflow_url=hub.mlflow_url, token=hub.identity)
    return {"links": links, "events": read_events(night.registry.client, night.name)}
