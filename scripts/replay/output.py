"""The result of a replay as a table and lines for a person."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from core import wording
from scripts.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.replay_result import PolicyResult, ReplayResult
    from stages.replay import PolicyHistory


def show(result: ReplayResult, histories: Sequence[PolicyHistory], truth: dt.date | None) -> None:
    """Print the table, a row for each policy."""
    nights, config = histories[0].nights, histories[0].config
    floor = config.triggers.performance.floor
    columns = ["policy", "nights", "perf.", "drift", "age", "retrains", "promoted", "refused"]
    columns += ["mean", "worst week", f"under {floor:,.10g}"]
    columns += ["false alarms", "nights to alarm"] if truth else []
    head = f"{config.name}: {wording.metric(result.metric)}, nights from {nights[0].date} to {nights[-1].date}"
    output.table(head, columns, (row(policy, result.metric, truth) for policy in result.policies))


def row(policy: PolicyResult, metric: str, truth: dt.date | None) -> list[object]:
    """Return the cells of a policy."""
    alarms = policy.alarms
    cells: list[object] = [policy.policy, policy.nights, alarms.performance, alarms.drift, alarms.age]
    cells += [policy.retrains, policy.promotions, policy.refusals]
    cells += ["" if value is None else wording.figure(metric, value) for value in (policy.mean, policy.worst_week)]
    cells.append("" if policy.share_under_floor is None else f"{policy.share_under_floor:.1%}")
    if truth:
        cells += [policy.false_alarms, "none" if policy.nights_to_first_alarm is None else policy.nights_to_first_alarm]
    return cells


def lines(histories: Sequence[PolicyHistory], *, fits: int, fitting: float, took: float) -> Iterator[str]:
    """Yield what does not fit into the table: how to read it, stopped nights, failed trainings, and the time."""
    yield "perf., drift, age: nights on which that trigger fired. The first training is not counted."
    yield "mean, worst week, under: over the seven days before each night, with all labels that ever arrived."
    for what, name in (("stopped on broken data", "stopped"), ("could not train", "failed")):
        count = {history.policy: sum(bool(getattr(night, name)) for night in history.nights) for history in histories}
        if any(count.values()):
            counts = ", ".join(f"{policy} {number}" for policy, number in count.items())
            why = next(night.why for history in histories for night in history.nights if getattr(night, name))
            yield f"nights that {what}: {output.clean(counts)}; the first: {output.clean(why[:200])}"
    yield f"{took:.1f} seconds, {fitting:.1f} of them to fit {fits} model{'' if fits == 1 else 's'}"
