"""Write the promotion pull request: a body that a reviewer decides on in two minutes, and the manifest it changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.errors import UsageError
from review import details, sections, words
from review.markdown import clean, plain

if TYPE_CHECKING:
    from model.manifest import Manifest
    from model.validation import Verdict
    from review.forge import Proposal

LIMIT = 60_000  # GitHub refuses a body over 65,536 characters
CUT = "_Cut here: the rest is in the report._\n"
STORY = "## Earlier in this pull request"
STORY_LINE = re.compile(r"^- \d{4}-\d\d-\d\d: .*$", re.MULTILINE)
MOST_STORY = 20


def title(verdict: Verdict) -> str:
    """The title of the pull request: one line of plain text."""
    return clean(words.title(verdict), 120)


def manifest_for(verdict: Verdict, previous: Manifest | None, commit: str) -> Manifest:
    """The manifest that puts the judged candidate into Production.

    The reference is the best score of a promoted version so far, so a retraining cannot lower it silently.

    Raises:
        UsageError: the candidate was refused, or has no score.
    """
    from model.manifest import Manifest

    candidate, main = verdict.candidate, next(iter(verdict.scores), None)
    if not verdict.passed or main is None or main.value is None:
        raise UsageError(
            f"Version {candidate.version} of {candidate.registry_name} cannot be declared for Production.",
            why=words.headline(verdict) if not verdict.passed else "Its score is undefined on the holdout.",
            fix="Read the report; the model in service stays in service.",
        )
    known = [previous.reference] if previous is not None and previous.metric == main.metric else []
    return Manifest(
        model=candidate.registry_name,
        version=candidate.version,
        run_id=candidate.run_id,
        digest=candidate.digest,
        data_digest=candidate.data_digest,
        commit=commit,
        champion=verdict.champion,
        trained_at=candidate.as_of,
        data_until=candidate.data_until,
        metric=main.metric,
        score=main.value,
        reference=max([main.value, *known, *([] if verdict.reference is None else [verdict.reference])]),
        reason=clean("; ".join(words.reasons(verdict)), 500),
    )


def body(
    verdict: Verdict,
    *,
    before: Manifest | None = None,
    previous: Proposal | None = None,
    run_url: str | None = None,
    report: str | None = None,
) -> str:
    """The body of the pull request in Markdown: the most important first, under 60,000 characters, cut at a section.

    Args:
        verdict: what is to be decided on.
        before: what git declares now.
        previous: the open proposal that this one updates; its story is kept.
        run_url: the workflow run that made it.
        report: address or path of the HTML report.
    """
    parts = [
        sections.summary(verdict, run_url, report),
        sections.why(verdict),
        sections.comparison(verdict),
        sections.gates(verdict),
        sections.merging(verdict, before),
        details.slices(verdict),
        details.quality(verdict),
        details.drift(verdict),
        details.origin(verdict),
        _story(verdict, previous),
    ]
    text = ""
    for part in filter(None, parts):
        if len(text) + len(part) + len(CUT) + 2 > LIMIT:
            return text + CUT
        text += part + "\n\n"
    return text.rstrip() + "\n"


def _story(verdict: Verdict, previous: Proposal | None) -> str:
    """What this pull request proposed before: the lines of the body it replaces, and one for that body itself."""
    if previous is None:
        return ""
    lines = STORY_LINE.findall(previous.body.partition(STORY)[2])
    if (previous.title, previous.as_of) != (title(verdict), verdict.as_of):
        lines.append(f"- {words.moment(previous.as_of)}: {plain(previous.title)}")
    return "\n".join([STORY, "", *lines[-MOST_STORY:]]) if lines else ""
