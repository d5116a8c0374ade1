"""Write the promotion pull request: a body that a reviewer decides on in two minutes, and the manifest it changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.errors import UsageError
from review.pull_request import charts, sections
from review.text import Links, clean, inert, link, plain, section, verdict_sections, verdict_text

if TYPE_CHECKING:
    from monitoring.performance import PromotedScore
    from registry import Event
    from registry.promotion import Manifest
    from review.forge import Proposal
    from training.gates import Verdict

LIMIT = 65_000  # GitHub refuses a body over 65,536 characters; the forge adds a line of its own
STORY = "## Earlier in this pull request"
STORY_LINE = re.compile(r"^- \d{4}-\d\d-\d\d: .*$", re.MULTILINE)
MOST_STORY = 20


def title(verdict: Verdict) -> str:
    """The title of the pull request: one line of plain text."""
    return inert(verdict_text.title(verdict), 120)


def manifest_for(verdict: Verdict, previous: Manifest | None, commit: str) -> Manifest:
    """The manifest that puts the judged candidate into Production.

    Raises:
        UsageError: the candidate was refused, or has no score.
    """
    from registry.promotion import Manifest

    candidate, main, promoted = verdict.candidate, verdict.main_score, promoted_with(verdict, previous)
    if main is None or main.value is None or not promoted:
        raise UsageError(
            f"Version {candidate.version} of {candidate.registry_name} cannot be declared for Production.",
            why=verdict_text.headline(verdict) if not verdict.passed else "Its score is undefined on the holdout.",
            fix="Read the report; the model in service stays in service.",
        )
    return Manifest(
        model=candidate.registry_name,
        version=candidate.version,
        run_id=candidate.run_id,
        digest=candidate.digest,
        records_digest=candidate.records_digest,
        data_digest=candidate.data_digest,
        commit=commit,
        champion=verdict.champion,
        trained_at=candidate.as_of,
        data_until=candidate.data_until,
        metric=main.metric,
        score=main.value,
        promoted=promoted,
        reference=_mean(promoted),
        reason=clean("; ".join(verdict_text.reasons(verdict)), 500),
    )


def promoted_with(verdict: Verdict, previous: Manifest | None) -> tuple[PromotedScore, ...]:
    """Return the scores of promoted versions after a merge, oldest first; empty if nothing may be merged.

    A verdict of an earlier release does not have them: they are those of the previous manifest, and its own score.
    """
    main = verdict.main_score
    if not verdict.passed or main is None or main.value is None:
        return ()
    if verdict.promoted:
        return verdict.promoted
    from monitoring.performance import KEPT_PROMOTIONS, PromotedScore

    before = previous.promoted_in(main.metric) if previous else ()
    own = PromotedScore(version=verdict.candidate.version, metric=main.metric, score=main.value)
    return (*before, own)[-KEPT_PROMOTIONS:]


def _mean(promoted: tuple[PromotedScore, ...]) -> float:
    """Return the reference that these scores make."""
    from monitoring.performance import reference_score

    reference = reference_score(promoted)
    if reference is None:
        raise ValueError("no version was promoted")
    return reference.value


def reference_after(verdict: Verdict, previous: Manifest | None) -> float | None:
    """Return the reference after a merge; None if nothing may be merged."""
    promoted = promoted_with(verdict, previous)
    return _mean(promoted) if promoted else None


def render_body(
    verdict: Verdict,
    *,
    before: Manifest | None = None,
    previous: Proposal | None = None,
    report: str | None = None,
    links: Links | None = None,
    events: Sequence[Event] = (),
) -> str:
    """The body of the pull request in Markdown: the most important first, at most 65,000 characters.

    Args:
        verdict: what is to be decided on.
        before: what git declares now.
        previous: the open proposal that this one updates; its story is kept.
        report: path of the HTML report, shown where it has no address.
        links: where to read more; None in the local forge.
        events: the model's event log, oldest first; with it, score and drift are drawn over time.
    """
    links = links or Links()
    parts = [
        verdict_sections.why(verdict),
        sections.comparison(verdict),
        verdict_sections.gates(verdict),
        sections.merging(verdict, before, reference_after(verdict, before), links),
        sections.slices(verdict),
        sections.quality(verdict),
        sections.drift(verdict),
        charts.over_time(verdict, events),
        sections.origin(verdict, links),
    ]
    head, story = sections.summary(verdict, links, report), _story(verdict, previous)
    room = LIMIT - _size(head) - _size(story)
    return "\n\n".join(filter(None, [head, *_fitting([*filter(None, parts)], room, links), story])) + "\n"


def _fitting(parts: Sequence[str], room: int, links: Links) -> list[str]:
    """The parts, as many whole ones as there is room for; of the others the heading, and where to read them."""
    where = link("report", links.report_url) or link("workflow run", links.run_url) or "report"
    note = f"_Too long for a pull request: it is in the {where}._"
    stubs = [section(part.splitlines()[0].removeprefix("## "), note) for part in parts]
    room -= sum(map(_size, stubs))
    fitting = []
    for part, stub in zip(parts, stubs, strict=True):
        more = _size(part) - _size(stub)
        fitting.append(part if more <= room else stub)
        room -= more if more <= room else 0
    return fitting


def _size(text: str) -> int:
    """Characters as the strictest reader counts them, which takes those beyond 16 bits for two; and an empty line."""
    return len(text.encode("utf-16-le")) // 2 + len("\n\n")


def _story(verdict: Verdict, previous: Proposal | None) -> str:
    """What this pull request proposed before: the lines of the body it replaces, and one for that body itself."""
    if previous is None:
        return ""
    lines = STORY_LINE.findall(previous.body.partition(STORY)[2])
    if (previous.title, previous.as_of) != (title(verdict), verdict.as_of):
        lines.append(f"- {verdict_text.moment(previous.as_of)}: {plain(previous.title)}")
    return "\n".join([STORY, "", *lines[-MOST_STORY:]]) if lines else ""
