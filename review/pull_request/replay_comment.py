"""Word what changed thresholds would have done, for the pull request that changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from review.text import code, columns, figure, label, section, sense, table

if TYPE_CHECKING:
    from core.replay_result import PolicyResult, ReplayResult

NAMES = {"main": "now, on the default branch", "default": "with this pull request"}


def text(model: str, result: ReplayResult, run_url: str | None = None) -> str:
    """The replay of a model's thresholds in Markdown: those of the default branch against those of the pull request."""
    counts = ("Alarms: score>", "drift>", "age>", "Retrained>", "Promoted>", "Refused>")
    rows = [_row(one, result.metric) for one in result.policies]
    grid = table(columns("Thresholds", *counts, "Mean>", "Worst week>"), rows)
    nights = max((one.nights for one in result.policies), default=0)
    same = len({row[1:] for row in rows}) == 1
    return section(
        f"What {code(model)} would have done",
        f"The last {nights} nights, played again: {label(result.metric)} of the model that each would have had in "
        "service.",
        sense(result.metric),
        grid,
        "Both do the same on these nights." if same and len(result.policies) > 1 else "",
        f"[workflow run]({run_url})" if run_url else "",
    )


def _row(one: PolicyResult, metric: str) -> tuple[str, ...]:
    counts = (one.alarms.performance, one.alarms.drift, one.alarms.age, one.retrains, one.promotions, one.refusals)
    scores = (figure(value, metric) for value in (one.mean, one.worst_week))
    return (NAMES.get(one.policy, code(one.policy)), *map(str, counts), *scores)
