"""Let Great Expectations judge training rows, and monitoring windows by the summary of their tallies."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from core.config import ModelConfig
from core.quality_report import Finding, QualityReport
from monitoring.counting import Baseline, Window
from monitoring.tasks import task_of
from training.quality import window_summary
from training.quality.expectations import Expected, of_training, of_window

if TYPE_CHECKING:
    import pandas as pd


def check_window(window: Window, config: ModelConfig, baseline: Baseline) -> QualityReport:
    """What the suite says about a window, from its tallies, so at the same cost for any number of rows.

    Something critical on the newest day, or about the table as a whole, stops the night. On an older day it is a
    warning, and that day is marked as broken: nothing is judged by it.
    """
    measured = list(window_summary.cells(window, baseline, config))
    over = [cell for cell in measured if cell.excess > 0]
    failed = _failed(measured) if any(cell.severity in window_summary.JUDGED for cell in over) else ()
    found = [cell for cell in over if cell.severity in failed or cell.severity not in window_summary.JUDGED]
    return QualityReport(
        subject="window",
        rows=sum(day.rows for day in window.days),
        checks=len(measured),
        findings=tuple(window_summary.findings(found, window, task_of(config))),
    )


def _failed(measured: Sequence[window_summary.Cell]) -> set[window_summary.Severity]:
    """The severities for which something is over its limit. It takes seconds to load: a night without one skips it."""
    import pandas as pd

    table = pd.DataFrame(
        [{cell.severity: cell.excess} for cell in measured], columns=window_summary.JUDGED, dtype=float
    )
    return {one.severity for one, _ in _window_suite().failures(table, "BOOLEAN_ONLY")}


def check_training(rows: pd.DataFrame, config: ModelConfig, baseline: Baseline | None) -> QualityReport:
    """What the suite says about training rows (as in `rows.frame`); critical findings stop the training.

    `baseline` is that of the model in service, None where there is none yet.
    """
    suite = _Suite(tuple(of_training(config, baseline)))
    failed = [one for one, _ in suite.failures(rows, "BOOLEAN_ONLY")]
    # A second look, at figures, costs as much again for each expectation: only for those that need words.
    found = _Suite(failed).failures(rows, "SUMMARY") if failed else []
    absent = {one.column for one in suite.expected} - {None, *rows.columns}  # these have one finding for all of them
    findings = tuple(_finding(*failure) for failure in found if failure[0].column not in absent)
    return QualityReport(subject="training", rows=len(rows), checks=len(suite.expected), findings=findings)


class _Suite:
    """An expectation suite, and by the number of each result what was expected."""

    def __init__(self, expected: Sequence[Expected]) -> None:
        library = _library()
        self.expected = tuple(expected)
        self.suite = library.ExpectationSuite(
            name="suite",
            expectations=[
                getattr(library.expectations, one.expectation)(
                    **one.arguments, severity=one.severity, meta={"number": number}
                )
                for number, one in enumerate(self.expected)
            ],
        )

    def failures(self, rows: pd.DataFrame, result_format: str) -> list[tuple[Expected, dict[str, Any]]]:
        """What was expected and did not hold, in the order of the suite, each with its result."""
        batch = _frames().get_batch(batch_parameters={"dataframe": rows})
        results = batch.validate(self.suite, result_format=result_format).results
        failed = {item.expectation_config.meta["number"]: item for item in results if not bool(item.success)}
        return [(self.expected[number], dict(failed[number].result)) for number in sorted(failed)]


def _finding(expected: Expected, result: dict[str, Any]) -> Finding:
    """A failure in words."""
    share = result.get("unexpected_count", 0) / result["element_count"] if result.get("element_count") else None
    value = result.get("observed_value") if share is None else share
    value = float(value) if isinstance(value, int | float | np.number) else None
    words = expected.sentence.format(
        column=expected.column, value=value if value is not None else np.nan, limit=expected.limit
    )
    return Finding(
        severity=expected.severity,
        check=expected.check,
        column=expected.column,
        date=None,
        value=value,
        limit=expected.limit,
        sentence=words,
    )


@cache
def _library() -> Any:
    """Great Expectations, with what it warns of when it is loaded kept from our users: they cannot change it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        import great_expectations.expectations
    return gx


@cache
def _frames() -> Any:
    """Where frames are handed over: a context in memory, without progress bars."""
    context = _library().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


@cache
def _window_suite() -> _Suite:
    return _Suite(of_window())
