"""The promotion pull request: a body that a reviewer decides on in two minutes, and the manifest it changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import wording
from core.errors import UsageError
from review.pull_request import charts
from review.text import Links, VerdictView, markdown, numbers, template

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
    """Return the title of the pull request: one line of plain text."""
    return markdown.inert(VerdictView(verdict).title, 120)


def manifest_for(verdict: Verdict, previous: Manifest | None, commit: str) -> Manifest:
    """Return the manifest that puts the judged candidate into Production.

    Raises:
        UsageError: the candidate was refused, or has no score.
    """
    from registry.promotion import Manifest

    candidate, main, promoted = verdict.candidate, verdict.main_score, promoted_with(verdict, previous)
    view = VerdictView(verdict)
    if main is None or main.value is None or not promoted:
        raise UsageError(
            f"Version {candidate.version} of {candidate.registry_name} cannot be declared for Production.",
            why="Its score is undefined on the holdout." if verdict.passed else view.headline,
            fix="Read the report. Nothing was proposed.",
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
        reason=markdown.clean("; ".join(view.reasons), 500),
    )


def promoted_with(verdict: Verdict, previous: Manifest | None) -> tuple[PromotedScore, ...]:
    """Return the scores of promoted versions after a merge, oldest first; empty if nothing may be merged.

    A verdict of an earlier release does not have them: they are those of the previous manifest, and its own score.
    """
    from monitoring.performance import KEPT_PROMOTIONS, PromotedScore

    main = verdict.main_score
    if not verdict.passed or main is None or main.value is None:
        return ()
    before = previous.promoted_in(main.metric) if previous else ()
    own = PromotedScore(version=verdict.candidate.version, metric=main.metric, score=main.value)
    return verdict.promoted or (*before, own)[-KEPT_PROMOTIONS:]


def _mean(promoted: tuple[PromotedScore, ...]) -> float:
    """Return the reference that these scores make."""
    from monitoring.performance import reference_score

    reference = reference_score(promoted)
    if reference is None:
        raise ValueError("no version was promoted")
    return reference.value


@dataclass(frozen=True)
class ReferenceChange:
    """What a merge does to the reference of the performance trigger.

    `kind`: "replaced" by another metric, "mean" if it was the best score until now, lower, higher or empty.
    """

    kind: str
    before: str = ""
    after: str = ""
    old_metric: str = ""
    metric: str = ""


def _reference_change(verdict: Verdict, before: Manifest | None) -> ReferenceChange:
    promoted, metric = promoted_with(verdict, before), VerdictView(verdict).metric
    if before is None or not promoted:
        return ReferenceChange("")
    after = _mean(promoted)
    kind = "higher" if after > before.reference else "lower" if after < before.reference else ""
    kind = kind if before.promoted else "mean"
    return ReferenceChange(
        "replaced" if metric != before.metric else kind,
        numbers.figure(before.metric, before.reference),
        numbers.figure(metric, after),
        wording.metric(before.metric),
        wording.metric(metric),
    )


def render_body(
    verdict: Verdict,
    *,
    before: Manifest | None = None,
    previous: Proposal | None = None,
    report: str | None = None,
    links: Links | None = None,
    events: Sequence[Event] = (),
    taken_back: str = "",
    uncommitted: Sequence[str] = (),
) -> str:
    """Return the body of the pull request in Markdown: the most important first, at most 65,000 characters.

    Args:
        verdict: what is to be decided on.
        before: what git declares now.
        previous: the open proposal that this one updates; its story is kept.
        report: path of the HTML report, shown if it has no address.
        links: addresses for the reviewer; None in the local forge.
        events: the model's event log, oldest first; with it, score and drift are drawn over time.
        taken_back: when the version was rolled back, if it was in Production before.
        uncommitted: settings that differ from the commit that the manifest names.
    """
    links, view = links or Links(), VerdictView(verdict)
    text = template.render_markdown(
        "review.pull_request",
        "body.md.jinja",
        view=view,
        before=before,
        replaced=before.version if before else verdict.champion,
        reference=_reference_change(verdict, before),
        links=links,
        report=report,
        charts=charts.over_time(verdict, events),
        taken_back=taken_back,
        uncommitted=uncommitted,
    )
    head, *sections = re.split(r"\n\n(?=## )", text)
    story = _story(verdict, previous)
    room = LIMIT - _size(head) - _size(story)
    return "\n\n".join(filter(None, [head, *_fitting(sections, room, links), story])) + "\n"


def _fitting(sections: Sequence[str], room: int, links: Links) -> list[str]:
    """Return the sections that fit, whole; of each other one its heading, and where to read it."""
    where = markdown.link("report", links.report_url) or markdown.link("workflow run", links.run_url) or "report"
    note = f"_This section is too long for a pull request. Read it in the {where}._"
    stubs = [f"{section.partition(chr(10))[0]}\n\n{note}" for section in sections]
    room -= sum(map(_size, stubs))
    fitting = []
    for section, stub in zip(sections, stubs, strict=True):
        more = _size(section) - _size(stub)
        fitting.append(section if more <= room else stub)
        room -= more if more <= room else 0
    return fitting


def _size(text: str) -> int:
    """Return the UTF-16 length, which is how the strictest reader counts characters, with an empty line."""
    return len(text.encode("utf-16-le")) // 2 + len("\n\n")


def _story(verdict: Verdict, previous: Proposal | None) -> str:
    """Return what this pull request proposed before: the lines of the body it replaces, and one for that body."""
    if previous is None:
        return ""
    lines = STORY_LINE.findall(previous.body.partition(STORY)[2])
    if (previous.title, previous.as_of) != (title(verdict), verdict.as_of):
        lines.append(f"- {numbers.moment(previous.as_of)}: {markdown.plain(previous.title)}")
    return "\n".join([STORY, "", *lines[-MOST_STORY:]]) if lines else ""
