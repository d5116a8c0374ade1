"""Write the report: one page with pictures that shows all of a verdict's evidence and needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from review.pages import timeline
from review.pages.template import template
from review.text import event_text, markdown, scales, verdict_text

if TYPE_CHECKING:
    from registry import Event
    from training.gates import Verdict

MOST_COLUMNS = 12
FORMATS = {
    "number": markdown.number,
    "signed": markdown.signed,
    "figure": verdict_text.figure,
    "change": verdict_text.change,
    "reading": verdict_text.reading,
    "count": verdict_text.count,
    "label": verdict_text.label,
    "chance": verdict_text.chance,
    "moment": verdict_text.moment,
    "clean": markdown.clean,
}


def render_report(verdict: Verdict, events: Sequence[Event] = ()) -> str:
    """The report as one HTML page: no script, nothing loaded, light and dark, phone and desktop.

    Args:
        verdict: what was found.
        events: the model's event log, oldest first.
    """
    page = template("report.html.jinja", **FORMATS)
    return str(page.render(verdict=verdict, words=verdict_text, pictures=scales, **_parts(verdict, events)))


def _parts(verdict: Verdict, events: Sequence[Event]) -> dict[str, Any]:
    decision = verdict.candidate.decision
    metrics = scales.metric_rows(verdict)
    ordered = sorted(verdict.slices, key=lambda one: (one.column, -one.rows))
    slices = scales.slice_rows(ordered, verdict_text.main(verdict))
    columns = verdict_text.drifted_first(decision.drift)
    reports = [report for report in (verdict.candidate.quality, decision.quality) if report is not None]
    return {
        "candidate": verdict.candidate,
        "decision": decision,
        "metrics": metrics,
        "slices": slices,
        "slice_scale": scales.rows_scale(slices),
        "columns": columns[:MOST_COLUMNS],
        "other_columns": columns[MOST_COLUMNS:],
        "reports": reports,
        "timeline": timeline.timeline(events, verdict_text.main(verdict)),
        "history": [(kind, event_text.told(event)) for kind, event in timeline.history(events)],
    }
