"""The report: one HTML page with pictures that shows all evidence of a verdict and needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from review.pages import timeline
from review.text import Row, VerdictView, event_text, scales, template

if TYPE_CHECKING:
    from registry import Event
    from training.gates import Verdict

MOST_COLUMNS = 12


def render_report(verdict: Verdict, events: Sequence[Event] = ()) -> str:
    """Return the report as one HTML page: no script, nothing loaded, light and dark, phone and desktop.

    Args:
        verdict: what was measured, and whether every gate let it pass.
        events: the model's event log, oldest first.
    """
    view = VerdictView(verdict)
    return str(
        template.html("review.pages", "report.html.jinja").render(
            view=view,
            scales=scales,
            Row=Row,
            slice_scale=scales.rows_scale([slice_view.row for slice_view in view.slices]),
            columns=view.columns[:MOST_COLUMNS],
            other_columns=view.columns[MOST_COLUMNS:],
            timeline=timeline.timeline(events, view.metric),
            history=[(kind, event_text.dated(event)) for kind, event in timeline.history(events)],
        )
    )
