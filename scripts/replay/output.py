"""Tell a person what a replay found: the table, and what does not fit into it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from core import wording
from scripts.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.replay_result import PolicyResult, ReplayResult
    from stages.replay import PolicyHistory


def show(result: ReplayResult, tales: Sequence[PolicyHistory], truth: dt.date | None) -> None:
    """Print the table: a row a policy."""
    nights, config = tales[0].nights, tales[0].config
    floor = config.triggers.performance.floor
    columns = ["policy", "nights", "perf.", "drift", "age", "retrains", "promoted", "refused"]
    columns += ["mean", "worst week", f"under {floor:,.10g}"]
    columns += ["false alarms", "nights to alarm"] if truth else []
    head = f"{config.name}: {wording.metric(result.metric)}, nights of {nights[0].date} to {nights[-1].date}"
    output.table(head, columns, (row(one, result.metric, truth) for one in result.policies))


def row(one: PolicyResult, metric: str, truth: dt.date | None) -> list[object]:
    """The cells of a policy."""
    alarms = one.alarms
    cells: list[object] = [one.policy, one.nights, alarms.performance, alarms.drift, alarms.age]
    cells += [one.retrains, one.promotions, one.refusals]
    cells += ["" if value is None else wording.figure(metric, value) for value in (one.mean, one.worst_week)]
    cells.append("" if one.share_under_floor is None else f"{one.share_under_floor:.1%}")
    if truth:
        cells += [one.false_alarms, "none" if one.nights_to_first_alarm is None else one.nights_to_first_alarm]
    return cells


def lines(tales: Sequence[PolicyHistory], *, fits: int, fitting: float, took: float) -> Iterator[str]:
    """What else there is to say: how to read it, nights that stopped, trainings that failed, the time it took."""
    yield "perf., drift, age: nights on which that trigger fired. The first model is given, and not counted."
    yield "mean, worst week, under: of the seven days before each night, with all labels that ever arrived."
    for what, name in (("stopped on broken data", "stopped"), ("could not train", "failed")):
        found = Counter({tale.policy: sum(bool(getattr(night, name)) for night in tale.nights) for tale in tales})
        if found.total():
            told = ", ".join(f"{policy} {count}" for policy, count in found.items())
            why = next(night.why for tale in tales for night in tale.nights if getattr(night, name))
            yield f"nights that {what}: {output.clean(told)}; the first: {output.clean(why[:200])}"
    yield f"{took:.1f} seconds, {fitting:.1f} of them to fit {fits} model{'' if fits == 1 else 's'}"
