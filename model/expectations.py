"""Say what is expected of training rows, from the config and the baseline of the model before."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from core.config import ModelConfig
from model.summary import JUDGED, Severity, limits, usual_days
from monitoring.axis import CategoricalAxis, NumericAxis
from monitoring.tally import Baseline

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
    """Of the table, the ids and the labels."""
    columns, least = config.data.columns, config.training.min_rows
    label, names = {"column": columns.label}, [*config.data.features, columns.id, columns.time, columns.label]
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
    yield _most(
        "bad_labels", "critical", "ExpectColumnValuesToBeInSet", columns.label, 0.0, "is not 0 or 1", value_set=[0, 1]
    )
    both = {**label, "min_value": 2, "max_value": 2}
    said = "{column} has {value:.0f} different values, both 0 and 1 are needed"
    yield Expected("classes", "critical", "ExpectColumnUniqueValueCountToBeBetween", both, said, 2)
    if baseline and (usual := _base_rates(baseline)):
        low, high = usual
        said = f"label 1 is on {{value:.1%}} of the rows; nine days of ten of the baseline have {low:.1%} to {high:.1%}"
        arguments = {**label, "min_value": low, "max_value": high}
        yield Expected("base_rate", "warning", "ExpectColumnMeanToBeBetween", arguments, said, high)


def _base_rates(baseline: Baseline) -> tuple[float, float] | None:
    """The share of label 1 on the middle nine days of ten; None where few days of the baseline have scored labels."""
    labels = [day.scores.array[:, :2].sum(axis=0) for day in usual_days(baseline)]
    rates = [float(late / (early + late)) for early, late in labels if early + late]
    return (float(np.quantile(rates, 0.05)), float(np.quantile(rates, 0.95))) if len(rates) >= 8 else None  # noqa: PLR2004
