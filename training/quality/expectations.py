"""Expectations of training rows, from the config and the baseline of the model in service."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from core.arrow import Floats
from core.config import ModelConfig
from monitoring.axes import CategoricalAxis, NumericAxis
from monitoring.counting import Baseline
from monitoring.tasks import Task, task_of
from training.quality.window_summary import JUDGED, Severity, limits, usual_days

LARGEST = sys.float_info.max


class Expected(NamedTuple):
    """One expectation of Great Expectations by class name and arguments, and the finding of its failure.

    The sentence may contain `column`, `limit` and `value`: the share of rows that fail, or the observed value.
    """

    check: str
    severity: Severity
    expectation: str
    arguments: Mapping[str, Any]
    sentence: str
    limit: float | None = None

    @property
    def column(self) -> str | None:
        """The column of the expectation; None if it is about the table."""
        column: str | None = self.arguments.get("column")
        return column


def of_window() -> tuple[Expected, ...]:
    """Return the expectations of a window summary, whose columns are severities and values are excesses over limits.

    There is one expectation for each severity that stops a run: Great Expectations takes its time for each.
    """
    between, sentence = "ExpectColumnValuesToBeBetween", "a measure is over its limit"
    return tuple(Expected("limit", name, between, {"column": name, "max_value": 0}, sentence) for name in JUDGED)


def of_training(config: ModelConfig, baseline: Baseline | None) -> Iterator[Expected]:
    """Yield all expectations of training rows. Values new to the model in service are only warnings."""
    known_limits = limits(config, baseline) if baseline else {}
    yield from _table(config, baseline)
    for column in config.data.features:
        limit = known_limits.get(("null_share", column), config.quality.max_null_share)
        yield _most("null_share", "critical", "ExpectColumnValuesToNotBeNull", column, limit, "is missing")
    for column in config.data.numeric:
        axis, between = baseline and baseline.axes[column], "ExpectColumnValuesToBeBetween"
        limit = known_limits.get(("infinite", column), config.quality.max_out_of_range_share)
        finite = {"min_value": -LARGEST, "max_value": LARGEST}
        yield Expected(
            "type",
            "critical",
            "ExpectColumnValuesToBeInTypeList",
            {"column": column, "type_list": ["float64", "float32"]},
            "{column} does not contain numbers",
        )
        yield _most("infinite", "critical", between, column, limit, "is infinite", **finite)
        if isinstance(axis, NumericAxis):
            limit, problem = known_limits["out_of_range", column], "is outside the range of the baseline"
            span = {"min_value": axis.low, "max_value": axis.high}
            yield _most("out_of_range", "warning", between, column, limit, problem, **span)
    for column in config.data.categorical:
        axis = baseline and baseline.axes[column]
        if isinstance(axis, CategoricalAxis) and axis.levels:
            limit, problem = known_limits["unseen_share", column], "has values that the baseline does not have"
            levels = list(axis.levels)
            yield _most(
                "unseen_share", "warning", "ExpectColumnValuesToBeInSet", column, limit, problem, value_set=levels
            )


def _most(
    check: str, severity: Severity, expectation: str, column: str, limit: float, problem: str, **arguments: Any
) -> Expected:
    """Return the expectation that a share of at most `limit` of the rows has a problem."""
    most = {"column": column, "mostly": round(1 - min(limit, 1.0), 9), **arguments}
    sentence = "{column} " + problem + " in {value:.1%} of the rows (limit {limit:.1%})"
    return Expected(check, severity, expectation, most, sentence, limit)


def _table(config: ModelConfig, baseline: Baseline | None) -> Iterator[Expected]:
    """Yield the expectations of the table, the ids and the labels."""
    columns, required = config.data.columns, config.training.min_rows
    names = [*config.data.features, *filter(None, [columns.id]), columns.time, columns.label]
    sentence = "{value:,.0f} labelled rows, at least {limit:,.0f} are required"
    yield Expected("rows", "critical", "ExpectTableRowCountToBeBetween", {"min_value": required}, sentence, required)
    yield Expected(
        "missing_column",
        "critical",
        "ExpectTableColumnsToMatchSet",
        {"column_set": names, "exact_match": False},
        f"columns are absent: {', '.join(names)} are required",
    )
    if columns.id:
        limit = config.quality.max_duplicate_share
        yield _most("id_missing", "critical", "ExpectColumnValuesToNotBeNull", columns.id, 0.0, "is missing")
        yield _most("duplicates", "critical", "ExpectColumnValuesToBeUnique", columns.id, limit, "is not unique")
    yield from _labels(config, baseline)


def _labels(config: ModelConfig, baseline: Baseline | None) -> Iterator[Expected]:
    """Yield the expectations of the labels. Labels of classes are positions."""
    task, column, data = task_of(config), config.data.columns.label, config.data
    problem = f"is not {task.label_text}"
    if data.label_range is None:
        labels = list(range(len(data.classes or (0, 1))))
        yield _most("bad_labels", "critical", "ExpectColumnValuesToBeInSet", column, 0.0, problem, value_set=labels)
    else:
        low, high = data.label_range
        span, between = {"min_value": low, "max_value": high}, "ExpectColumnValuesToBeBetween"
        yield _most("bad_labels", "critical", between, column, 0.0, problem, **span)
    several = {"column": column, "min_value": 2} | ({"max_value": task.max_distinct} if task.max_distinct else {})
    sentence = (
        f"{{column}} has {{value:.0f}} different values, {task.min_distinct_text} ({task.label_text}) are required"
    )
    yield Expected("classes", "critical", "ExpectColumnUniqueValueCountToBeBetween", several, sentence, 2)
    if baseline and task.label_values is not None and (usual := _usual_means(baseline, task, task.label_values)):
        low, high = usual
        phrase, digits = task.mean_label
        usual_range = f"on 90% of the days of the baseline it is {low:{digits}} to {high:{digits}}"
        sentence = f"{phrase.format(f'{{value:{digits}}}')}; {usual_range}"
        arguments = {"column": column, "min_value": low, "max_value": high}
        yield Expected("base_rate", "warning", "ExpectColumnMeanToBeBetween", arguments, sentence, high)


def _usual_means(baseline: Baseline, task: Task, values: Floats) -> tuple[float, float] | None:
    """Return the range of the mean label on 90% of the days; None if few days of the baseline have scored labels."""
    labels = [task.by_label(day.scores.array[:, :-1]) for day in usual_days(baseline)]
    means = [float(counts @ values / counts.sum()) for counts in labels if counts.any()]
    return (float(np.quantile(means, 0.05)), float(np.quantile(means, 0.95))) if len(means) >= 8 else None  # noqa: PLR2004
