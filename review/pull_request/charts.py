"""Score and drift over time as Mermaid charts, which GitHub shows in a pull request, also in a private repository."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import wording
from review.text import ScorePoint, ScoreSeries, event_text, numbers, score_series, template

if TYPE_CHECKING:
    from registry import Event
    from training.gates import Verdict

MOST_POINTS = 13
LONGEST_STEP = 7
MOST_LABELS = 6
MOST_MOVES = 6
# Color-blind readers can tell both colors apart, and both stand out from the light and from the dark page. GitHub
# chooses the theme of everything else with the page. On a phone Mermaid measures letters too small: a title of the
# axis would cover its numbers, and labels need more room around them.
SETTINGS = (
    '%%{init: {"xyChart": {"width": 520, "height": 260, "xAxis": {"labelFontSize": 15, "labelPadding": 10}, '
    '"yAxis": {"labelFontSize": 15, "labelPadding": 14}}, '
    '"themeVariables": {"xyChart": {"plotColorPalette": "#2b7de1, #d9730d"}}}}%%'
)


@dataclass(frozen=True)
class Chart:
    """A series in few points, `step` nights apart, without `missing` ones that have no reading; `latest` is a night."""

    series: ScoreSeries
    step: int
    missing: int
    latest: ScorePoint

    @property
    def mermaid(self) -> str:
        """Return the chart as Mermaid's xychart. It holds numbers and days only, so no text can break out of it."""
        points, y = self.series.points, self.series.scale
        low = max(y.low, 0.0) if min(min(point.value, point.limit or 0.0) for point in points) >= 0 else y.low
        every = math.ceil(len(points) / MOST_LABELS)
        # A label may not come twice, and each takes the room of its letters: those left out are made of invisible
        # characters. If some are left out, so are those at both ends, which would stick out.
        days = [
            f"{point.day.day} {point.day:%b}"
            if i % every == every // 2 and (i < len(points) - 1 or every == 1)
            else "\u200b" * (i + 1)
            for i, point in enumerate(points)
        ]
        lines = [[point.value for point in points], [point.limit or 0.0 for point in points]]
        return "\n".join(
            [
                SETTINGS,
                "xychart-beta",
                "    x-axis [{}]".format(", ".join(f'"{day}"' for day in days)),
                f"    y-axis {low:.{y.digits + 1}f} --> {y.high:.{y.digits + 1}f}",
                *("    line [{}]".format(", ".join(f"{value:.{y.digits + 2}f}" for value in line)) for line in lines),
            ]
        )

    @property
    def value(self) -> str:
        """Return the last value."""
        return numbers.figure(self.series.metric, self.latest.value)

    @property
    def limit(self) -> str:
        """Return the last limit."""
        return numbers.figure(self.series.metric, self.latest.limit)


def over_time(verdict: Verdict, events: Sequence[Event]) -> str:
    """Return the section on score and drift up to this night; empty if neither has two points.

    Args:
        verdict: what is proposed; its metric names the score.
        events: the event log, oldest first; later ones than the verdict do not count.
    """
    past = [event for event in events if event.timestamp <= verdict.as_of]
    judged = verdict.candidate.decision.performance
    metric = judged.metric if judged else "score"
    score = chart(past, "performance", lambda point: (point.limit or 0.0) - point.value, metric)
    drift = chart(past, "drift_effect", lambda point: point.value)
    first = min((drawn.series.points[0].day for drawn in (score, drift) if drawn), default=None)
    if first is None:
        return ""
    moves = [
        f"version {event.version} {event_text.VERBS[event.kind]} on {numbers.moment(event.timestamp)}"
        for event in past
        if event.kind in event_text.MOVES and event.timestamp.date() >= first
    ]
    return template.render_markdown(
        "review.pull_request",
        "charts.md.jinja",
        score=score,
        drift=drift,
        metric=wording.metric(metric),
        moves=moves[-MOST_MOVES:],
        earlier=len(moves[:-MOST_MOVES]),
    )


def chart(
    events: Sequence[Event], reading: str, badness: Callable[[ScorePoint], float], metric: str = ""
) -> Chart | None:
    """Return at most 13 points, a night to a week apart.

    Each is the worst of its nights, so that no alarm is smoothed away. None if there are fewer than two. Stretches
    without a reading are left out, because Mermaid cannot draw a gap.
    """
    series = score_series.score_series(events, reading, metric)
    nights = {point.day: point for point in series.limited} if series else {}
    if not nights:
        return None
    last, span = max(nights), (max(nights) - min(nights)).days + 1
    step = min(LONGEST_STEP, math.ceil(span / MOST_POINTS))
    groups: dict[int, list[ScorePoint]] = {}
    for day, point in sorted(nights.items()):
        groups.setdefault((last - day).days // step, []).append(point)
    shown = {ago: max(group, key=badness) for ago, group in groups.items() if ago < MOST_POINTS}
    latest = nights[last]
    points = [ScorePoint(latest.when - dt.timedelta(days=ago * step), p.value, p.limit) for ago, p in shown.items()]
    if len(points) < score_series.FEWEST:
        return None
    return Chart(ScoreSeries(metric, tuple(points)), step, max(shown) + 1 - len(shown), latest)
