"""The summary of a replay: what each policy did, what it cost, and how good the model was under it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from core.config import ModelConfig
from core.replay_result import OF_DATA, Alarms, NightSummary, PolicyResult, ReplayResult
from monitoring.tasks import task_of
from stages.replay.replay import NightOutcome

WEEK = 7


@dataclass
class PolicyHistory:
    """All nights of one policy. `config` is the model's own: its metric and floor measure all policies."""

    policy: str
    config: ModelConfig
    nights: list[NightSummary] = field(default_factory=list)
    _days: list[np.ndarray] = field(default_factory=list)

    def add(self, outcome: NightOutcome) -> None:
        """Add the next night, with the week of days before it."""
        decision, verdict = outcome.decision, outcome.verdict
        reasons = decision.reasons if decision and decision.retrain else ()
        if verdict and not verdict.passed:
            reasons = tuple(gate.sentence for gate in verdict.gates if gate.state != "passes")
        self.nights.append(
            NightSummary(
                date=outcome.date,
                first=decision is not None and decision.first,
                fired=tuple(r.trigger for r in decision.readings if r.state == "fired") if decision else (),
                retrained=verdict is not None,
                refused=verdict is not None and not verdict.passed,
                promoted=outcome.promoted,
                failed=outcome.failed,
                stopped=bool(outcome.stopped),
                why="; ".join((*reasons, *outcome.stopped, *filter(None, [outcome.failed]))),
                week=self._week(),
            )
        )
        if outcome.outcome is not None:
            self._days.append(outcome.outcome.scores.array[:, :-1])
        elif self._days:  # a day without rows counts as a day
            self._days.append(np.zeros_like(self._days[-1]))
        del self._days[:-WEEK]

    def _week(self) -> float | None:
        """Return the metric over the last seven days, None if there are fewer or it is undefined."""
        if len(self._days) < WEEK:
            return None
        metric, task = self.config.triggers.performance.metric, task_of(self.config)
        value = float(task.evaluate(metric, np.sum(self._days, axis=0)))
        return None if np.isnan(value) else value

    @cached_property
    def began(self) -> int:
        """The index of the night on which the first model went into service; past the end if no model did."""
        return next((n for n, night in enumerate(self.nights) if night.promoted is not None), len(self.nights))

    def result(self, truth: dt.date | None) -> PolicyResult:
        """Return the figures of the policy; `truth` is the day on which a known change began."""
        nights, later = self.nights, self.nights[self.began + 1 :]
        weeks = [night.week for night in nights if night.week is not None]
        under = [week < self.config.triggers.performance.floor for week in weeks]
        of_data = [night.date for night in nights if OF_DATA & set(night.fired)]
        after = [date for date in of_data if truth is not None and date > truth]
        return PolicyResult(
            policy=self.policy,
            nights=len(nights),
            alarms=Alarms(**{name: sum(name in night.fired for night in nights) for name in Alarms.model_fields}),
            retrains=sum(night.retrained and not night.first for night in nights),
            promotions=sum(night.promoted is not None for night in later),
            refusals=sum(night.refused and not night.first for night in nights),
            mean=float(np.mean(weeks)) if weeks else None,
            worst_week=min(weeks, default=None),
            share_under_floor=float(np.mean(under)) if weeks else None,
            false_alarms=None if truth is None else len(of_data) - len(after),
            nights_to_first_alarm=(after[0] - truth).days if truth is not None and after else None,
        )


def summarize(histories: Sequence[PolicyHistory], truth: dt.date | None) -> ReplayResult:
    """Return the record of the replay."""
    metric = histories[0].config.triggers.performance.metric
    return ReplayResult(metric=metric, policies=tuple(history.result(truth) for history in histories))
