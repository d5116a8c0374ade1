"""Text that reviews share: Markdown, numbers, events and links."""

from review.text import event_text, links, markdown, scales, verdict_sections, verdict_text
from review.text.event_text import MOVES, SIGNS, kind, told
from review.text.links import Links, in_mlflow, link
from review.text.markdown import bar, clean, code, columns, folded, inert, number, plain, section, table
from review.text.scales import WIDEST, Scale, scale
from review.text.verdict_sections import MARKS
from review.text.verdict_text import change, count, figure, label, reading, sense, start

__all__ = [
    "MARKS",
    "MOVES",
    "SIGNS",
    "WIDEST",
    "Links",
    "Scale",
    "bar",
    "change",
    "clean",
    "code",
    "columns",
    "count",
    "event_text",
    "figure",
    "folded",
    "in_mlflow",
    "inert",
    "kind",
    "label",
    "link",
    "links",
    "markdown",
    "number",
    "plain",
    "reading",
    "scale",
    "scales",
    "section",
    "sense",
    "start",
    "table",
    "told",
    "verdict_sections",
    "verdict_text",
]
