"""Text and figures that all reviews share: the view of a verdict, Markdown, numbers, events, links and templates."""

from review.text import event_text, markdown, numbers, scales, score_series, template, verdict_view
from review.text.drift_view import column_views
from review.text.links import Links
from review.text.scales import WIDEST, Row, Scale
from review.text.score_series import ScorePoint, ScoreSeries
from review.text.states import CheckState, GateState, Severity, State, TriggerState
from review.text.verdict_view import VerdictView

__all__ = [
    "WIDEST",
    "CheckState",
    "GateState",
    "Links",
    "Row",
    "Scale",
    "ScorePoint",
    "ScoreSeries",
    "Severity",
    "State",
    "TriggerState",
    "VerdictView",
    "column_views",
    "event_text",
    "markdown",
    "numbers",
    "scales",
    "score_series",
    "template",
    "verdict_view",
]
