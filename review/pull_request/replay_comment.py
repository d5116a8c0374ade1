"""The comment on a pull request that changes thresholds: what they would have done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import wording
from review.text import numbers, template, verdict_view

if TYPE_CHECKING:
    from core.replay_result import PolicyResult, ReplayResult

NAMES = {"main": "now, on the default branch", "default": "with this pull request"}


def text(model: str, result: ReplayResult, run_url: str | None = None) -> str:
    """Return a replay in Markdown: the thresholds of the default branch against those of the pull request."""
    rows = [_row(policy, result.metric) for policy in result.policies]
    return template.render_markdown(
        "review.pull_request",
        "replay_comment.md.jinja",
        model=model,
        nights=max((policy.nights for policy in result.policies), default=0),
        metric=wording.metric(result.metric),
        caution=verdict_view.caution(result.metric),
        policies=[
            (NAMES.get(policy.policy), policy.policy, row) for policy, row in zip(result.policies, rows, strict=True)
        ],
        same=len(rows) > 1 and len(set(rows)) == 1,
        run_url=run_url,
    )


def _row(policy: PolicyResult, metric: str) -> tuple[str, ...]:
    alarms = (policy.alarms.performance, policy.alarms.drift, policy.alarms.age)
    counts = (*alarms, policy.retrains, policy.promotions, policy.refusals)
    return (*map(str, counts), *(numbers.figure(metric, value) for value in (policy.mean, policy.worst_week)))
