"""Write the report: one page with pictures that shows all of a verdict's evidence and needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from review import markdown, pictures, timeline, words
from review.page import template

if TYPE_CHECKING:
    from model.events import Event
    from model.validation import Verdict

MOST_COLUMNS = 12
FORMATS = {
    "number": markdown.number,
    "signed": markdown.signed,
    "figure": words.figure,
    "change": words.change,
    "reading": words.reading,
    "count": words.count,
    "label": words.label,
    "chance": words.chance,
    "moment": words.moment,
    "clean": markdown.clean,
}


def render_report(verdict: Verdict, events: Sequence[Event] = ()) -> str:
    """The report as one HTML page: no script, nothing loaded, light and dark, phone and desktop.

    Args:
        verdict: what was found.
        events: the model's event log, oldest first.
    """
    page = template("report.html.jinja", **FORMATS)
    return str(page.render(verdict=verdict, words=words, pictures=pictures, **_parts(verdict, events)))


def _parts(verdict: Verdict, events: Sequence[Event]) -> dict[str, Any]:
    decision = verdict.candidate.decision
    metrics = pictures.metric_rows(verdict)
    ordered = sorted(verdict.slices, key=lambda one: (one.column, -one.rows))
    slices = pictures.slice_rows(ordered, words.main(verdict))
    columns = words.drifted_first(decision.drift)
    reports = [report for report in (verdict.candidate.quality, decision.quality) if report is not None]
    return {
        "candidate": verdict.candidate,
        "decision": decision,
        "metrics": metrics,
        "slices": slices,
        "slice_scale": pictures.rows_scale(slices),
        "columns": columns[:MOST_COLUMNS],
        "other_columns": columns[MOST_COLUMNS:],
        "reports": reports,
        "timeline": timeline.timeline(events, words.main(verdict)),
        "history": [(kind, timeline.told(event)) for kind, event in timeline.history(events)],
    }
