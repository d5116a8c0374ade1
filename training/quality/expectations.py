"""Say what is expected of training rows, from the config and the baseline of the model before."""

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
    """One expectation of Great Expectations by class name and arguments, and what its failure is called and means.

    The sentence may name `column`, `limit` and `value`: the share of rows that fail, or what was observed.
    """

    check: str
    severity: Severity
    expectation: str
    arguments: Mapping[str, Any]
    sentence: str
    limit: float | None = None

    @property
    def column(self) -> str | None:
        """The column it is about; None where it is the table."""
        found: str | None = self.arguments.get("column")
        return found


def of_window() -> tuple[Expected, ...]:
    """That nothing in the summary is over its limit; its columns are severities, its values how far over they are.

    One expectation a severity: Great Expectations takes its time for each. None for what stops nothing.
    """
    said = "a measure is over its limit"
    between = "ExpectColumnValuesToBeBetween"
    return tuple(Expected("limit", name, between, {"column": name, "max_value": 0}, said) for name in JUDGED)


def of_training(config: ModelConfig, baseline: Baseline | None) -> Iterator[Expected]:
    """All that is expected of training rows. What the model before had not seen is a warning: the world may change."""
    known = limits(baseline, config) if baseline else {}
    yield from _table(config, baseline)
    for column in config.data.features:
        limit = known.get(("null_share", column), config.quality.max_null_share)
        yield _most("null_share", "critical", "ExpectColumnValuesToNotBeNull", column, limit, "is missing")
    for column in config.data.numeric:
        axis, between = baseline and baseline.axes[column], "ExpectColumnValuesToBeBetween"
        limit = known.get(("infinite", column), config.quality.max_out_of_range_share)
        finite = {"min_value": -LARGEST, "max_value": LARGEST}
        yield Expected(
            "type",
            "critical",
            "ExpectColumnValuesToBeInTypeList",
            {"column": column, "type_list": ["float64", "float32"]},
            "{column} holds no numbers",
        )
        yield _most("infinite", "critical", between, column, limit, "is infinite", **finite)
        if isinstance(axis, NumericAxis):
            limit, words = known["out_of_range", column], "is beyond the range of the baseline"
            span = {"min_value": axis.low, "max_value": axis.high}
            yield _most("out_of_range", "warning", between, column, limit, words, **span)
    for column in config.data.categorical:
        axis = baseline and baseline.axes[column]
        if isinstance(axis, CategoricalAxis) and axis.levels:
            limit, words = known["unseen_share", column], "has values unknown in the baseline"
            levels = list(axis.levels)
            yield _most(
                "unseen_share", "warning", "ExpectColumnValuesToBeInSet", column, limit, words, value_set=levels
            )


def _most(
    check: str, severity: Severity, expectation: str, column: str, limit: float, words: str, **arguments: Any
) -> Expected:
    """That a share of at most `limit` of the rows fails."""
    most = {"column": column, "mostly": round(1 - min(limit, 1.0), 9), **arguments}
    sentence = "{column} " + words + " in {value:.1%} of the rows, at most {limit:.1%} may be"
    return Expected(check, severity, expectation, most, sentence, limit)


def _table(config: ModelConfig, baseline: Baseline | None) -> Iterator[Expected]:
    """Of the table and the ids, and then of the labels."""
    columns, least = config.data.columns, config.training.min_rows
    names = [*config.data.features, columns.id, columns.time, columns.label]
    said = "{value:.0f} labelled rows, at least {limit:.0f} are needed"
    yield Expected("rows", "critical", "ExpectTableRowCountToBeBetween", {"min_value": least}, said, least)
    yield Expected(
        "missing_column",
        "critical",
        "ExpectTableColumnsToMatchSet",
        {"column_set": names, "exact_match": False},
        f"not all columns are there: {', '.join(names)} are needed",
    )
    yield _most("id_missing", "critical", "ExpectColumnValuesToNotBeNull", columns.id, 0.0, "is missing")
    allowed = config.quality.max_duplicate_share
    yield _most("duplicates", "critical", "ExpectColumnValuesToBeUnique", columns.id, allowed, "is not unique")
    yield from _labels(config, baseline)


def _labels(config: ModelConfig, baseline: Baseline | None) -> Iterator[Expected]:
    """Of the labels, which are places where they are classes."""
    task, column, data = task_of(config), config.data.columns.label, config.data
    words = f"is not {task.label_text}"
    if data.label_range is None:
        known = {"value_set": list(range(len(data.classes or (0, 1))))}
        yield _most("bad_labels", "critical", "ExpectColumnValuesToBeInSet", column, 0.0, words, **known)
    else:
        low, high = data.label_range
        between, known_range = "ExpectColumnValuesToBeBetween", {"min_value": low, "max_value": high}
        yield _most("bad_labels", "critical", between, column, 0.0, words, **known_range)
    several = {"column": column, "min_value": 2} | ({"max_value": task.max_distinct} if task.max_distinct else {})
    said = f"{{column}} has {{value:.0f}} different values, {task.min_distinct_text} ({task.label_text}) are needed"
    yield Expected("classes", "critical", "ExpectColumnUniqueValueCountToBeBetween", several, said, 2)
    if baseline and task.label_values is not None and (usual := _usual_means(baseline, task, task.label_values)):
        low, high = usual
        phrase, digits = task.mean_label
        ends = f"nine days of ten of the baseline have {low:{digits}} to {high:{digits}}"
        said = f"{phrase.format(f'{{value:{digits}}}')}; {ends}"
        arguments = {"column": column, "min_value": low, "max_value": high}
        yield Expected("base_rate", "warning", "ExpectColumnMeanToBeBetween", arguments, said, high)


def _usual_means(baseline: Baseline, task: Task, values: Floats) -> tuple[float, float] | None:
    """The mean label on the middle nine days of ten; None where few days of the baseline have scored labels."""
    labels = [task.by_label(day.scores.array[:, :-1]) for day in usual_days(baseline)]
    means = [float(found @ values / found.sum()) for found in labels if found.any()]
    return (float(np.quantile(means, 0.05)), float(np.quantile(means, 0.95))) if len(means) >= 8 else None  # noqa: PLR2004
