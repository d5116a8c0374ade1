"""Settings of the triggers and of the limits on trainings, each with its bounds."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core.config.metrics import Metric, is_share
from core.config.names import Name
from core.records import Record

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=1, le=3650)]
Loss = Annotated[float, Field(ge=0, le=1e9)]  # a loss of a metric: at most 1 if the metric is a share
Negated = Annotated[float, Field(gt=-1e9, lt=0)]
Most = Annotated[float, Field(ge=-1e9, le=1)]


LOOKS = (1, 2, 4)  # of `window_days`; chosen with `python -m bench.year`


class PerformanceTrigger(Record):
    """Fires when the score on late labels is, with `confidence`, under `floor` or the reference minus `max_drop`.

    Looks at the last `window_days`, and at two and four times as many; a noisy look needs more confidence, up to 0.995.
    `min_positives`: rows of the rarer class that metrics which rank need.
    """

    enabled: bool = True
    metric: Metric = "balanced_accuracy"
    floor: Most = 0.0
    max_drop: Loss = 0.05
    window_days: Days = 7
    min_labels: Annotated[int, Field(ge=1, le=10**9)] = 100
    min_positives: Annotated[int, Field(ge=2, le=10**9)] = 10
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95

    @property
    def look_days(self) -> tuple[int, ...]:
        """Days of each look, shortest first: a large fall shows in one window, a small one only in four."""
        return tuple(multiple * self.window_days for multiple in LOOKS)

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if is_share(self.metric) and (self.floor < 0 or self.max_drop > 1):
            msg = f"{self.metric} is between 0 and 1: floor {self.floor:g}, max_drop {self.max_drop:g}"
            raise ValueError(msg)
        if self.metric.startswith("neg_") and self.floor >= 0:
            why = f"{self.metric} is under 0, so a floor of {self.floor:g} would always fire"
            msg = f"{why}: write the largest acceptable error with a minus sign"
            raise ValueError(msg)
        return self


class DriftTrigger(Record):
    """Fires when at least `min_columns` columns drift on k of the last n nights (`nights = [k, n]`).

    `rule = "nights"` accounts for the correlation between rows of one day (docs/statistics.md); `rule = "plain"` takes
    rows as independent. `nulls`: whether a changed share of nulls makes its column count as drifted, or is only shown.
    `seasonal_columns` are compared with the same season of last year.
    """

    enabled: bool = True
    rule: Literal["nights", "plain"] = "nights"
    correction: Literal["holm", "bonferroni", "benjamini_hochberg", "none"] = "holm"
    window_days: Days = 7
    min_rows: Annotated[int, Field(ge=1, le=10**9)] = 200
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.01
    min_effect: Share = 0.05
    min_columns: Annotated[int, Field(ge=1, le=10**9)] = 1
    nights: tuple[int, int] = (2, 3)
    ignore: tuple[Name, ...] = ()
    nulls: Literal["count", "show"] = "count"
    seasonal_columns: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        k, n = self.nights
        if not 1 <= k <= n <= 30:  # noqa: PLR2004 - a month of nights is the most a policy may look back
            msg = f"nights = [k, n] needs 1 <= k <= n <= 30, found [{k}, {n}]"
            raise ValueError(msg)
        both = sorted({*self.ignore} & {*self.seasonal_columns})
        if both:
            msg = f"ignore and seasonal_columns both contain {', '.join(both)}: a column can be in only one"
            raise ValueError(msg)
        return self


class AgeTrigger(Record):
    """Fires when the model in service was trained at least `max_days` ago."""

    enabled: bool = True
    max_days: Annotated[float, Field(gt=0, le=3650)] = 30


class Limits(Record):
    """How often triggers may lead to a training: a pause after each one, and a budget for 30 days.

    Up to `again_times` times the pause is only `again_days` if performance keeps firing because the trainings since the
    champion's had too few rows from after the change: the last one was fitted on rows from before the first attempt, or
    at most `again_days` after it. A new training must have rows from after the first attempt.
    """

    cooldown_days: Annotated[float, Field(ge=0, le=365)] = 14
    max_per_30_days: Annotated[int, Field(ge=1, le=1000)] = 8
    again_times: Annotated[int, Field(ge=0, le=100)] = 2
    again_days: Annotated[float, Field(gt=0, le=365)] = 7


class Triggers(Record):
    """The three triggers and their limits."""

    performance: PerformanceTrigger = PerformanceTrigger()
    drift: DriftTrigger = DriftTrigger()
    age: AgeTrigger = AgeTrigger()
    limits: Limits = Limits()
